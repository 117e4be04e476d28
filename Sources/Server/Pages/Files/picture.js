/** Pictures as pixels, made square as the server does it. */

/** Beyond this a browser may have no room for a picture's pixels; it is then made smaller by the browser first. */
const mostPixels = 16e6;

/**
 * All pixels of a picture file, upright, without its colour profile, over white: as the server reads it.
 * @param {number} [size] - what its shorter side will become, so that a huge picture can be made smaller at once.
 */
async function pixels(file, size) {
  let bitmap = await createImageBitmap(file, { colorSpaceConversion: 'none' });
  if (size && bitmap.width * bitmap.height > mostPixels) {
    const scale = (4 * size) / Math.min(bitmap.width, bitmap.height);
    const [resizeWidth, resizeHeight] = [Math.round(bitmap.width * scale), Math.round(bitmap.height * scale)];
    bitmap = await createImageBitmap(bitmap, { resizeWidth, resizeHeight, resizeQuality: 'high' });
  }
  const context = surface(bitmap.width, bitmap.height);
  context.fillStyle = '#fff';
  context.fillRect(0, 0, bitmap.width, bitmap.height);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return context.getImageData(0, 0, context.canvas.width, context.canvas.height);
}

/** A canvas of its own, read often. */
export function surface(width, height) {
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width, height });
  return canvas.getContext('2d', { willReadFrequently: true });
}

/** What a PNG of the server shows. */
export function drawn(file) {
  return pixels(file);
}

/**
 * The square of a picture that the model sees: the shorter side becomes `size` (antialiased bilinear, as Pillow has it), the centre is kept.
 * @returns {Promise<ImageData>}
 */
export async function square(file, size) {
  const source = await pixels(file, size);
  if (source.width === size && source.height === size) return source;
  const shorter = Math.min(source.width, source.height);
  const across = taps(source.width, Math.floor((size * source.width) / shorter), size);
  const down = taps(source.height, Math.floor((size * source.height) / shorter), size);
  const rows = resampled(source.data, source.height, source.width * 4, 4, across, size);
  const columns = resampled(rows, size, 4, size * 4, down, size);
  return new ImageData(transposed(columns, size), size, size);
}

/** For each of the kept pixels along one side: which source pixels it is made of, and their weights. */
function taps(count, resized, size) {
  const scale = count / resized;
  const reach = Math.max(scale, 1);
  const margin = resized - size;
  const start = Math.floor(margin / 2) + (margin % 4 === 3 ? 1 : 0);
  return Array.from({ length: size }, (_, index) => {
    const centre = (start + index + 0.5) * scale;
    const first = Math.max(0, Math.floor(centre - reach + 0.5));
    const last = Math.min(count, Math.floor(centre + reach + 0.5));
    const weights = Array.from({ length: last - first }, (_, tap) => Math.max(0, 1 - Math.abs(first + tap + 0.5 - centre) / reach));
    const sum = weights.reduce((a, b) => a + b);
    return { first, weights: weights.map((weight) => weight / sum) };
  });
}

/** Resamples every line of pixels. A line starts `lineStride` after the one before, its pixels are `pixelStride` apart. */
function resampled(data, lines, lineStride, pixelStride, sides, size) {
  const result = new Uint8ClampedArray(lines * size * 4);
  for (let line = 0; line < lines; line++) {
    for (let index = 0; index < size; index++) {
      const { first, weights } = sides[index];
      let [red, green, blue] = [0, 0, 0];
      for (let tap = 0, from = line * lineStride + first * pixelStride; tap < weights.length; tap++, from += pixelStride) {
        red += weights[tap] * data[from];
        green += weights[tap] * data[from + 1];
        blue += weights[tap] * data[from + 2];
      }
      const to = (line * size + index) * 4;
      result[to] = red;
      result[to + 1] = green;
      result[to + 2] = blue;
      result[to + 3] = 255;
    }
  }
  return result;
}

/** Rows for columns. */
function transposed(data, size) {
  const [from, to] = [new Uint32Array(data.buffer), new Uint32Array(size * size)];
  for (let y = 0; y < size; y++) for (let x = 0; x < size; x++) to[y * size + x] = from[x * size + y];
  return new Uint8ClampedArray(to.buffer);
}

/** A canvas as a file, made at once: `toBlob` waits for a browser that has nothing else to do, each time. */
export function fileOf({ canvas }, type, quality) {
  const bytes = Uint8Array.from(atob(canvas.toDataURL(type, quality).split(',')[1]), (letter) => letter.charCodeAt(0));
  return new Blob([bytes], { type });
}

/** Fills a canvas with pixels. */
export function show(canvas, image) {
  Object.assign(canvas, { width: image.width, height: image.height });
  canvas.getContext('2d').putImageData(image, 0, 0);
}

/** Has the browser save a file. */
export function save(blob, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
