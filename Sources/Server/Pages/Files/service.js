/** The HTTP interface as the pages use it. Everything that can go wrong becomes one sentence. */

/** Where the service is: beside the page, whatever a proxy calls it. */
export const base = new URL('.', document.baseURI);

/** Why there is no answer, in a sentence for people. */
export class Refusal extends Error {
  /** @param {{status?: number, code?: string, retryAfter?: number}} more - `retryAfter` in seconds; 0 where trying again is no use. */
  constructor(sentence, { status = 0, code = '', retryAfter = 0 } = {}) {
    super(sentence);
    Object.assign(this, { status, code, retryAfter });
  }
}

/**
 * Sends one request.
 * @returns {Promise<Response>} an answer of 200.
 * @throws {Refusal} for everything else; what was aborted throws as `fetch` does.
 */
export async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(new URL(path, base), { cache: 'no-store', ...options });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Refusal(`The server at ${base.host} does not answer. Is it running?`);
  }
  if (response.ok) return response;
  throw await refusal(response);
}

async function refusal(response) {
  const { status } = response;
  const retryAfter = Number(response.headers.get('Retry-After')) || 0;
  const text = await response.text();
  try {
    const problem = JSON.parse(text);
    if (problem.code && problem.title) {
      const detail = problem.detail ? `: ${problem.detail}` : '';
      return new Refusal(`${problem.title}${detail}.`, { status, code: problem.code, retryAfter });
    }
  } catch {
    // Not one of this service's answers: said below.
  }
  const sentence = `Something in front of the server answered ${status} with a page of its own; the server itself was not reached.`;
  return new Refusal(sentence, { status, retryAfter });
}

/** Reads JSON that has `key`, or says that whoever answered is no revq server. */
async function json(response, key) {
  const text = await response.text();
  try {
    const document = JSON.parse(text);
    if (document[key] !== undefined) return document;
  } catch {
    // Said below.
  }
  throw new Refusal(`What answers at ${base.host} is no revq server.`);
}

/** What `/info` says: models, limits, formats. */
export async function info(signal) {
  return json(await ask('info', { signal }), 'models');
}

/**
 * A picture's tokens, as `/encode` documents them.
 * @param {number} [side] - of the square that is encoded, in pixels; the model's own where there is none.
 */
export async function encode(picture, { model, side }, signal) {
  const query = `?model=${encodeURIComponent(model)}${side ? `&size=${side}` : ''}`;
  return json(await ask(`encode${query}`, { method: 'POST', body: picture, signal }), 'tokens');
}

/**
 * The PNG that tokens stand for.
 * @param {object} [grid] - as `/encode` answered it; that of the model's own size where there is none.
 */
export async function decode(tokens, { fingerprint, grid }, signal) {
  const body = JSON.stringify({ fingerprint, grid, tokens: Array.from(tokens) });
  const headers = { 'Content-Type': 'application/json', Accept: 'image/png' };
  const response = await ask('decode', { method: 'POST', body, headers, signal });
  const picture = await response.blob();
  if (picture.type !== 'image/png') throw new Refusal(`What answers at ${base.host} is no revq server.`);
  return picture;
}

/**
 * Does `task`, again and again while the server is busy, after as many seconds as it asks for.
 * @param {(seconds: number) => void} onWait - called every second of a wait, with what is left of it.
 */
export async function patiently(task, onWait, signal) {
  for (;;) {
    try {
      return await task();
    } catch (error) {
      const isBusy = error instanceof Refusal && (error.status === 429 || error.status === 503) && error.retryAfter > 0;
      if (!isBusy) throw error;
      for (let left = error.retryAfter; left > 0; left--) {
        onWait(left);
        await pause(1000, signal);
      }
    }
  }
}

/** Resolves after some milliseconds, or throws as `fetch` does when it is aborted. */
export function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(new DOMException('aborted', 'AbortError'));
    });
  });
}
