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

function wholeNumbers(block, bytes, count) {
  const size = sizeOf(block);
  if (block.bits === 8) {
    const codes = Uint8Array.from(bytes), [rows, columns] = block.shape;
    for (let s = 0; s < count; s++)
      for (let i = 0, at = s * size; i < rows; i++)
        for (let j = 0; j < columns; j++, at++)
          codes[at] += (i ? codes[at - columns] : 0) + (j ? codes[at - 1] : 0) - (i && j ? codes[at - columns - 1] : 0);
    return codes;
  }
  const half = count * size, codes = new Uint16Array(half);
  for (let s = 0, at = 0; s < count; s++)
    for (let i = 0, run = 0; i < size; i++, at++) {
      run += (bytes[at] << 8) | bytes[half + at];
      codes[at] = run + (s ? codes[at - size] : 0);
    }
  return codes;
}

// What differs at a state, as Figure.show wants it.
async function readTable(config, text) {
  const bytes = await inflate(text), count = config.keys.length, tables = [];
  let start = 0;
  for (const block of config.blocks) {
    const length = count * sizeOf(block) * (block.bits / 8);
    tables.push(wholeNumbers(block, bytes.subarray(start, start + length), count));
    start += length;
  }
  return (state) => [
    ...config.blocks.map((block, b) => {
      const size = sizeOf(block), scale = (block.high - block.low) / LEVELS[block.bits];
      const codes = tables[b].subarray(state * size, (state + 1) * size);
      const numbers = Array.from(codes, (c) => (c > LEVELS[block.bits] ? NaN : block.low + c * scale));
      return [block.path, numbers, block.shape];
    }),
    ...config.variants.map((v) => [v.path, v.values[v.index[state]]]),
  ];
}

class PageFigure extends Figure {
  constructor(root, config, at) {
    const places = new Map(config.keys.map((key, index) => [key.join(), index]));
    super(root, config, (indices) => this.show(at(places.get(indices.join()))));
    this.known = places;
    this.link = root.querySelector('.hts-link');
    this.set(this.indices);
  }

  // One axis moves over all its values. The others stay where they are if the page holds that state; else each waits
  // at its nearest stop.
  move(axis, index) {
    this.choose(this.indices.map((at, i) => (i === axis ? index : at)), axis);
  }

  choose(wanted, axis) {
    if (this.known.has(wanted.join())) return this.set(wanted);
    const near = (stops, at) => stops.reduce((best, stop) => (Math.abs(stop - at) < Math.abs(best - at) ? stop : best));
    this.set(wanted.map((at, i) => (i === axis ? at : near(this.config.axes[i].stops, at))));
  }

  say() {
    super.say();
    const values = Object.entries(this.values()).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
    this.link.setAttribute('href', `#${this.root.id}.${values.join('&')}`);
  }

  // "#name.beta=0.5&unit=ReLU": that state, or the nearest one: the first axis off its stops moves.
  follow(hash) {
    const [name, settings] = [hash.slice(1).split('.', 1)[0], hash.slice(hash.indexOf('.') + 1)];
    if (name !== this.root.id || !hash.includes('.')) return false;
    const wanted = [...this.indices];
    for (const [key, text] of new URLSearchParams(settings)) {
      const axis = this.config.axes.findIndex((a) => a.name === key);
      if (axis < 0) continue;
      const values = this.config.axes[axis].values, number = Number(text);
      const gaps = values.map((v) => (typeof v === 'number' ? Math.abs(v - number) : v === text ? 0 : Infinity));
      const best = gaps.indexOf(Math.min(...gaps));
      if (Number.isFinite(gaps[best])) wanted[axis] = best;
    }
    const offStop = wanted.findIndex((at, i) => !this.config.axes[i].stops.includes(at));
    this.choose(wanted, Math.max(offStop, 0));
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
    const figure = new PageFigure(root, config, await readTable(config, states));
    root.hts = figure;
    root.dataset.ready = 'states';
    if (figure.follow(location.hash)) root.scrollIntoView();
    addEventListener('hashchange', () => figure.follow(location.hash));
    figure.watch([[document.documentElement, ['data-theme']]]);
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
for (const root of document.querySelectorAll('.hts-figure')) root.id === linked ? mount(root) : near.observe(root);
