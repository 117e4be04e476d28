/** How near one picture is to another. */

/** Peak signal-to-noise ratio over red, green and blue, in dB; Infinity where both are equal. */
export function decibels(a, b) {
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) {
    if (i % 4 !== 3) sum += (a.data[i] - b.data[i]) ** 2;
  }
  return 10 * Math.log10(255 ** 2 / (sum / ((a.data.length / 4) * 3)));
}

const window = 11;
const weights = Array.from({ length: window }, (_, i) => Math.exp(-0.5 * ((i - 5) / 1.5) ** 2));
const total = weights.reduce((a, b) => a + b);
const gaussian = weights.map((weight) => weight / total);

/** The mean structural similarity of brightness (Wang et al. 2004: 11×11 Gaussian of deviation 1.5), at most 1. */
export function similarity(a, b) {
  const { width } = a;
  const [x, y] = [brightness(a), brightness(b)];
  const times = (p, q) => blurred(p.map((value, i) => value * q[i]), width);
  const [meanX, meanY, squareX, squareY, product] = [blurred(x, width), blurred(y, width), times(x, x), times(y, y), times(x, y)];
  const [c1, c2] = [(0.01 * 255) ** 2, (0.03 * 255) ** 2];
  let sum = 0;
  for (let i = 0; i < meanX.length; i++) {
    const both = meanX[i] * meanY[i];
    const squares = meanX[i] ** 2 + meanY[i] ** 2;
    sum += ((2 * both + c1) * (2 * (product[i] - both) + c2)) / ((squares + c1) * (squareX[i] + squareY[i] - squares + c2));
  }
  return sum / meanX.length;
}

function brightness({ data }) {
  return Float64Array.from({ length: data.length / 4 }, (_, i) => 0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2]);
}

/** Means by the window wherever it fits: along rows, then along columns. */
function blurred(values, width) {
  const height = values.length / width;
  const narrow = width - window + 1;
  const rows = new Float64Array(height * narrow);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < narrow; x++) {
      let sum = 0;
      for (let tap = 0; tap < window; tap++) sum += gaussian[tap] * values[y * width + x + tap];
      rows[y * narrow + x] = sum;
    }
  }
  const result = new Float64Array((height - window + 1) * narrow);
  for (let tap = 0; tap < window; tap++) {
    for (let i = 0; i < result.length; i++) result[i] += gaussian[tap] * rows[i + tap * narrow];
  }
  return result;
}
