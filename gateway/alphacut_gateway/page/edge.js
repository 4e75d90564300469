// What the edge controls make of a mask. Lengths are in thousandths of the longer side, so that they mean the same
// in the preview and at full size.

import { blur, grow } from "./lines.js";

const RAMP = 16;

/**
 * @typedef {object} Edge
 * @property {number} threshold 0 leaves the mask as it is; 1..99 cuts it clearly at that percentage.
 * @property {number} shift Outwards, or inwards if negative.
 * @property {number} feather How soft the edge becomes.
 */

/**
 * Return alpha: the mask after threshold, shift and feather, in this order.
 * @param {Uint8Array} mask
 * @param {number} width
 * @param {number} height
 * @param {Edge} edge
 * @returns {Uint8Array}
 */
export function shape(mask, width, height, { threshold, shift, feather }) {
  const alpha = threshold > 0 ? mask.map((value) => ramp(value, threshold)) : mask.slice();
  const side = Math.max(width, height) / 1000;
  const reach = Math.round(Math.abs(shift) * side);
  if (reach > 0) {
    if (shift < 0) invert(alpha);
    grow(alpha, width, height, reach);
    if (shift < 0) invert(alpha);
  }
  const soft = feather > 0 ? Math.max(1, Math.round(feather * side)) : 0;
  if (soft > 0) blur(alpha, width, height, soft);
  return alpha;
}

/** A steep ramp rather than a step: a step would leave stairs along the edge. */
function ramp(value, percent) {
  const low = percent * 2.55 - RAMP;
  return Math.max(0, Math.min(255, ((value - low) * 255) / (2 * RAMP)));
}

function invert(pixels) {
  for (let at = 0; at < pixels.length; at += 1) pixels[at] = 255 - pixels[at];
}
