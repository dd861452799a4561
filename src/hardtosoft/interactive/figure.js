/* A figure: native sliders, the numbers for where they stand, and the panels that draw them.
 *
 * A part of the figures' script (driver.py puts the parts together). Whoever knows the numbers, a page's table of
 * states or a kernel, is asked and answers through `show`, at once or later. While a slider moves only the points of
 * the lines are set, whoever drew them; plotly hears of the new numbers when the slider rests.
 */
const KEYS = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 };
const REST = 250; // ms without a move until plotly is told: longer than between two taps on an arrow key
// Give way to what a reader does: plotly takes tens of milliseconds a panel.
const giveWay = () => new Promise((resolve) => setTimeout(resolve));

// Between two values that the slider stops at in a page, a position stands for the value between.
function valueAt(axis, index) {
  const low = Math.floor(index), [from, to] = [axis.values[low], axis.values[low + 1]];
  return low === index ? from : Number((from + (to - from) * (index - low)).toPrecision(6));
}

function indexOf(axis, value) {
  const { values } = axis, last = values.length - 1;
  if (typeof value !== 'number') return Math.max(values.indexOf(value), 0);
  const side = Math.sign(values[last] - values[0]) || 1;
  const next = values.findIndex((stop) => (stop - value) * side >= 0);
  if (next <= 0) return next < 0 ? last : 0;
  return values[next] === value ? next : next - (values[next] - value) / (values[next] - values[next - 1]);
}

// Each text has one author, the figure. What another script makes of it (marks of a search, a translation) stays until
// the figure has other words for that place, and goes as a whole then.
const written = new WeakMap();
function write(element, text) {
  const before = written.get(element) ?? element.textContent;
  written.set(element, text);
  if (before === text) return;
  const [only, more] = element.childNodes;
  // Other letters in the same text: a new text node would make the browser look for styles again.
  if (only?.nodeType === Node.TEXT_NODE && !more) only.data = text;
  else element.textContent = text;
}

// "[t1|0.73]" stands in the colour of its line (marks.py): Python has made an element for each piece of the text.
const MARK = /\[([a-z]+\d?)\|([^[\]]*)\]/;
function writeMarked(element, text) {
  const parts = text.split(MARK), pieces = []; // text, role, word, text, ...
  for (let i = 0; i < parts.length; i += i % 3 ? 2 : 1) pieces.push(i % 3 ? [parts[i], parts[i + 1]] : ['', parts[i]]);
  const fits = element.children.length === pieces.length && pieces.every(([role], i) => element.children[i].className === role);
  if (!fits) element.replaceChildren(...pieces.map(([role]) => Object.assign(document.createElement(role ? 'b' : 'span'), { className: role })));
  pieces.forEach(([, words], i) => write(element.children[i], words));
}

class Figure {
  // config: axes and the frame shown first. ask(indices): make the numbers for these positions and `show` them.
  constructor(root, config, ask) {
    Object.assign(this, { root, config, ask, Plotly: null, timer: 0, shown: 0 });
    const elements = root.querySelectorAll('.hts-panel');
    this.panels = config.frame.panels.map((spec, i) => new Panel(elements[i], spec));
    this.readout = root.querySelector('.hts-readout');
    this.controls = config.axes.map((axis) => root.querySelector(`[data-axis="${axis.name}"]`));
    this.boxes = this.controls.map((control, axis) => this.numbers(control, axis));
    this.controls.forEach((control, axis) => this.listen(control, axis));
    root.querySelector('.hts-controls').disabled = false;
    root.querySelector('.hts-reset').addEventListener('click', () => {
      this.boxes.flat().forEach((box) => box.reset());
      this.set(config.axes.map((axis) => axis.start));
    });
    this.point(config.axes.map((axis) => axis.start));
    this.handles = config.axes.flatMap((axis, i) => (axis.handle && this.controls[i].querySelector('input') ? [new Handle(this, i)] : []));
    this.prepare();
  }

  // Fixed arrays of a heatmap arrive as rows; the canvas wants one run of numbers.
  prepare() {
    this.config.frame.panels.forEach((panel) => panel.traces.forEach((trace) => {
      if (trace.type !== 'heatmap' || !trace.z) return;
      Object.assign(trace, { rows: trace.z.length, columns: trace.z[0].length, z: trace.z.flat() });
    }));
    this.panels.forEach((panel) => panel.paint());
  }

  // The number boxes of a control; a page that cannot compute what they say has none.
  numbers(control, axis) {
    return [...control.querySelectorAll('input[type=number]')].map((input, i) => {
      const note = this.root.querySelector(`#${CSS.escape(input.getAttribute('aria-describedby'))}`);
      return new Box(input, note, (number) => this.give(axis, this.exact[axis].with?.(i, number) ?? number));
    });
  }

  listen(control, axis) {
    control.addEventListener('input', (event) => this.move(axis, Number(event.target.value)));
    this.stops(axis).forEach((button) =>
      button.addEventListener('click', () => this.move(axis, Number(button.dataset.index))));
    const button = control.querySelector('.hts-play');
    if (button) this.player = this.playing(button, axis);
  }

  // A pointer may stop anywhere; arrow keys go to the next of the axis' values.
  free() {
    this.controls.forEach((control, axis) => {
      const slider = control.querySelector('input[type=range]');
      if (!slider) return;
      slider.step = 'any';
      slider.addEventListener('keydown', (event) => {
        const step = KEYS[event.key], at = this.indices[axis];
        if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
        event.preventDefault();
        const next = step > 0 ? Math.floor(at + 1e-9) + 1 : Math.ceil(at - 1e-9) - 1;
        this.move(axis, Math.min(Math.max(next, 0), Number(slider.max)));
      });
    });
  }

  // Played, a slider goes wherever a reader can put it; without motion, to its named stops: down and up again.
  playing(button, axis) {
    const slider = this.controls[axis].querySelector('input[type=range]'), last = Number(slider.max);
    const named = [...this.stops(axis)].map((stop) => Number(stop.dataset.index) / last).sort((a, b) => b - a);
    return new Player(this.root, button, {
      at: () => this.indices[axis] / last,
      go: (part) => {
        const index = slider.step === 'any' ? part * last : Math.round(part * last);
        if (index !== this.indices[axis]) this.move(axis, index);
      },
      jumps: [...named, ...named.reverse().slice(1)],
    });
  }

  stops(axis) { return this.controls[axis].querySelectorAll('.hts-stops button'); }

  values() {
    return Object.fromEntries(this.config.axes.map((axis, i) => [axis.name, this.exact[i]]));
  }

  // The other axes keep their values to the last digit: code may have set what no position stands for.
  move(axis, index) {
    this.set(this.indices.with(axis, index), this.exact.with(axis, valueAt(this.config.axes[axis], index)));
  }

  // A value that need not be any position's: a number, or several.
  give(axis, value) {
    this.set(this.indices.with(axis, indexOf(this.config.axes[axis], value)), this.exact.with(axis, value));
  }

  set(indices, exact) {
    this.point(indices, exact);
    this.ask(this.indices);
  }

  // changes: [path in the frame, new value, shape of an array].
  show(changes) {
    this.shown += 1;
    delete this.root.dataset.told; // until plotly has heard of these numbers too
    const moved = new Set(), maps = new Set(), changed = new Set(this.shown > 1 ? [] : this.panels);
    for (const [path, value, shape] of changes) {
      const node = path.slice(0, -1).reduce((inner, key) => inner[key], this.config.frame);
      node[path.at(-1)] = value;
      if (path[2] !== 'traces') continue;
      const panel = this.panels[path[1]];
      changed.add(panel);
      if (shape?.length === 2) [node.rows, node.columns] = shape;
      if (['heatmap', 'polygons'].includes(panel.spec.traces[path[3]].type)) maps.add(panel);
      else if (shape) moved.add(`${path[1]},${path[3]}`);
    }
    for (const key of moved) { const [p, t] = key.split(','); this.panels[p].move(Number(t)); }
    for (const panel of maps) panel.paint();
    for (const { names } of changed) { names.say(); names.place(); }
    for (const handle of this.handles) handle.place();
    this.say();
    this.rest();
  }

  rest() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.tell(), REST);
  }

  // Put the controls where the figure stands; words for values that are no stop of a page come with the numbers.
  point(indices, exact = indices.map((at, i) => valueAt(this.config.axes[i], at)), words = []) {
    Object.assign(this, { indices: [...indices], exact: [...exact] });
    this.handles?.forEach((handle) => handle.place());
    this.config.axes.forEach((axis, i) => {
      const at = indices[i], control = this.controls[i], text = words[i] ?? axis.words[at] ?? this.wording(i);
      control.querySelectorAll('input[type=radio]').forEach((radio) => { radio.checked = Number(radio.value) === at; });
      this.boxes[i].forEach((box, place) => box.show([this.exact[i]].flat()[place]));
      this.stops(i).forEach((button) => { button.toggleAttribute('data-here', Number(button.dataset.index) === at); });
      const slider = control.querySelector('input[type=range]');
      if (!slider) return;
      slider.value = at;
      slider.style.setProperty('--at', at / slider.max);
      if (text === undefined) return;
      slider.setAttribute('aria-valuetext', text);
      write(control.querySelector('output'), text);
    });
  }

  // Words for a value that is none of the axis' own, where the page can make them.
  wording() {}

  say() {
    writeMarked(this.readout, this.config.frame.readout);
    const elements = this.root.querySelectorAll('.hts-panel');
    this.config.frame.panels.forEach((panel, p) => {
      for (const name of ['title', 'xlabel', 'alt']) {
        write(elements[p].querySelector(`.hts-${name}`), panel[name]);
      }
    });
  }

  async tell() {
    if (!this.Plotly) return;
    const told = this.indices.join(), { shown } = this;
    for (const panel of this.panels) {
      await giveWay();
      if (this.shown !== shown || this.indices.join() !== told) return; // moved on: it will be told when that rests
      await panel.tell(this.Plotly);
    }
    Object.assign(this.root.dataset, { ready: 'plotly', told });
  }

  // From now on plotly draws, and shows the values under the pointer.
  async meet(Plotly) {
    this.Plotly = Plotly;
    await this.tell();
  }

  repaint() {
    for (const panel of this.panels) panel.repaint();
    this.tell();
  }

  // Draw again when the theme of the page around it or the figure's width changes; gives what ends that.
  watch(places) {
    const colours = () => ['--hts-ink', '--hts-blue'].map((name) => colour(name, this.root)).join();
    let seen = colours();
    const theme = new MutationObserver(() => {
      if (colours() === seen) return;
      seen = colours();
      this.repaint();
    });
    for (const [element, attributes] of places) theme.observe(element, { attributeFilter: attributes });
    let width = this.root.clientWidth;
    const size = new ResizeObserver(() => {
      if (this.root.clientWidth === width) return;
      width = this.root.clientWidth;
      this.panels.forEach((panel) => panel.resize());
      this.handles.forEach((handle) => handle.place());
      this.tell();
    });
    size.observe(this.root);
    // A button or a box that comes to stand beside a slider takes room from the names of its stops.
    const room = new ResizeObserver(() => this.fitStops());
    this.root.querySelectorAll('.hts-stops').forEach((row) => room.observe(row));
    return () => { theme.disconnect(); size.disconnect(); room.disconnect(); };
  }

  // Where the names of stops would cover each other only their numbers are left; the words stand above the slider.
  fitStops() {
    const rows = [...this.root.querySelectorAll('.hts-stops')];
    rows.forEach((row) => delete row.dataset.tight);
    const tight = rows.filter((row) => {
      const boxes = [...row.children].map((button) => button.getBoundingClientRect()).sort((a, b) => a.left - b.left);
      return boxes.some((box, i) => i > 0 && box.left < boxes[i - 1].right);
    });
    tight.forEach((row) => { row.dataset.tight = ''; });
  }
}
