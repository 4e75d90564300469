// What the server can cut out with.

/**
 * A network at one of its sizes. Without names it is whatever the server takes by itself.
 * @typedef {object} Tier
 * @property {string} id
 * @property {string|null} model
 * @property {string|null} mode
 * @property {string} label
 * @property {string} about
 */

/** @type {Tier} */
export const DEFAULT = { id: "", model: null, mode: null, label: "", about: "" };

/**
 * Ask which networks and tiers there are; nothing but the default where the server does not say.
 * @returns {Promise<Tier[]>}
 */
export async function fetchTiers() {
  const answer = await fetch("/v1/models");
  if (!answer.ok) return [DEFAULT];
  const { models } = await answer.json();
  const tiers = readTiers(models);
  return tiers.length ? tiers : [DEFAULT];
}

/** Read /v1/models. A model without tiers is one itself. */
export function readTiers(models) {
  return models.flatMap((model) =>
    (model.tiers ?? [model]).map((tier) => {
      const mode = tier.mode ?? null;
      return {
        id: `${model.name}/${mode ?? ""}`,
        model: model.name,
        mode,
        label: mode ? `${model.name}, ${mode}` : model.name,
        about: describe({ ...model, ...tier }),
      };
    }),
  );
}

function describe({ size, precision, licence }) {
  const facts = [size && `sees ${size} × ${size} pixels`, precision && `computes in ${precision}`, licence];
  return facts.filter(Boolean).join(", ");
}
