// The API key, for servers that ask for one. It is remembered for this tab and no longer.

const NAME = "alphacut-key";

/** Tells "change" when another key is to be used. */
export class Key extends EventTarget {
  /** @param {HTMLDialogElement} dialog */
  constructor(dialog) {
    super();
    this.dialog = dialog;
    this.input = /** @type {HTMLInputElement} */ (dialog.querySelector("input"));
    this.why = /** @type {HTMLElement} */ (dialog.querySelector("#key-why"));
    this.usual = this.why.textContent;
    dialog.addEventListener("close", () => this.#closed());
  }

  get value() {
    return sessionStorage.getItem(NAME) ?? "";
  }

  /** Open the dialog. */
  ask(why = this.usual) {
    if (this.dialog.open) return;
    this.why.textContent = why;
    this.input.value = this.value;
    this.dialog.returnValue = "";
    this.dialog.showModal();
    this.input.select();
  }

  #closed() {
    if (this.dialog.returnValue !== "use") return;
    sessionStorage.setItem(NAME, this.input.value);
    this.input.value = "";
    this.dispatchEvent(new Event("change"));
  }
}
