/** Two pictures in one frame, and a divider between them. */

import { show } from './picture.js';

export class Comparison {
  /** @param {HTMLElement} frame - holds the canvases `.left`, `.right` and a range input. */
  constructor(frame) {
    this.frame = frame;
    [this.left, this.right] = [frame.querySelector('.left'), frame.querySelector('.right')];
    this.divider = frame.querySelector('input');
    this.divider.addEventListener('input', () => this.#divide());
    this.#divide();
  }

  /** @param {ImageData} left @param {ImageData} right */
  show(left, right, names) {
    show(this.left, left);
    show(this.right, right);
    this.names = names;
    this.left.setAttribute('aria-label', names[0]);
    this.right.setAttribute('aria-label', names[1]);
    this.#divide();
  }

  #divide() {
    const percent = Number(this.divider.value);
    this.frame.style.setProperty('--split', `${percent}%`);
    const [left, right] = this.names ?? ['left', 'right'];
    this.divider.setAttribute('aria-valuetext', `${percent} % ${left}, ${100 - percent} % ${right}`);
  }
}
