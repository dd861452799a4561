/* Number boxes: what a reader types is taken at once where it is a number within its bounds, else refused in words.
 *
 * A part of the figures' script (driver.py puts the parts together).
 */
const UP_AND_DOWN = { ArrowUp: 1, ArrowDown: -1 };
const shown = (number) => String(Number(number.toPrecision(6))).replace('-', '−');
const kept = (number, low, high) => Math.min(Math.max(Number(number.toPrecision(6)), low), high);

class Box {
  // input: a number box with its bounds and its step; note: the words beside it. told(number): what a reader wrote.
  constructor(input, note, told) {
    Object.assign(this, { input, note, told, low: Number(input.min), high: Number(input.max), number: Number(input.value) });
    input.addEventListener('input', (event) => { event.stopPropagation(); this.read(); });
    input.addEventListener('change', (event) => { event.stopPropagation(); this.judge(); });
    input.addEventListener('keydown', (event) => {
      const way = UP_AND_DOWN[event.key];
      if (event.key === 'Enter') this.judge();
      if (!way || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      this.take(kept(this.number + way * Number(input.dataset.step) * (event.shiftKey ? 10 : 1), this.low, this.high));
      input.value = this.number;
    });
  }

  get fits() {
    const { value, valueAsNumber } = this.input;
    return value !== '' && valueAsNumber >= this.low && valueAsNumber <= this.high;
  }

  read() { if (this.fits) this.take(this.input.valueAsNumber); }

  take(number) {
    this.accept();
    if (number === this.number) return;
    this.number = number;
    this.told(number);
  }

  accept() {
    this.input.removeAttribute('aria-invalid');
    write(this.note, '');
  }

  // Halfway through a number it is not wrong yet: it is judged when the reader goes on.
  judge() {
    if (this.fits) return this.accept();
    this.input.setAttribute('aria-invalid', 'true');
    write(this.note, `${this.input.ariaLabel}: write a number from ${shown(this.low)} to ${shown(this.high)}.`);
  }

  // The figure stands at this number; what a reader is writing stays, and so does what was refused until it moves.
  show(number) {
    const moved = number !== this.number;
    this.number = number;
    if (this.input.hasAttribute('aria-invalid') ? moved : this.input.valueAsNumber !== number) this.reset();
  }

  reset() {
    this.input.value = Number(this.number.toPrecision(6));
    this.accept();
  }
}
