/** Which models there are, and which of their versions. */

import { info, Refusal } from './service.js';

/** One version of a model: `{model, version, fingerprint, grid, precision, isCurrent}`. */
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

/** Offers what a picture may be compared with: current versions that are not the same as the one that is shown. */
export function offerOthers(select, shown) {
  const others = versions.filter(({ fingerprint, isCurrent }) => isCurrent && fingerprint !== shown?.fingerprint);
  select.replaceChildren(new Option('nothing', ''), ...others.map((version) => new Option(title(version), key(version))));
  select.disabled = others.length === 0;
}
