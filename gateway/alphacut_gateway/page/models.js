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
  try {
    const { models } = await (await fetch("v1/models")).json();
    const tiers = readTiers(models);
    return tiers.length ? tiers : [DEFAULT];
  } catch {
    return [DEFAULT]; // whoever gives a picture is told what is wrong
  }
}

/** Read what /v1/models lists; of a single network the name says nothing. */
export function readTiers(models) {
  const alone = new Set(models.map((model) => model.name)).size === 1;
  return models.map((model) => ({
    id: `${model.name}/${model.mode}`,
    model: model.name,
    mode: model.mode,
    label: alone ? model.mode : `${model.name}, ${model.mode}`,
    about: describe(model),
  }));
}

/** Say what was measured, as far as it was. */
function describe({ size, precision, time_ms: ms, mean_iou: agreement, licence }) {
  const facts = [
    `Sees ${size} × ${size} pixels`,
    precision && `computes in ${precision}`,
    ms && `${ms.toFixed(ms < 10 ? 1 : 0)} ms a picture`,
    agreement && `agrees to ${(100 * agreement).toFixed(1)} % with the exact network`,
    licence && `licence ${licence}`,
  ];
  return `${facts.filter(Boolean).join(", ")}.`;
}
