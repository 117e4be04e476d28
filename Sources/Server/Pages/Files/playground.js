/** The playground: one picture, its tokens, and what they make of it. */

import { bytesOfJPEG, jpegOfBytes } from './baseline.js';
import { Comparison } from './comparison.js';
import { drawFigures, nearness, number, size } from './figures.js';
import { errorMap } from './heat.js';
import { receive } from './intake.js';
import { locateAll, pick, picked, showPlaces } from './locating.js';
import * as models from './models.js';
import { complain, forgive, say } from './notice.js';
import { drawn, fileOf, square, surface } from './picture.js';
import { Places } from './places.js';
import { decibels } from './quality.js';
import { ask, base, decode, encode, patiently, pause, Refusal } from './service.js';
import { edits, isEdited, state } from './session.js';
import { curl, python } from './snippets.js';
import { copy, saveJSON, saveNumPy, savePNG } from './taking.js';
import { holdsTokens, readTokens } from './tokenfile.js';
import { TokenMap } from './tokenmap.js';

const $ = (id) => document.getElementById(id);
const comparison = new Comparison($('stage'));
const map = new TokenMap($('map'), { select: selected, open: () => $('value').select(), act: (name) => changes[name]() });

// Work: one thing at a time, and what is no longer wanted is given up.

let work = new AbortController();

async function run(task) {
  work.abort();
  work = new AbortController();
  const { signal } = work;
  forgive();
  document.body.setAttribute('aria-busy', 'true');
  try {
    await patiently(() => task(signal), (left) => say(`The server is busy. Trying again in ${left} s …`), signal);
  } catch (error) {
    if (error.name !== 'AbortError') report(error, () => run(task));
  }
  if (work.signal === signal) document.body.removeAttribute('aria-busy');
}

function report(error, again) {
  say('');
  if (!(error instanceof Refusal)) {
    console.error(error);
    return complain(`This page failed: ${error.message}`);
  }
  if (error.code === 'fingerprint_not_resident') {
    const way = state.source && { label: 'Encode the picture again', act: () => open(state.source) };
    return complain('The server has gone on to another version and no longer holds the one that these tokens belong to.', way);
  }
  return complain(error.message, error.status === 0 || error.status >= 500 ? { label: 'Try again', act: again } : undefined);
}

// Pictures and tokens come in.

/** @param {{file: Blob, name: string, address?: string}} source - `address` where it can be fetched, for those that come with the page. */
async function open(source) {
  performance.mark('opened');
  if (await holdsTokens(source.file)) return run((signal) => openTokens(source.file, signal));
  if (source.file.size === 0) return complain(`${source.name} is empty.`);
  const most = models.largestFile();
  if (source.file.size > most) return complain(`${source.name} has ${size(source.file.size)}; the server takes pictures of up to ${size(most)}.`);
  return run(async (signal) => {
    say(`Encoding ${source.name} …`);
    const started = performance.now();
    const encoded = await encode(source.file, wanted(models.chosenIn($('model'))), signal);
    const png = await decode(encoded.tokens, encoded, signal);
    const took = performance.now() - started;
    await take(source, encoded, png, signal);
    say(`${source.name} went through ${encoded.tokens.length} tokens and back in ${Math.round(took)} ms.`);
    await comparePictures(signal);
  });
}

/** What a version is to encode: a square of the side that is chosen, where it is offered for that, of its own side otherwise. */
function wanted(version) {
  const side = Number($('size').value);
  return { model: version.model, side: side !== version.grid.image_size && models.sides(version).includes(side) ? side : undefined };
}

async function openTokens(file, signal) {
  const { tokens, fingerprint, grid: stated } = await readTokens(file);
  const whose = fingerprint ?? models.chosenIn($('model')).fingerprint;
  const png = await decode(tokens, { fingerprint: whose, grid: stated }, signal);
  const { width, height } = await drawn(png);
  if (width !== height) throw new Refusal(`${file.name} holds the tokens of a picture of ${width}×${height}; this page shows squares.`, { status: 422 });
  if (!models.ofFingerprint(whose)) await models.refresh(signal);
  const { model, version, grid: own } = models.ofFingerprint(whose);
  // A file may say anything: what was drawn is what counts.
  const grid = { ...own, image_size: width, tokens: tokens.length };
  await take(null, { model, version, fingerprint: whose, grid, tokens }, png, signal);
  say(`${file.name} is drawn by ${models.title({ model, version })}${fingerprint ? '' : ', because the file does not say whose tokens it holds'}.`);
}

/** Shows what has come. The tokens' picture is there first, the original may take a moment longer. */
async function take(source, encoded, png, signal) {
  const picture = await drawn(png);
  const other = source === state.source && state.other ? { ...state.other, image: ofSide(state.other.image, picture.width) } : null;
  Object.assign(state, { source, encoded, png, picture, other, unedited: picture, original: null, jpeg: null, tokens: encoded.tokens, past: [] });
  state.places = new Places(encoded, picture);
  map.forgetPlaces();
  drawTokens();
  map.select([]);
  state.places.boxes.forEach((box, index) => map.locate(index, box));
  drawPicture();
  performance.measure('first reconstruction', 'opened');
  if (!models.ofFingerprint(encoded.fingerprint)) await models.refresh(signal);
  models.offer($('model'), encoded);
  offerSides(encoded.grid.image_size);
  models.offerOthers($('other'), encoded);
  if (source) state.original = await square(source.file, encoded.grid.image_size).catch(() => null);
  signal.throwIfAborted();
  drawPicture();
}

/** @param {number} [shown] - the side of what is shown. */
function offerSides(shown) {
  const version = models.chosenIn($('model'));
  models.offerSides($('size'), version, shown ?? version.grid.image_size);
}

/** What stands beside the picture: JPEG of as many bytes, and how many a JPEG as good would take. */
async function comparePictures(signal) {
  const { original, encoded, unedited } = state;
  if (!original) return complain('This browser cannot show the original, so there is nothing to measure against.');
  const jpeg = await jpegOfBytes(original, Math.ceil(models.bits(encoded.grid) / 8));
  const asGood = await bytesOfJPEG(original, decibels(unedited, original));
  signal.throwIfAborted();
  state.jpeg = { ...jpeg, asGood };
  return drawPicture();
}

// What is shown.

const sides = {
  original: () => state.original && { name: 'Original', image: state.original },
  unedited: () => ({ name: 'Unedited', image: state.unedited }),
  jpeg: () => state.jpeg?.image && { name: `JPEG, ${number(state.jpeg.bytes)} bytes`, image: state.jpeg.image },
  other: () => state.other && { name: state.other.name, image: state.other.image },
};

function drawPicture() {
  if (!state.picture) return;
  const radios = [...document.querySelectorAll('[name=beside]')];
  radios.forEach((radio) => (radio.disabled = !sides[radio.value]()));
  let chosen = radios.find(({ checked }) => checked);
  if (chosen.disabled) chosen = radios.find(({ value }) => value === 'unedited');
  const left = sides[chosen.value]();
  const showsErrors = $('errors').checked;
  const right = showsErrors ? errorMap(left.image, state.picture) : state.picture;
  const name = showsErrors ? 'Difference' : isEdited() ? 'Edited tokens' : 'Tokens';
  comparison.show(left.image, right, [left.name, name]);
  [$('left-name').textContent, $('right-name').textContent] = [left.name, name];
  $('scale').hidden = !showsErrors;
  drawFigures();
}

function drawTokens() {
  map.show(state.tokens, state.encoded.tokens);
  $('tagline').textContent = `A picture, as ${number(state.tokens.length)} numbers.`;
  const has = { undo: state.past.length > 0, reset: isEdited(), swap: map.selection.size === 2, scatter: true };
  for (const button of document.querySelectorAll('[data-edit]')) button.disabled = !(has[button.dataset.edit] ?? map.selection.size > 0);
}

/** The selection has changed. */
function selected() {
  if (!state.encoded) return;
  const chosen = [...map.selection];
  const field = $('value');
  field.disabled = chosen.length === 0;
  field.max = state.encoded.grid.codebook_size - 1;
  field.value = chosen.length === 1 ? state.tokens[chosen[0]] : '';
  drawTokens();
  const names = ['No token is selected.', `Token ${chosen[0]}: ${state.tokens[chosen[0]]}.`];
  $('selected').textContent = names[chosen.length] ?? `${chosen.length} tokens are selected.`;
  showPlaces(map, chosen);
}

// Edits.

const random = () => Math.floor(Math.random() * state.encoded.grid.codebook_size);

const changes = {
  randomise: () => change([...map.selection], random),
  erase: async () => {
    const chosen = [...map.selection];
    if (!chosen.length) return;
    const grey = await greyTokens();
    if (grey) change(chosen, (index) => grey[index]);
  },
  swap: () => {
    const [a, b] = map.selection;
    if (map.selection.size === 2) change([a, b], (index) => state.tokens[index === a ? b : a]);
  },
  scatter: () => {
    const share = Number($('share').value) / 100;
    change([...state.tokens.keys()].filter(() => Math.random() < share), random);
  },
  undo: () => state.past.length && show(state.past.pop()),
  reset: () => change([...state.tokens.keys()], (index) => state.encoded.tokens[index]),
};

function change(indices, value) {
  if (!indices.length) return;
  const tokens = [...state.tokens];
  for (const index of indices) tokens[index] = value(index);
  if (tokens.every((token, index) => token === state.tokens[index])) return;
  state.past.push(state.tokens);
  show(tokens);
}

/** Shows other tokens at once, and their picture as soon as no more come. */
function show(tokens) {
  state.tokens = tokens;
  drawTokens();
  if (map.selection.size === 1) $('value').value = tokens[[...map.selection][0]];
  return run(async (signal) => {
    await pause(60, signal);
    const started = performance.now();
    state.png = await decode(tokens, state.encoded, signal);
    state.picture = await drawn(state.png);
    signal.throwIfAborted();
    drawPicture();
    const count = edits().length;
    const what = ['As encoded', '1 token is changed'][count] ?? `${count} tokens are changed`;
    say(`${what}; drawn in ${Math.round(performance.now() - started)} ms.`);
  });
}

const greys = new Map();

/** The tokens of a plain grey picture; null where that cannot be had. */
async function greyTokens() {
  const { model, fingerprint, grid } = state.encoded;
  const key = (document) => `${document.fingerprint} ${document.grid.image_size}`;
  if (!greys.has(key(state.encoded))) {
    const context = surface(16, 16);
    context.fillStyle = '#808080';
    context.fillRect(0, 0, 16, 16);
    await run(async (signal) => {
      const side = models.otherSide({ fingerprint, grid });
      const grey = await encode(fileOf(context, 'image/png'), { model, side }, signal);
      greys.set(key(grey), grey.tokens);
      if (grey.fingerprint !== fingerprint) throw new Refusal('The server has gone on to another version.', { code: 'fingerprint_not_resident' });
    });
  }
  return greys.get(key({ fingerprint, grid })) ?? null;
}

// Comparing.

function keep() {
  const { encoded, picture, original } = state;
  if (!picture) return;
  const name = `${models.title(encoded)}${isEdited() ? ', edited' : ''}`;
  standBeside(name, picture, original, encoded);
}

async function compare() {
  const version = models.chosenIn($('other'));
  if (!version || !state.source) {
    state.other = null;
    return drawPicture();
  }
  return run(async (signal) => {
    const encoded = await encode(state.source.file, wanted(version), signal);
    const image = await drawn(await decode(encoded.tokens, encoded, signal));
    standBeside(models.title(encoded), image, await square(state.source.file, image.width), encoded);
  });
}

function standBeside(name, image, original, encoded) {
  const bytes = Math.ceil(models.bits(encoded.grid) / 8);
  state.other = { name, bytes, image: ofSide(image, state.picture.width), figures: nearness(image, original) };
  document.querySelector('[name=beside][value=other]').checked = true;
  drawPicture();
}

function ofSide(image, side) {
  if (image.width === side) return image;
  const [whole, result] = [surface(image.width, image.height), surface(side, side)];
  whole.putImageData(image, 0, 0);
  result.drawImage(whole.canvas, 0, 0, side, side);
  return result.getImageData(0, 0, side, side);
}

// What can be pressed.

const actions = {
  keep,
  locate: () => locateAll(map, report),
  pick: () => pick(map, report),
  'save-png': savePNG,
  'save-json': saveJSON,
  'save-npy': saveNumPy,
  'copy-curl': () => copy(curl),
  'copy-python': () => copy(python),
};

function listen() {
  for (const [id, act] of Object.entries(actions)) $(id).addEventListener('click', () => state.encoded && act());
  for (const button of document.querySelectorAll('[data-edit]')) button.addEventListener('click', () => changes[button.dataset.edit]());
  for (const button of document.querySelectorAll('[data-example]')) button.addEventListener('click', () => openExample(button.dataset.example));
  for (const input of document.querySelectorAll('[name=beside], #errors')) input.addEventListener('change', drawPicture);
  $('share').addEventListener('input', () => ($('share-text').textContent = `${$('share').value} %`));
  $('value').addEventListener('change', typed);
  for (const id of ['model', 'size']) $(id).addEventListener('change', () => state.source && open(state.source));
  $('other').addEventListener('change', compare);
  $('stage').addEventListener('click', (event) => picked(map, event));
  receive((file) => open({ file, name: file.name || 'The pasted picture' }));
}

function typed() {
  const [value, most] = [Number($('value').value), state.encoded.grid.codebook_size - 1];
  const isToken = $('value').value !== '' && Number.isInteger(value) && value >= 0 && value <= most;
  if (!isToken) return complain(`A token is a whole number from 0 to ${number(most)}.`);
  return change([...map.selection], () => value);
}

function openExample(picture) {
  const address = new URL(`pages/${picture}.jpg`, base).href;
  return run(async (signal) => {
    const file = await (await ask(`pages/${picture}.jpg`, { signal })).blob();
    open({ file, name: `${picture}.jpg`, address });
  });
}

listen();
run(async (signal) => {
  await models.refresh(signal);
  models.offer($('model'));
  offerSides();
  openExample('rocket');
});
