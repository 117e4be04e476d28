/** Shows where in the picture tokens act. */

import { state } from './session.js';
import { patiently, pause, Refusal } from './service.js';

const $ = (id) => document.getElementById(id);

let looking = new AbortController();

/** Frames what the selected tokens change. One whose place is not known is tried out, once the keys rest. */
export async function showPlaces(map, chosen) {
  looking.abort();
  looking = new AbortController();
  const { signal } = looking;
  try {
    if (chosen.length === 1 && !state.places.boxes.has(chosen[0])) {
      await pause(150, signal);
      map.locate(chosen[0], await state.places.of(chosen[0], signal));
      state.places.keep();
    }
    frame(chosen.map((index) => state.places.boxes.get(index)).filter(Boolean), chosen.length);
  } catch (error) {
    // It is only a frame: what is wrong with the server is said where a picture is wanted.
    if (error.name !== 'AbortError' && !(error instanceof Refusal)) throw error;
    frame([], chosen.length);
  }
}

function frame(boxes, count) {
  const mark = $('place');
  mark.hidden = boxes.length === 0;
  if (!boxes.length) return;
  const [left, top] = [Math.min(...boxes.map(({ x }) => x)), Math.min(...boxes.map(({ y }) => y))];
  const width = Math.max(...boxes.map((box) => box.x + box.width)) - left;
  const height = Math.max(...boxes.map((box) => box.y + box.height)) - top;
  for (const [name, value] of Object.entries({ left, top, width, height })) mark.style[name] = `${100 * value}%`;
  if (count !== 1) return;
  const pixels = (share) => Math.round(share * state.encoded.grid.image_size);
  const [extent, place] = [`${pixels(width)}×${pixels(height)} pixels`, `${pixels(left)} from the left and ${pixels(top)} from the top`];
  $('selected').textContent += ` It acts on ${extent}, ${place}.`;
}

let locating = null;

/**
 * Tries every token out, four at a time; called again, it gives up.
 * @param {(error: Error, again: () => void) => void} report
 */
export async function locateAll(map, report) {
  if (locating) return locating.abort();
  locating = new AbortController();
  const { signal } = locating;
  const [button, found] = [$('locate'), state.places];
  button.setAttribute('aria-pressed', 'true');
  const left = [...found.document.tokens.keys()];
  const worker = async () => {
    while (left.length && found === state.places) {
      const index = left.shift();
      const box = await patiently(() => found.of(index, signal), () => {}, signal);
      if (found === state.places) map.locate(index, box);
      button.textContent = `${found.boxes.size} of ${found.document.tokens.length} …`;
    }
  };
  try {
    await Promise.all(Array.from({ length: 4 }, worker));
  } catch (error) {
    if (error.name !== 'AbortError') report(error, () => locateAll(map, report));
    locating.abort();
  }
  locating = null;
  found.keep();
  button.textContent = 'Find all places';
  button.setAttribute('aria-pressed', 'false');
}

/** Has a click in the picture select the tokens that act there, or no longer. */
export async function pick(map, report) {
  const isOn = $('pick').getAttribute('aria-pressed') !== 'true';
  $('pick').setAttribute('aria-pressed', isOn);
  $('stage').classList.toggle('picking', isOn);
  if (isOn && !state.places.isComplete) await locateAll(map, report);
}

/** Somebody has clicked into the picture. */
export function picked(map, event) {
  if (!$('stage').classList.contains('picking')) return;
  const { left, top, width, height } = $('stage').getBoundingClientRect();
  map.select(state.places.at((event.clientX - left) / width, (event.clientY - top) / height));
}
