/** Takes along what the page shows: files, and lines for a shell and for Python. */

import { otherSide } from './models.js';
import { say } from './notice.js';
import { save } from './picture.js';
import { edits, state } from './session.js';
import { asJSON, asNumPy } from './tokenfile.js';

/** Puts lines that do the same on the clipboard, and below the buttons. */
export async function copy(snippet) {
  const edited = edits();
  const element = document.getElementById('snippet');
  // Beyond some dozen a file is better than a line.
  const isShort = state.source && edited.length <= 32;
  const { model, fingerprint } = state.encoded;
  const text = snippet({ source: isShort ? state.source : null, edits: isShort ? edited : [], model, side: otherSide(state.encoded), fingerprint });
  [element.textContent, element.hidden] = [text, false];
  try {
    await navigator.clipboard.writeText(text);
    say(isShort ? 'Copied.' : 'Copied. It reads tokens.json: save that beside it.');
  } catch {
    // Only pages of this machine, or behind TLS, may write to the clipboard.
    getSelection().selectAllChildren(element);
    say('This browser does not let the page copy: the text is selected below the buttons.');
  }
}

export function savePNG() {
  const name = (state.source?.name ?? 'tokens').replace(/\.\w+$/, '');
  save(state.png, `${name}-${state.encoded.tokens.length}-tokens.png`);
}

export const saveJSON = () => save(asJSON(state.encoded, state.tokens), 'tokens.json');

export const saveNumPy = () => save(asNumPy(state.tokens), 'tokens.npy');
