/* Figures in a built page: states that Python made at build time, and links that lead to them.
 *
 * A part of the figures' script (driver.py puts the parts together). It runs as a classic script, from file:// too.
 */
const LEVELS = { 8: 255, 16: 16383 };
const here = document.currentScript;

// ---- the table of states -----------------------------------------------------------------------------------------

async function inflate(text) {
  const bytes = Uint8Array.from(atob(text.trim()), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const sizeOf = (block) => block.shape.reduce((a, b) => a * b, 1);

// Running sums undo the differences that packing.py took along states and along each side of the array.
function wholeNumbers(block, bytes, count) {
  const size = sizeOf(block), total = count * size, wide = block.bits === 16;
  const codes = wide ? new Uint16Array(total) : new Uint8Array(total);
  const [nextPlace, nextState] = block.states_last ? [count, 1] : [1, size];
  for (let state = 0, at = 0; state < count; state++)
    for (let place = 0; place < size; place++, at++) {
      const from = state * nextState + place * nextPlace;
      const folded = wide ? (bytes[from] << 8) | bytes[total + from] : bytes[from];
      codes[at] = (folded >> 1) ^ -(folded & 1);
    }
  let stride = total;
  [count, ...block.shape].forEach((length, side) => {
    const run = stride;
    stride /= length;
    for (let times = block.differences[side]; times > 0; times--)
      for (let start = 0; start < total; start += run)
        for (let at = start + stride; at < start + run; at++) codes[at] += codes[at - stride];
  });
  return codes;
}

// Where there is no number: a bit says that this changes from the state before.
function holes(block, bytes, count) {
  const size = sizeOf(block), found = new Uint8Array(count * size);
  if (!block.gaps) return found;
  for (let at = 0; at < found.length; at++) found[at] = ((bytes[at >> 3] >> (7 - (at & 7))) & 1) ^ (at < size ? 0 : found[at - size]);
  return found;
}

// What differs at a state, as Figure.show wants it; long arrays that never change go into the frame at once.
async function readTable(config, text) {
  const bytes = await inflate(text);
  let start = 0;
  const tables = config.blocks.map((block) => {
    const { count } = block, numbers = count * sizeOf(block), middle = start + numbers * (block.bits / 8), end = middle + (block.gaps ? Math.ceil(numbers / 8) : 0);
    const table = { codes: wholeNumbers(block, bytes.subarray(start, middle), count), gaps: holes(block, bytes.subarray(middle, end), count) };
    start = end;
    return table;
  });
  const arrayOf = (block, { codes, gaps }, state) => {
    const size = sizeOf(block), from = state * size, scale = (block.high - block.low) / LEVELS[block.bits];
    const numbers = new Float64Array(size);
    for (let i = 0; i < size; i++) numbers[i] = gaps[from + i] ? NaN : block.low + codes[from + i] * scale;
    return [block.path, numbers, block.shape];
  };
  const all = config.blocks.map((block, b) => [block, tables[b]]), moving = all.filter(([block]) => block.count > 1);
  for (const [block, table] of all) {
    if (block.count > 1) continue;
    const node = block.path.slice(0, -1).reduce((inner, key) => inner[key], config.frame);
    [, node[block.path.at(-1)]] = arrayOf(block, table, 0);
  }
  return (indices) => {
    // What depends on some of the axes has one entry for each combination of their values.
    const place = ({ along }) => along.reduce((at, axis) => at * config.axes[axis].values.length + indices[axis], 0);
    return [
      ...moving.map(([block, table]) => arrayOf(block, table, place(block))),
      ...config.variants.map((v) => [v.path, v.values[v.index[place(v)]]]),
    ];
  };
}

const within = ({ low, high }, given) => (given.length === low.length && given.every((n, i) => n >= low[i] && n <= high[i]) ? given : null);
const readProgram = async (text) => new Program(JSON.parse(new TextDecoder().decode(await inflate(text))));

class PageFigure extends Figure {
  // changes(indices, values): what differs there; program: of a figure that the page computes.
  constructor(root, config, changes, program) {
    super(root, config, (indices) => this.show(changes(indices, this.values())));
    this.program = program;
    if (program) this.free();
    this.link = root.querySelector('.hts-link');
    this.set(this.indices);
  }

  // Something dragged stops where the page has a state, if it does not make them.
  give(axis, value) {
    if (this.program) super.give(axis, value);
    else this.move(axis, Math.round(indexOf(this.config.axes[axis], value)));
  }

  wording(axis) { return this.program?.say(this.config.axes[axis].name, this.values()); }

  say() {
    super.say();
    const values = Object.entries(this.values()).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
    this.link.setAttribute('href', `#${this.root.id}.${values.join('&')}`);
  }

  // "#name.beta=0.5&unit=ReLU": that state, or the nearest that the page has.
  follow(hash) {
    const [name, settings] = [hash.slice(1).split('.', 1)[0], hash.slice(hash.indexOf('.') + 1)];
    if (name !== this.root.id || !hash.includes('.')) return false;
    this.player?.stop();
    const wanted = [...this.indices], exact = [...this.exact];
    for (const [key, text] of new URLSearchParams(settings)) {
      const axis = this.config.axes.findIndex((a) => a.name === key);
      if (axis < 0) continue;
      const { values, numbers } = this.config.axes[axis], number = Number(text);
      if (numbers && this.program) exact[axis] = within(numbers, text.split(',').map(Number)) ?? exact[axis];
      if (numbers) continue;
      const gaps = values.map((v) => (typeof v === 'number' ? Math.abs(v - number) : v === text ? 0 : Infinity));
      const best = gaps.indexOf(Math.min(...gaps));
      if (!Number.isFinite(gaps[best])) continue;
      const between = this.program && typeof values[best] === 'number', ends = [values[0], values.at(-1)];
      exact[axis] = between ? Math.min(Math.max(number, Math.min(...ends)), Math.max(...ends)) : values[best];
      wanted[axis] = between ? indexOf(this.config.axes[axis], exact[axis]) : best;
    }
    this.set(wanted, exact);
    return true;
  }
}

// ---- the page ----------------------------------------------------------------------------------------------------

// plotly comes once a page, and only when wanted.
let wanted = null;
function plotly() {
  wanted ||= new Promise((resolve, reject) => {
    const tag = document.createElement('script');
    tag.src = new URL(here.dataset.plotly, here.src).href;
    tag.onload = () => resolve(window.Plotly);
    tag.onerror = () => reject(new Error('the plotting library did not load'));
    document.head.append(tag);
  });
  return wanted;
}
const parsed = new Promise((resolve) => {
  const look = () => document.readyState !== 'loading' && resolve();
  document.addEventListener('readystatechange', look);
  look();
});
// The first slider answers before plotly comes; the rest of the page need not be there.
const pause = () => new Promise((resolve) => (window.requestIdleCallback ? requestIdleCallback(resolve, { timeout: 300 }) : setTimeout(resolve, 50)));

const stored = (window.htsStates ||= {}); // filled by the scripts that hold what figures further down need
function belongings(root) {
  const tag = root.querySelector('.hts-states');
  if (!tag.dataset.src) return { config: JSON.parse(root.querySelector('.hts-config').textContent), states: tag.textContent };
  return new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = new URL(tag.dataset.src, here.src).href;
    script.onload = () => resolve(stored[tag.dataset.figure]);
    script.onerror = () => reject(new Error('its states did not load'));
    document.head.append(script);
  });
}

async function mount(root) {
  try {
    const { config, states } = await belongings(root);
    const program = config.traced && await readProgram(states);
    const changes = program ? (_, values) => program.changes(values) : await readTable(config, states);
    const figure = new PageFigure(root, config, changes, program);
    root.hts = figure;
    root.dataset.ready = 'states';
    const linked = figure.follow(location.hash);
    addEventListener('hashchange', () => figure.follow(location.hash));
    figure.watch([[document.documentElement, ['data-theme']]]);
    await parsed;
    if (linked) root.scrollIntoView();
    await pause();
    await figure.meet(await plotly());
  } catch (error) {
    const still = root.dataset.ready ? 'The figure moves, but shows no values under the pointer' : 'This figure cannot move here';
    root.querySelector('.hts-trouble').textContent = `${still}: ${error.message}.`;
  }
}

const near = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) { near.unobserve(entry.target); mount(entry.target); }
}, { rootMargin: '1200px' });
const linked = location.hash.slice(1).split('.', 1)[0];
const begin = (root) => (root.id === linked ? mount(root) : near.observe(root));
// This script stands behind the page's first figure, which need not wait for what follows.
const first = [...document.querySelectorAll('.hts-figure')];
first.forEach(begin);
parsed.then(() => document.querySelectorAll('.hts-figure').forEach((root) => first.includes(root) || begin(root)));
