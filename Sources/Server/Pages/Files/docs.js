/** Sends what the reference's forms ask for, and shows what comes back. */

import { ask, base, encode } from './service.js';

async function cat() {
  return (await ask('pages/cat.jpg')).blob();
}

/** The request of a form: its address, and what `fetch` takes. */
async function request(section, form) {
  const fields = new FormData(form);
  const query = new URLSearchParams();
  for (const [name, value] of fields) if (name.startsWith('query-') && value) query.set(name.slice(6), value);
  const address = new URL(section.dataset.path.slice(1), base);
  address.search = query;
  const options = { method: section.dataset.method, headers: {}, cache: 'no-store' };
  if (fields.has('accept')) options.headers.Accept = fields.get('accept');
  if (fields.has('body')) Object.assign(options.headers, { 'Content-Type': 'application/json' });
  if (fields.has('file')) options.body = fields.get('file').size ? fields.get('file') : await cat();
  else if (fields.has('body')) options.body = fields.get('body');
  return [address, options];
}

const element = (name, properties, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};

/** Text of at most some thousand characters. */
const shortened = (text) => (text.length > 4000 ? `${text.slice(0, 4000)} …` : text);

async function body(response) {
  const type = response.headers.get('Content-Type') ?? '';
  if (type.startsWith('image/')) {
    const address = URL.createObjectURL(await response.blob());
    return element('img', { src: address, alt: 'The picture that came back' });
  }
  // Numbers of a list stand in one line.
  const written = (document) => JSON.stringify(document, null, 1).replace(/\n\s+(?=-?\d)/g, ' ');
  if (type.includes('json')) return element('pre', { tabIndex: 0 }, shortened(written(await response.json())));
  if (/^text\/(plain|html)|yaml/.test(type)) return element('pre', { tabIndex: 0 }, shortened(await response.text()));
  return element('p', {}, `${(await response.arrayBuffer()).byteLength.toLocaleString('en')} bytes of ${type}`);
}

async function send(event) {
  event.preventDefault();
  const form = event.target;
  const outcome = form.querySelector('.outcome');
  const [address, options] = await request(form.closest('.operation'), form);
  const started = performance.now();
  try {
    const response = await fetch(address, options);
    const shown = await body(response);
    const took = Math.round(performance.now() - started);
    const headers = [...response.headers].map(([name, value]) => `${name}: ${value}`).join('\n');
    const summary = element('summary', {}, `${response.status} ${response.statusText}, ${took} ms`);
    outcome.replaceChildren(element('details', {}, summary, element('pre', { tabIndex: 0 }, headers)), shown);
  } catch {
    outcome.replaceChildren(element('p', { className: 'trouble' }, `The server at ${base.host} does not answer. Is it running?`));
  }
}

/** Puts tokens that can be decoded into a form. */
async function fill(form) {
  try {
    const { fingerprint, tokens } = await encode(await cat(), { model: form.elements['query-model'].value || 'default' });
    form.elements.body.value = JSON.stringify({ fingerprint, tokens });
  } catch (error) {
    form.querySelector('.outcome').replaceChildren(element('p', { className: 'trouble' }, error.message));
  }
}

for (const form of document.querySelectorAll('.attempt')) {
  form.addEventListener('submit', send);
  form.querySelector('.fill')?.addEventListener('click', () => fill(form));
}
