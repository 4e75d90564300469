// The ways a picture gets onto the page.

const ENDINGS = /\.(avif|bmp|gif|heic|heif|jfif|jpe?g|jpe|mpo|png|tiff?|webp)$/i;

/**
 * Call `take` with every batch of pictures that is dropped, pasted, picked or photographed.
 * @param {HTMLInputElement[]} inputs
 * @param {(files: File[], refused: number) => void} take
 */
export function listen(inputs, take) {
  const sort = (files) => {
    const all = [...(files ?? [])];
    // Some systems know no type for HEIC and AVIF files.
    const pictures = all.filter((file) => file.type.startsWith("image/") || ENDINGS.test(file.name));
    if (all.length) take(pictures, all.length - pictures.length);
  };
  for (const input of inputs) {
    input.addEventListener("change", () => {
      sort(input.files);
      input.value = ""; // so that the same file can be chosen again
    });
  }
  document.addEventListener("paste", (event) => sort(event.clipboardData?.files));
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.toggle("over", event.dataTransfer?.types.includes("Files"));
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) document.body.classList.remove("over");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("over");
    sort(event.dataTransfer?.files);
  });
}
