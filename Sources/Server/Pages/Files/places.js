/** Where in the picture each token acts, found out by changing it: that needs no knowledge of the model. */

import { changedBox } from './heat.js';
import { drawn } from './picture.js';
import { decode } from './service.js';

const key = ({ fingerprint, grid }) => `revq places ${fingerprint} ${grid.image_size}`;

export class Places {
  /** @param {{fingerprint: string, grid: object, tokens: number[]}} document @param {ImageData} picture - what these tokens show. */
  constructor(document, picture) {
    Object.assign(this, { document, picture, boxes: remembered(document) });
  }

  get isComplete() {
    return this.boxes.size === this.document.tokens.length;
  }

  /**
   * The box of one token, in shares of the picture's side. It is much the same for every picture.
   * @returns {Promise<{x: number, y: number, width: number, height: number}>}
   */
  async of(index, signal) {
    if (!this.boxes.has(index)) {
      const { tokens, grid } = this.document;
      const codes = grid.codebook_size;
      const others = tokens.with(index, (tokens[index] + Math.max(1, codes >> 1)) % codes);
      const box = changedBox(this.picture, await drawn(await decode(others, this.document, signal)));
      this.boxes.set(index, box ?? { x: 0, y: 0, width: 0, height: 0 });
    }
    return this.boxes.get(index);
  }

  /** Keeps what is known for the next visit. */
  keep() {
    try {
      localStorage.setItem(key(this.document), JSON.stringify([...this.boxes]));
    } catch {
      // A browser may forbid it: they are found out again.
    }
  }

  /** The tokens that act at a point. */
  at(x, y) {
    const covers = (box) => x >= box.x && x < box.x + box.width && y >= box.y && y < box.y + box.height;
    return [...this.boxes].filter(([, box]) => covers(box)).map(([index]) => index).sort((a, b) => a - b);
  }
}

function remembered(document) {
  try {
    return new Map(JSON.parse(localStorage.getItem(key(document))) ?? []);
  } catch {
    // As for keeping them.
    return new Map();
  }
}
