// The OpenAPI document, readable; without the usual viewers, which load themselves from other hosts.

import { valuesOf } from "./values.js";

const { paths } = await (await fetch("openapi.json")).json();
const WHERE = { path: "In the path", query: "In the query", header: "Headers" };

function element(name, text = "", ...children) {
  const made = document.createElement(name);
  // What stands between backticks is code.
  text.split("`").forEach((part, i) => made.append(i % 2 ? element("code", part) : part));
  made.append(...children);
  return made;
}

function table(caption, rows) {
  const made = element("table", "", element("caption", caption));
  for (const [name, ...texts] of rows) {
    const head = element("th", name);
    head.scope = "row";
    made.append(element("tr", "", head, ...texts.map((text) => element("td", text))));
  }
  return made;
}

function tables({ parameters = [], requestBody, responses }) {
  const made = Object.entries(WHERE).map(([where, caption]) => {
    const there = parameters.filter((parameter) => parameter.in === where);
    return [caption, there.map(({ name, schema, description = "" }) => [name, valuesOf(schema), description])];
  });
  const bodies = Object.entries(requestBody?.content ?? {});
  made.push(["As the body", bodies.map(([kind, { schema }]) => [kind, valuesOf(schema)])]);
  // However they are sent, the fields are the same.
  const fields = Object.entries(bodies.find(([, { schema }]) => schema.properties)?.[1].schema.properties ?? {});
  made.push(["Fields", fields.map(([name, schema]) => [name, valuesOf(schema), schema.description ?? ""])]);
  made.push(["Answers", Object.entries(responses).map(([status, { description }]) => [status, description])]);
  return made.filter(([, rows]) => rows.length).map(([caption, rows]) => table(caption, rows));
}

const operations = document.getElementById("operations");
const contents = document.getElementById("contents");
for (const [path, methods] of Object.entries(paths)) {
  for (const [method, operation] of Object.entries(methods)) {
    const title = `${method.toUpperCase()} ${path}`;
    const section = element("section", "", element("h2", title), element("p", operation.description ?? ""));
    section.append(...tables(operation));
    section.className = "operation";
    section.id = title.replace(/\W+/g, "-").toLowerCase();
    operations.append(section);
    const link = element("a", title);
    link.href = `#${section.id}`;
    contents.append(element("li", "", link));
  }
}
if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView(); // it was not there before
