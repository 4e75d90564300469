// The OpenAPI document, readable; without the usual viewers, which load themselves from other hosts.

export {}; // a module, as its script element says

const { paths } = await (await fetch("openapi.json")).json();

function element(name, text = "", ...children) {
  const made = document.createElement(name);
  made.textContent = text;
  made.append(...children);
  return made;
}

function table(caption, rows) {
  const made = element("table", "", element("caption", caption));
  for (const [name, text] of rows) made.append(element("tr", "", element("th", name), element("td", text)));
  return made;
}

for (const [path, operations] of Object.entries(paths)) {
  for (const [method, operation] of Object.entries(operations)) {
    const section = element("section", "", element("h2", `${method.toUpperCase()} ${path}`));
    section.className = "operation";
    section.append(element("p", operation.description ?? ""));
    const parameters = (operation.parameters ?? []).map(({ name, description }) => [name, description ?? ""]);
    if (parameters.length) section.append(table("Query", parameters));
    const answers = Object.entries(operation.responses).map(([status, { description }]) => [status, description]);
    section.append(table("Answers", answers));
    document.getElementById("operations").append(section);
  }
}
