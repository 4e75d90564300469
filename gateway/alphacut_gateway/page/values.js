// What a parameter may be, from its JSON schema, in words.

const KINDS = { integer: "a whole number", number: "a number", string: "text", boolean: "`true` or `false`" };

/** Say what a schema allows, and what is meant where nothing is given; values stand between backticks. */
export function valuesOf(schema) {
  const choices = (schema.anyOf ?? [schema]).filter(({ type }) => type !== "null");
  const given = schema.default ?? null;
  const otherwise = given === null || given === "" ? "" : `; default ${code(given)}`;
  return choices.map(kindOf).join(", or ") + otherwise;
}

function kindOf(schema) {
  if (schema.enum) return listed(schema.enum.map(code), "or");
  if (schema.const !== undefined) return code(schema.const);
  if (schema.format === "binary") return "the bytes of a file";
  if (schema.type === "object") return `fields${needs(schema)}`;
  if (schema.type === "array") return `any number of: ${kindOf(schema.items)}`;
  return KINDS[schema.type] + boundsOf(schema);
}

function needs({ required = [] }) {
  return required.length ? `, of which ${listed(required.map(code), "and")} has to be there` : "";
}

function boundsOf({ minimum, maximum, exclusiveMinimum, maxLength }) {
  if (maxLength !== undefined) return ` of at most ${maxLength} characters`;
  if (exclusiveMinimum !== undefined) return ` above ${exclusiveMinimum}`;
  if (minimum !== undefined && maximum !== undefined) return `, ${minimum} to ${maximum}`;
  if (minimum !== undefined) return `, at least ${minimum}`;
  return maximum === undefined ? "" : `, at most ${maximum}`;
}

function listed(words, last) {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} ${last} ${words.at(-1)}`;
}

function code(value) {
  return `\`${value}\``;
}
