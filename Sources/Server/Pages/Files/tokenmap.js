/** All tokens of a picture as a list that is laid out as a map: cells show values, and where in the picture they act once that is known. */

/** Values that lie side by side mean nothing alike, so their colours are far apart. */
const hue = (value) => (value * 137.508) % 360;

export class TokenMap {
  #cells = [];
  #current = 0;
  #anchor = 0;

  /**
   * @param {HTMLElement} element - a multiselectable listbox.
   * @param {{select: () => void, open: () => void, act: (name: string) => void}} told - `select` when the selection has changed, `open` when
   *   a value is to be typed, `act` for the keys of `erase` and `randomise`.
   */
  constructor(element, told) {
    Object.assign(this, { element, told, selection: new Set() });
    element.addEventListener('click', (event) => this.#clicked(event));
    element.addEventListener('keydown', (event) => this.#pressed(event));
  }

  /** @param {number[]} tokens @param {number[]} original - those that differ from it are marked. */
  show(tokens, original) {
    if (this.#cells.length !== tokens.length) this.#build(tokens.length);
    tokens.forEach((value, index) => {
      const cell = this.#cells[index];
      const isChanged = value !== original[index];
      if (cell.value === value && cell.isChanged === isChanged) return;
      Object.assign(cell, { value, isChanged });
      cell.firstChild.data = value;
      cell.style.setProperty('--hue', hue(value));
      cell.classList.toggle('changed', isChanged);
      cell.setAttribute('aria-label', `Token ${index}, value ${value}${isChanged ? ', changed' : ''}`);
    });
  }

  #build(count) {
    this.#cells = Array.from({ length: count }, (_, index) => {
      const cell = document.createElement('div');
      cell.setAttribute('role', 'option');
      cell.setAttribute('aria-selected', 'false');
      cell.tabIndex = index === 0 ? 0 : -1;
      cell.dataset.index = index;
      const spot = Object.assign(document.createElement('span'), { className: 'spot' });
      spot.append(document.createElement('i'));
      cell.append('', spot);
      return cell;
    });
    this.element.replaceChildren(...this.#cells);
    [this.#current, this.#anchor] = [0, 0];
    this.selection.clear();
  }

  /** Draws a token's place, in shares of the picture's side, into its cell. */
  locate(index, box) {
    const mark = this.#cells[index]?.querySelector('i');
    if (!mark || !box) return;
    for (const [name, value] of [['left', box.x], ['top', box.y], ['width', box.width], ['height', box.height]]) mark.style[name] = `${100 * value}%`;
    this.#cells[index].classList.add('located');
  }

  /** Places belong to a model: another one's are not known. */
  forgetPlaces() {
    this.#cells.forEach((cell) => cell.classList.remove('located'));
  }

  /** Selects these, and goes to the first. */
  select(indices) {
    this.selection = new Set(indices);
    if (indices.length) this.#moveTo(indices[0], { focuses: false });
    this.#tell();
  }

  #tell() {
    this.#cells.forEach((cell, index) => cell.setAttribute('aria-selected', this.selection.has(index)));
    this.told.select();
  }

  #moveTo(index, { focuses = true } = {}) {
    this.#cells[this.#current].tabIndex = -1;
    this.#current = Math.max(0, Math.min(this.#cells.length - 1, index));
    this.#cells[this.#current].tabIndex = 0;
    if (focuses) this.#cells[this.#current].focus();
    else this.#cells[this.#current].scrollIntoView?.({ block: 'nearest' });
  }

  #range() {
    const [from, to] = [Math.min(this.#anchor, this.#current), Math.max(this.#anchor, this.#current)];
    this.selection = new Set(Array.from({ length: to - from + 1 }, (_, i) => from + i));
  }

  #clicked(event) {
    const cell = event.target.closest('[role=option]');
    if (!cell) return;
    this.#moveTo(Number(cell.dataset.index));
    if (event.shiftKey) this.#range();
    else if (event.ctrlKey || event.metaKey) this.#toggle();
    else this.#only();
    this.#tell();
  }

  #only() {
    this.#anchor = this.#current;
    this.selection = new Set([this.#current]);
  }

  #toggle() {
    this.#anchor = this.#current;
    if (!this.selection.delete(this.#current)) this.selection.add(this.#current);
  }

  /** How many cells stand in a row; that depends on the room there is. */
  get #columns() {
    const { offsetTop } = this.#cells[0];
    const next = this.#cells.findIndex((cell) => cell.offsetTop > offsetTop);
    return next < 0 ? this.#cells.length : next;
  }

  #pressed(event) {
    const last = this.#cells.length - 1;
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.#columns, ArrowDown: this.#columns, Home: -last, End: last };
    const step = steps[event.key];
    if (step) {
      const target = this.#current + step;
      if (target < 0 || target > last) if (Math.abs(step) !== last) return event.preventDefault();
      this.#moveTo(target);
      if (event.shiftKey) this.#range();
      else if (!event.ctrlKey) this.#only();
    } else if (event.key === ' ') this.#toggle();
    else if (event.key === 'Escape') this.selection.clear();
    else if (event.key === 'a' && (event.ctrlKey || event.metaKey)) this.selection = new Set(this.#cells.keys());
    else if (event.key === 'Enter') this.told.open();
    else if (event.key === 'Delete' || event.key === 'Backspace') this.told.act('erase');
    else if (event.key === 'r' && !event.ctrlKey && !event.metaKey) this.told.act('randomise');
    else return undefined;
    event.preventDefault();
    return this.#tell();
  }
}
