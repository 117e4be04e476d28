/** How the server is, from `/metrics`, for a person. */

import { complain, forgive } from './notice.js';
import { has, parse, quantile, since, sum, values } from './prometheus.js';
import { ask, Refusal } from './service.js';

const $ = (id) => document.getElementById(id);
const everyMilliseconds = 3000;
const stages = ['read', 'thread', 'prepare', 'queue', 'compute', 'finish'];

/** What was read in the last minute, oldest first: `{time, samples}`. */
let history = [];
/** The current version of each model as it was seen last, to notice swaps. */
let seen = null;

// One round.

async function round() {
  const answers = await Promise.allSettled([ask('models'), ask('readyz'), ask('metrics')]);
  const [models, ready, metrics] = answers.map(({ value, reason }) => value ?? reason);
  if (models instanceof Error) {
    $('verdict').textContent = 'Not reached.';
    return complain(models.message);
  }
  forgive();
  $('asked').textContent = `Asked at ${new Date().toLocaleTimeString()}.`;
  const samples = metrics instanceof Error ? null : parse(await metrics.text());
  drawVerdict(ready, samples);
  drawModels((await models.json()).models, samples);
  $('measured').hidden = $('gauges').hidden = !samples;
  if (!samples) return complain(whyNoMetrics(metrics));
  const now = performance.now();
  history = [...history.filter(({ time }) => now - time <= 60_000), { time: now, samples }];
  return drawFigures();
}

function whyNoMetrics(error) {
  const isElsewhere = error instanceof Refusal && error.status === 404;
  return isElsewhere ? 'This server has its metrics at a port of their own (--admin-port): this page is there, too, and complete.' : error.message;
}

function drawVerdict(ready, samples) {
  const isReady = !(ready instanceof Error);
  const isStuck = samples && sum(samples, 'revq_stuck') > 0;
  document.body.dataset.state = isReady && !isStuck ? 'well' : 'unwell';
  $('verdict').textContent = isReady ? 'Ready.' : ready.message;
}

// Figures.

function number(value, digits = 0) {
  if (!Number.isFinite(value)) return '–';
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function time(seconds) {
  if (!Number.isFinite(seconds)) return '–';
  return seconds < 1 ? `${number(seconds * 1000, seconds < 0.01 ? 1 : 0)} ms` : `${number(seconds, 1)} s`;
}

const bytes = (count) => `${number(count / 2 ** 20)} MiB`;

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function row(name, ...cells) {
  return element('tr', {}, element('th', { scope: 'row', textContent: name }), ...cells.map((cell) => element('td', {}, cell)));
}

function drawFigures() {
  const { samples } = history.at(-1);
  drawGauges(samples);
  const overMinute = document.querySelector('[name=window]:checked').value === 'minute';
  drawLatency(overMinute ? since(samples, history[0].samples) : samples);
  drawRefusals(samples);
}

/** What a counter grew by per second since a minute ago; NaN with nothing to compare with. */
function rate(name, wanted) {
  const [first, last] = [history[0], history.at(-1)];
  return ((sum(last.samples, name, wanted) - sum(first.samples, name, wanted)) * 1000) / (last.time - first.time);
}

const computing = ['/encode', '/decode', '/reconstruct'];

function drawGauges(samples) {
  const busy = rate('process_cpu_seconds_total');
  const perSecond = computing.reduce((total, route) => total + rate('revq_http_requests_total', { route }), 0);
  const age = Math.max(0, ...(samples.get('revq_queue_oldest_age_seconds') ?? []).map(({ value }) => value));
  const [items, batches] = [sum(samples, 'revq_batch_size_sum'), sum(samples, 'revq_batch_size_count')];
  const gauges = [
    ['In progress', number(sum(samples, 'revq_queue_depth')), age > 0 ? `the oldest waits ${time(age)}` : 'nobody waits for a batch'],
    ['Pictures a second', number(perSecond, 1), 'encode, decode, reconstruct; last minute'],
    ['Processors busy', number(busy, 2), 'last minute'],
    ['Pictures a batch', number(items / batches, 2), `${number(batches)} batches`],
    ['Connections', number(sum(samples, 'revq_http_connections')), `${number(sum(samples, 'revq_http_connections_accepted_total'))} so far`],
    ['Memory', bytes(sum(samples, 'process_resident_memory_bytes')), 'resident'],
  ];
  const drawn = gauges.map(([name, value, more]) => {
    const [term, small] = [element('dt', { textContent: name }), element('small', { textContent: more })];
    return element('div', {}, term, element('dd', {}, value, small));
  });
  $('gauges').replaceChildren(...drawn);
}

function drawLatency(samples) {
  const name = 'revq_http_request_duration_seconds';
  const routes = values(samples, `${name}_count`, 'route').filter((route) => route !== 'none');
  const order = (route) => (computing.includes(route) ? computing.indexOf(route) : 9);
  routes.sort((a, b) => order(a) - order(b) || a.localeCompare(b));
  const rows = routes.map((route) => {
    const shares = [0.5, 0.9, 0.99].map((share) => time(quantile(samples, name, { route }, share)));
    return row(route, number(sum(samples, `${name}_count`, { route })), ...shares, bar(samples, route.slice(1)));
  });
  $('latency').replaceChildren(...(rows.length ? rows : [row('No request so far.', '', '', '', '', '')]));
  $('keys').replaceChildren(...stages.map((stage) => element('span', { className: `key ${stage}`, textContent: stage })));
}

/** The mean time of each stage, as a bar. */
function bar(samples, operation) {
  const name = 'revq_stage_duration_seconds';
  const means = stages.map((stage) => sum(samples, `${name}_sum`, { operation, stage }) / sum(samples, `${name}_count`, { operation, stage }) || 0);
  const total = means.reduce((a, b) => a + b);
  if (!total) return '';
  const label = stages.map((stage, index) => `${stage} ${time(means[index])}`).join(', ');
  const whole = element('span', { className: 'bar', role: 'img', ariaLabel: label, title: label });
  stages.forEach((stage, index) => {
    const part = element('span', { className: stage });
    part.style.width = `${(100 * means[index]) / total}%`;
    whole.append(part);
  });
  return whole;
}

function drawRefusals(samples) {
  const of = (name, label, words) => (samples.get(name) ?? []).map(({ labels, value }) => [words(labels[label]), value]);
  const all = [
    ...of('revq_refused_total', 'code', (code) => code.replaceAll('_', ' ')),
    ...of('revq_cancelled_total', 'reason', (reason) => `given up: ${reason.replaceAll('_', ' ')}`),
    ...of('revq_http_connections_closed_total', 'reason', (reason) => `connection closed: ${reason.replaceAll('_', ' ')}`),
    ['log lines dropped', sum(samples, 'revq_log_lines_dropped_total')],
  ].filter(([, count]) => count > 0);
  const rows = all.sort(([, a], [, b]) => b - a).map(([why, count]) => row(why, number(count)));
  $('refusals').replaceChildren(...(rows.length ? rows : [row('Nothing.', '')]));
}

// Models.

function drawModels(models, samples) {
  const rows = models.flatMap(({ model, versions }) =>
    versions.map(({ version, labels, precision, fingerprint }) => {
      const wanted = { model, version: `${version}` };
      const health = (name, digits) => number(samples && has(samples, name, wanted) ? sum(samples, name, wanted) : NaN, digits);
      const code = element('code', { textContent: fingerprint.slice(0, 12), title: fingerprint });
      const name = labels.includes('stable') ? model : `${model}, ${labels[0] ?? 'still decoded'}`;
      const figures = [health('revq_token_use_ratio', 3), health('revq_token_perplexity'), health('revq_token_drift_bits', 2)];
      return row(name, `${version}`, precision, code, ...figures);
    }),
  );
  $('models').replaceChildren(...(rows.length ? rows : [row('No model is loaded yet.', '', '', '', '', '', '')]));
  if (samples) {
    const [loads, failures] = [sum(samples, 'revq_model_load_seconds_count'), sum(samples, 'revq_model_refused_total')];
    const took = loads ? `, in ${time(sum(samples, 'revq_model_load_seconds_sum') / loads)} each` : '';
    const isMeasured = samples.get('revq_token_use_ratio')?.length > 0;
    const waiting = isMeasured ? '' : ' Use of codes is told after as many pictures as the checkpoint’s own figure is from.';
    $('health').textContent = `${number(loads)} loaded${took}; ${number(failures)} refused.${waiting}`;
  }
  noticeSwaps(models);
}

/** The server keeps no times of its swaps, so the page does. */
function noticeSwaps(models) {
  const now = new Map(models.map(({ model, versions }) => [model, versions[0].version]));
  for (const [model, version] of now) {
    if (!seen || seen.get(model) === version) continue;
    const what = seen.has(model) ? `went from version ${seen.get(model)} to ${version}` : `came with version ${version}`;
    $('events').prepend(element('li', { textContent: `${new Date().toLocaleTimeString()}: ${model} ${what}.` }));
  }
  seen = now;
}

// Again and again, while somebody looks.

let isHeld = false;
$('hold').addEventListener('click', () => {
  isHeld = !isHeld;
  $('hold').setAttribute('aria-pressed', isHeld);
});
for (const input of document.querySelectorAll('[name=window]')) input.addEventListener('change', () => history.length && drawFigures());

async function rounds() {
  if (!isHeld && !document.hidden) await round();
  setTimeout(rounds, everyMilliseconds);
}
rounds();
