/** Tokens as files. */

import { Refusal } from './service.js';

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** The document that `/encode` answers, with other tokens in it. */
export function asJSON(document, tokens) {
  return new Blob([JSON.stringify({ ...document, tokens: Array.from(tokens) })], { type: 'application/json' });
}

/** A NumPy array file of format 1.0: `<i4`, shape `[tokens]`. */
export function asNumPy(tokens) {
  const text = `{'descr': '<i4', 'fortran_order': False, 'shape': (${tokens.length},), }`;
  const padded = text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11) + '\n';
  const head = new Uint8Array([...magic, 1, 0, padded.length & 255, padded.length >> 8]);
  const numbers = new DataView(new ArrayBuffer(4 * tokens.length));
  tokens.forEach((token, i) => numbers.setInt32(4 * i, token, true));
  return new Blob([head, padded, numbers], { type: 'application/x-npy' });
}

/** Whether a file holds tokens rather than a picture, by how it begins. */
export async function holdsTokens(file) {
  const start = new Uint8Array(await file.slice(0, 16).arrayBuffer());
  return magic.every((byte, i) => start[i] === byte) || /^\s*\{/.test(String.fromCharCode(...start));
}

/**
 * Reads what {@link asJSON} and {@link asNumPy} write.
 * @returns {Promise<{tokens: number[], fingerprint: string | null, grid?: object}>} null where the file does not say whose tokens they are,
 *   no grid where it does not say of what size.
 */
export async function readTokens(file) {
  const bytes = await file.arrayBuffer();
  const read = new Uint8Array(bytes)[0] === magic[0] ? fromNumPy(bytes) : fromJSON(new TextDecoder().decode(bytes));
  if (read?.tokens.every((token) => Number.isSafeInteger(token) && token >= 0)) return read;
  throw new Refusal(`${file.name || 'The file'} holds no tokens: expected the JSON that /encode answers, or a NumPy array of whole numbers.`);
}

function fromJSON(text) {
  try {
    const { tokens, fingerprint = null, grid } = JSON.parse(text);
    return Array.isArray(tokens) ? { tokens, fingerprint, grid } : null;
  } catch {
    return null;
  }
}

function fromNumPy(bytes) {
  const view = new DataView(bytes);
  const start = view.getUint8(6) === 1 ? 10 + view.getUint16(8, true) : 12 + view.getUint32(8, true);
  const head = new TextDecoder().decode(bytes.slice(8, start));
  const [, order, kind, size] = /'descr':\s*'([<>|=])([iu])([1248])'/.exec(head) ?? [];
  if (!kind) return null;
  const littleEndian = order !== '>';
  const bits = 8 * Number(size);
  const getter = `get${bits === 64 ? 'Big' : ''}${kind === 'u' ? 'Uint' : 'Int'}${bits}`;
  const read = (at) => Number(view[getter](at, littleEndian));
  const count = Math.floor((bytes.byteLength - start) / Number(size));
  return { tokens: Array.from({ length: count }, (_, i) => read(start + i * Number(size))), fingerprint: null };
}
