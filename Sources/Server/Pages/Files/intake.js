/** How files come into the page: chosen, dropped, pasted. */

import { complain } from './notice.js';

/** @param {(file: File) => void} take - called with every file that comes. */
export function receive(take) {
  const [input, frame] = [document.getElementById('file'), document.documentElement];
  input.addEventListener('change', () => {
    if (input.files[0]) take(input.files[0]);
    // The same file again is a change, too.
    input.value = '';
  });
  document.addEventListener('paste', (event) => {
    const [file] = event.clipboardData.files;
    if (file) take(file);
  });
  document.addEventListener('dragover', (event) => {
    event.preventDefault();
    frame.classList.add('dropping');
  });
  document.addEventListener('dragleave', (event) => {
    if (!event.relatedTarget) frame.classList.remove('dropping');
  });
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    frame.classList.remove('dropping');
    const [file] = event.dataTransfer.files;
    if (file) take(file);
    else complain('What was dropped is no file: a picture of another page has to be saved first.');
  });
}
