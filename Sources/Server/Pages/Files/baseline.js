/** JPEG of the same bytes, and of the same error, made by this browser. */

import { drawn, fileOf, surface } from './picture.js';
import { decibels } from './quality.js';

const sides = [1, 3 / 4, 1 / 2, 3 / 8, 1 / 4, 3 / 16, 1 / 8];

const jpeg = (context, quality) => fileOf(context, 'image/jpeg', quality / 100);

/** The best quality, 1 to 100, whose file passes `fits`; null where none does. Better files are larger. */
async function best(context, fits) {
  let [low, high, found] = [0, 100, null];
  while (low <= high) {
    const quality = (low + high) >> 1;
    const made = jpeg(context, quality);
    if (await fits(made)) [low, found] = [quality + 1, { file: made, quality }];
    else high = quality - 1;
  }
  return found;
}

function resized(context, side) {
  const { canvas } = context;
  const smaller = surface(side, side);
  smaller.imageSmoothingQuality = 'high';
  smaller.drawImage(canvas, 0, 0, side, side);
  return smaller;
}

/**
 * The JPEG of at most `bytes` that comes nearest to a picture. Some hundred bytes are too few for all its pixels: it may be made of fewer,
 * and enlarged again.
 * @returns {Promise<{image: ImageData, bytes: number, side: number, quality: number} | null>} null where not even the smallest fits.
 */
export async function jpegOfBytes(image, bytes) {
  const whole = surface(image.width, image.height);
  whole.putImageData(image, 0, 0);
  let nearest = null;
  for (const side of sides.map((part) => Math.round(part * image.width))) {
    const smaller = resized(whole, side);
    const found = await best(smaller, ({ size }) => size <= bytes);
    if (!found) continue;
    smaller.putImageData(await drawn(found.file), 0, 0);
    const enlarged = resized(smaller, image.width).getImageData(0, 0, image.width, image.height);
    const candidate = { image: enlarged, bytes: found.file.size, side, quality: found.quality, decibels: decibels(enlarged, image) };
    if (!nearest || candidate.decibels > nearest.decibels) nearest = candidate;
  }
  return nearest;
}

/** How many bytes a JPEG needs to come as near to a picture as `target` decibels; null where none does. */
export async function bytesOfJPEG(image, target) {
  const whole = surface(image.width, image.height);
  whole.putImageData(image, 0, 0);
  const short = await best(whole, async (made) => decibels(await drawn(made), image) < target);
  return jpeg(whole, Math.min(100, (short?.quality ?? -1) + 1)).size;
}
