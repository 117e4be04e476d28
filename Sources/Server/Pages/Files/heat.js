/** Differences between pictures, seen. */

/** From nothing to much: dark violet, red, orange, pale yellow. */
const stops = [
  [12, 8, 38],
  [110, 24, 92],
  [204, 62, 50],
  [248, 148, 40],
  [252, 244, 176],
];
/** A difference of this many levels is the end of the scale. */
const scaleEnd = 64;

function colour(share) {
  const place = Math.min(share, 0.9999) * (stops.length - 1);
  const [stop, part] = [Math.floor(place), place % 1];
  return stops[stop].map((from, channel) => from + part * (stops[stop + 1][channel] - from));
}

const colours = Array.from({ length: scaleEnd + 1 }, (_, level) => colour(level / scaleEnd));

/** The largest difference of a pixel's three channels, 0 to 255. */
function difference(a, b, at) {
  return Math.max(Math.abs(a[at] - b[at]), Math.abs(a[at + 1] - b[at + 1]), Math.abs(a[at + 2] - b[at + 2]));
}

/** Where two pictures differ, as a heat map. */
export function errorMap(a, b) {
  const map = new ImageData(a.width, a.height);
  for (let at = 0; at < map.data.length; at += 4) {
    map.data.set(colours[Math.min(scaleEnd, difference(a.data, b.data, at))], at);
    map.data[at + 3] = 255;
  }
  return map;
}

/**
 * The smallest box outside which nothing differs by more than a tenth of the largest difference.
 * @returns {{x: number, y: number, width: number, height: number} | null} in shares of the picture's side; null where nothing differs.
 */
export function changedBox(a, b) {
  const { width, height } = a;
  let most = 0;
  for (let at = 0; at < a.data.length; at += 4) most = Math.max(most, difference(a.data, b.data, at));
  if (most === 0) return null;
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (difference(a.data, b.data, (y * width + x) * 4) * 10 <= most) continue;
      [left, right, top, bottom] = [Math.min(left, x), Math.max(right, x), Math.min(top, y), Math.max(bottom, y)];
    }
  }
  return { x: left / width, y: top / height, width: (right + 1 - left) / width, height: (bottom + 1 - top) / height };
}
