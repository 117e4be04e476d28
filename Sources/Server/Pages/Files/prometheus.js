/** Prometheus' text format, read. */

/**
 * @param {string} text - what `/metrics` answers.
 * @returns {Map<string, {labels: Object<string, string>, value: number}[]>} the samples of each name.
 */
export function parse(text) {
  const samples = new Map();
  for (const [, name, labels, value] of text.matchAll(/^(\w+)(?:\{(.*)\})? (\S+)$/gm)) {
    if (!samples.has(name)) samples.set(name, []);
    const pairs = [...(labels ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, word]) => [key, word.replace(/\\(.)/g, '$1')]);
    samples.get(name).push({ labels: Object.fromEntries(pairs), value: value === '+Inf' ? Infinity : Number(value) });
  }
  return samples;
}

const matches = (labels, wanted) => Object.entries(wanted).every(([key, value]) => labels[key] === value);

/** The sum over all samples of a name that have these labels. */
export function sum(samples, name, wanted = {}) {
  return (samples.get(name) ?? []).filter(({ labels }) => matches(labels, wanted)).reduce((total, { value }) => total + value, 0);
}

/** Whether there is a sample of a name with these labels. */
export function has(samples, name, wanted) {
  return (samples.get(name) ?? []).some(({ labels }) => matches(labels, wanted));
}

/** The values of a label, each once. */
export function values(samples, name, label) {
  return [...new Set((samples.get(name) ?? []).map(({ labels }) => labels[label]))];
}

/** Since `before`: all counters less what they were. Gauges make no sense in it. */
export function since(samples, before) {
  const earlier = (name, labels) => sum(before, name, labels);
  return new Map([...samples].map(([name, list]) => [name, list.map(({ labels, value }) => ({ labels, value: value - earlier(name, labels) }))]));
}

/**
 * The value below which a share of a histogram's observations lies, taken to be spread evenly within a bucket.
 * @returns {number} NaN where there are none.
 */
export function quantile(samples, name, wanted, share) {
  const buckets = new Map();
  for (const { labels, value } of samples.get(`${name}_bucket`) ?? []) {
    const end = labels.le === '+Inf' ? Infinity : Number(labels.le);
    if (matches(labels, wanted)) buckets.set(end, (buckets.get(end) ?? 0) + value);
  }
  const ends = [...buckets.keys()].sort((a, b) => a - b);
  const rank = share * (buckets.get(Infinity) ?? 0);
  if (!rank) return NaN;
  const place = ends.findIndex((end) => buckets.get(end) >= rank);
  const [low, below] = place > 0 ? [ends[place - 1], buckets.get(ends[place - 1])] : [0, 0];
  return ends[place] === Infinity ? low : low + ((ends[place] - low) * (rank - below)) / (buckets.get(ends[place]) - below);
}
