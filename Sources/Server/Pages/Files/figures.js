/** The table of figures: what tokens cost, how near they come, and what JPEG would do. */

import { bits as bitsOf, title } from './models.js';
import { decibels, similarity } from './quality.js';
import { isEdited, state } from './session.js';

/** A number as people write it. */
export const number = (value, digits = 0) => value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
/** Bytes of a file. */
export const size = (bytes) => (bytes < 1e6 ? `${number(bytes / 1e3)} kB` : `${number(bytes / 1e6, 1)} MB`);

/** PSNR and SSIM of a picture, as text; dashes where there is nothing to measure against. */
export function nearness(image, original) {
  if (!image || !original) return ['–', '–'];
  return [number(decibels(image, original), 2), number(similarity(image, original), 3)];
}

/** Fills the table. */
export function drawFigures() {
  const { encoded, original, picture, jpeg, other, source } = state;
  const bits = bitsOf(encoded.grid);
  const measured = (image) => nearness(image, original);
  const rows = [[isEdited() ? 'These tokens, edited' : 'These tokens', number(Math.ceil(bits / 8)), ...measured(picture)]];
  if (isEdited()) rows.push(['Before the edits', number(Math.ceil(bits / 8)), ...measured(state.unedited)]);
  if (other) rows.push([other.name, number(other.bytes), ...other.figures]);
  if (jpeg?.image) rows.push(['JPEG of as many bytes', number(jpeg.bytes), ...measured(jpeg.image)]);
  if (jpeg) rows.push(['JPEG of equal PSNR', number(jpeg.asGood), measured(state.unedited)[0], '']);
  document.getElementById('rows').replaceChildren(...rows.map(row));
  const parts = [`${number(encoded.grid.tokens)} tokens × ${bits / encoded.grid.tokens} bits = ${number(bits)} bits, by ${title(encoded)}.`];
  if (source) parts.push(`The file has ${number(source.file.size)} bytes.`);
  if (jpeg?.image) parts.push(`So few bytes are a JPEG of ${jpeg.side}×${jpeg.side} pixels at quality ${jpeg.quality}, enlarged.`);
  document.getElementById('bits').textContent = parts.join(' ');
}

function row([name, ...cells]) {
  const line = document.createElement('tr');
  const head = Object.assign(document.createElement('th'), { scope: 'row', textContent: name });
  line.append(head, ...cells.map((text) => Object.assign(document.createElement('td'), { textContent: text })));
  return line;
}
