/* Handles: rings in a panel that pointer and finger drag; those of points answer to arrow keys, too.
 *
 * A part of the figures' script (driver.py puts the parts together). The ring of a slider is a second way to move it:
 * keys have the slider itself. The ring of a point holds a range for each of its numbers, for keys and screen readers.
 */
const ACROSS_AND_UP = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowUp: [1, 1], ArrowDown: [1, -1] };
const FINE = 10; // parts of a key's step that a pointer can stop at

class Handle {
  // axis: its place in the figure. Its `handle` says in which panel the ring stands and what moves it.
  constructor(figure, axis) {
    const { name, handle, numbers } = figure.config.axes[axis];
    Object.assign(this, { figure, axis, handle, numbers, panel: figure.panels[handle.panel] });
    this.plot = this.panel.area.parentElement;
    this.ring = Object.assign(document.createElement('div'), { className: 'hts-handle' });
    this.ring.dataset.handle = name;
    if (numbers) this.describe();
    else this.ring.setAttribute('aria-hidden', 'true');
    this.plot.append(this.ring);
    this.ring.addEventListener('pointerdown', (event) => this.grasp(event));
    this.place();
  }

  describe() {
    const { numbers, ring, figure } = this, label = figure.config.axes[this.axis].label;
    Object.assign(ring, { role: 'group', ariaLabel: `${label}: drag it, or move it with the arrow keys` });
    this.ranges = numbers.labels.map((each, i) => {
      const range = Object.assign(document.createElement('input'), { type: 'range', min: numbers.low[i], max: numbers.high[i], step: 'any', ariaLabel: `${label}, ${each}` });
      if (i) Object.assign(range, { tabIndex: -1, ariaOrientation: 'vertical' }); // one stop for Tab: its keys move both
      range.autocomplete = 'off';
      range.addEventListener('input', (event) => { event.stopPropagation(); this.to(this.at.with(i, range.valueAsNumber)); });
      range.addEventListener('keydown', (event) => this.step(event));
      ring.append(range);
      return range;
    });
  }

  get at() { return this.figure.exact[this.axis]; }

  step(event) {
    const [side, way] = ACROSS_AND_UP[event.key] || [];
    if (!way || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation(); // a notebook around it has plans for Shift with arrows
    this.to(this.at.with(side, this.at[side] + way * this.numbers.step * (event.shiftKey ? 10 : 1)));
  }

  to(place) {
    const { numbers, figure, axis } = this;
    figure.give(axis, place.map((number, i) => kept(number, numbers.low[i], numbers.high[i])));
  }

  grasp(event) {
    if (event.button) return;
    event.preventDefault();
    const { ring } = this, { left, top } = ring.getBoundingClientRect();
    // The ring keeps its distance from the pointer, which seldom meets its middle.
    const off = [event.clientX - left - ring.offsetWidth / 2, event.clientY - top - ring.offsetHeight / 2];
    const follow = (move) => this.follow(move.clientX - off[0], move.clientY - off[1]);
    ring.setPointerCapture(event.pointerId);
    ring.addEventListener('pointermove', follow);
    ring.addEventListener('lostpointercapture', () => ring.removeEventListener('pointermove', follow), { once: true });
    (this.ranges?.[0] || this.figure.controls[this.axis].querySelector('input')).focus({ preventScroll: true });
  }

  follow(clientX, clientY) {
    const box = this.panel.area.getBoundingClientRect(), { xaxis, yaxis } = this.panel.spec.layout;
    const between = ([low, high], part) => low + (high - low) * part;
    const x = between(xaxis.range, (clientX - box.left) / box.width), y = between(yaxis.range, (box.bottom - clientY) / box.height);
    const { figure, axis, handle, numbers } = this;
    if (!numbers) {
      const { values } = figure.config.axes[axis], ends = [values[0], values.at(-1)];
      const value = handle.along === 'x' ? x : (y - this.foot) / this.slant;
      return figure.give(axis, kept(value, Math.min(...ends), Math.max(...ends)));
    }
    const fine = numbers.step / FINE;
    this.to([x, y].map((number) => fine * Math.round(number / fine)));
  }

  // A line's slope is how much higher the ring stands than the line at 0, for each step to the right.
  get foot() { return this.handle.above ? this.figure.values()[this.handle.above] : 0; }

  get slant() { return this.handle.above ? this.handle.beside : 1; }

  // Where the ring stands: at a point's numbers; at a slider's value beside the first point of a trace, or at a place.
  position() {
    const { handle, numbers, figure, axis, panel } = this;
    if (numbers) return this.at;
    const value = figure.exact[axis], of = panel.spec.traces.find((trace) => trace.name === handle.beside);
    const beside = of ? of[handle.along === 'x' ? 'y' : 'x']?.[0] ?? NaN : handle.beside;
    return handle.along === 'x' ? [value, beside] : [beside, this.foot + this.slant * value];
  }

  place() {
    const { area, spec: { layout } } = this.panel, [x, y] = this.position();
    if (Number.isNaN(x + y)) return; // its trace has no numbers yet
    const part = (value, [low, high]) => Math.min(Math.max((value - low) / (high - low), 0), 1);
    const left = area.offsetLeft + area.clientWidth * part(x, layout.xaxis.range), down = 1 - part(y, layout.yaxis.range);
    this.ring.style.translate = `${left.toFixed(2)}px ${(area.offsetTop + area.clientHeight * down).toFixed(2)}px`;
    this.ranges?.forEach((range, i) => {
      range.value = this.at[i];
      range.setAttribute('aria-valuetext', `${this.numbers.labels[i]} = ${shown(this.at[i])}`);
    });
  }
}
