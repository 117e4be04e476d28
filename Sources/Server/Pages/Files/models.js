/** Which models there are, and which of their versions. */

import { info, Refusal } from './service.js';

/** One version of a model: `{model, version, fingerprint, grid, sizes, precision, isCurrent}`. */
let versions = [];
let limits = {};

/**
 * Asks the server.
 * @throws {Refusal} also where no model is loaded yet; that will pass.
 */
export async function refresh(signal) {
  const document = await info(signal);
  limits = document.limits ?? {};
  versions = document.models.flatMap(({ model, versions }) => versions.map((version, index) => ({ model, ...version, isCurrent: index === 0 })));
  if (!versions.length) throw new Refusal('No model is loaded yet.', { status: 503, retryAfter: 2 });
}

/** The version with these tokens; undefined where it is not there. */
export const ofFingerprint = (fingerprint) => versions.find((version) => version.fingerprint === fingerprint);

/** Two models may be the same thing under two names, so an option's value is not the fingerprint. */
const key = ({ model, version }) => `${model} ${version}`;

/** The version that a select of {@link offer} or {@link offerOthers} says; undefined where it says none. */
export const chosenIn = (select) => versions.find((version) => key(version) === select.value);

export const largestFile = () => limits.image_body_bytes ?? Infinity;

export const title = ({ model, version }) => `${model}, version ${version}`;

/** The side of a document's picture where it is not its model's own; undefined where it is. */
export function otherSide({ fingerprint, grid }) {
  return ofFingerprint(fingerprint)?.grid.image_size === grid.image_size ? undefined : grid.image_size;
}

/** Bits of one picture's tokens, as a fixed-length code has them. */
export const bits = ({ tokens, codebook_size: codes }) => tokens * Math.ceil(Math.log2(codes));

/** Offers every version; those that are no longer current only decode what they made, so they can be chosen with their own tokens alone. */
export function offer(select, shown = versions[0]) {
  const options = versions.map((version) => {
    const isShown = key(version) === key(shown);
    const label = version.isCurrent ? title(version) : `${title(version)} (only its own tokens)`;
    const option = new Option(label, key(version), isShown, isShown);
    option.disabled = !version.isCurrent && !isShown;
    return option;
  });
  select.replaceChildren(...options);
}

/** What the sides that are offered are of a version's own. */
const factors = [0.5, 1, 1.5, 2, 3, 4];

/** Sides of the squares that a version is offered for, in pixels: its own, and larger and smaller ones where it takes those. */
export function sides({ grid, sizes }) {
  const own = grid.image_size;
  const takes = (side) => side % sizes.multiple === 0 && side >= sizes.minimum && side ** 2 <= sizes.maximum_pixels;
  return factors.map((factor) => factor * own).filter((side) => side === own || (sizes && takes(side)));
}

/**
 * Offers the sides of a version's squares.
 * @param {number} shown - the side that is chosen where it is offered.
 */
export function offerSides(select, version, shown) {
  const offered = [...new Set([...sides(version), shown])].sort((a, b) => a - b);
  select.replaceChildren(...offered.map((side) => new Option(`${side}×${side}`, side, side === shown, side === shown)));
  select.disabled = offered.length === 1;
}

/** Offers what a picture may be compared with: current versions that are not the same as the one that is shown. */
export function offerOthers(select, shown) {
  const others = versions.filter(({ fingerprint, isCurrent }) => isCurrent && fingerprint !== shown?.fingerprint);
  select.replaceChildren(new Option('nothing', ''), ...others.map((version) => new Option(title(version), key(version))));
  select.disabled = others.length === 0;
}
