/* Figures in a notebook with a kernel: every move is a question to Python, every answer is drawn.
 *
 * A part of the figures' script (driver.py puts the parts together); it becomes a module that exports `mount`. The
 * widget's model (live.py) carries `opening`, what is `asked` of the kernel, and its `answer` and what it `said` back.
 */
const BUSY = 400; // ms without an answer until the reader is told
const RESTED = 500; // ms without a move until the notebook's saved sentence follows
const THEMES = ['data-jp-theme-light', 'data-theme', 'theme', 'class'];

// Arrays travel as bytes beside what they are: numbers, or steps from the lowest to the highest (live.py).
const TYPES = { u1: Uint8Array, u2: Uint16Array, f8: Float64Array };
function arrays({ arrays: described, data }) {
  return described.map(({ path, shape, type, low, high }, i) => {
    const bytes = new Uint8Array(data[i].buffer, data[i].byteOffset, data[i].byteLength);
    const numbers = new TYPES[type](bytes.slice().buffer);
    if (high === undefined) return [path, numbers, shape];
    const step = (high - low) / (type === 'u1' ? 255 : 65535);
    return [path, Float32Array.from(numbers, (code) => low + code * step), shape];
  });
}

// Two views of one figure must not share ids.
let views = 0, turns = 0;
const visit = Math.random().toString(36).slice(2); // a kernel outlives the page: its turns must not come again
function setApart(root) {
  const mark = `-view${++views}`;
  for (const name of ['id', 'for', 'name', 'aria-labelledby', 'aria-describedby'])
    for (const element of [root, ...root.querySelectorAll(`[${name}]`)])
      if (element.hasAttribute(name)) element.setAttribute(name, element.getAttribute(name).replace(/\S+/g, `$&${mark}`));
}

// Plain keys are the figure's: to the notebook around it "d d" deletes the cell, and arrows leave it.
function keepKeys(root) {
  root.addEventListener('keydown', (event) => {
    const chord = event.ctrlKey || event.metaKey || event.altKey || event.shiftKey;
    if (!chord && event.key !== 'Tab' && event.key !== 'Escape') event.stopPropagation();
  });
}

// ---- plotly: its compressed bundle comes from the kernel, once a notebook -----------------------------------------

function bundleOf(runtime) {
  return new Promise((resolve) => {
    const look = () => {
      const bytes = runtime.get('bundle');
      if (!bytes?.byteLength) return;
      runtime.off('change:bundle', look);
      resolve(bytes);
    };
    runtime.on('change:bundle', look);
    look();
  });
}

async function unpack(runtime) {
  const stream = new Blob([await bundleOf(runtime)]).stream().pipeThrough(new DecompressionStream('gzip'));
  // Other extensions may have a loader of modules, or a plotly, of their own on the page.
  const code = ['((define, module, exports) => {', await new Response(stream).blob(), '\n})();'];
  const url = URL.createObjectURL(new Blob(code, { type: 'text/javascript' })), theirs = window.Plotly;
  await new Promise((resolve, reject) => {
    const tag = Object.assign(document.createElement('script'), { src: url, onload: resolve });
    tag.onerror = () => reject(new Error('the plotting library did not load'));
    document.head.append(tag);
  });
  URL.revokeObjectURL(url);
  const ours = window.Plotly;
  if (theirs) window.Plotly = theirs;
  return ours;
}

// Once a window. A runtime may have none, or be gone before it comes: then another notebook's, or the next kernel's.
let ours = null;
const coming = new WeakMap();
async function plotly(runtime) {
  if (ours) return ours;
  if (!coming.has(runtime)) coming.set(runtime, unpack(runtime).catch((error) => { coming.delete(runtime); throw error; }));
  return (ours ||= await coming.get(runtime));
}

function dress(style) {
  let sheet = document.querySelector('style[data-hardtosoft]');
  if (!sheet) {
    sheet = document.createElement('style');
    sheet.dataset.hardtosoft = '';
    document.head.append(sheet);
  }
  if (sheet.textContent !== style) sheet.textContent = style;
}

// A saved notebook tells its figures in words (interactive.py). While a view lives they are hidden; so is the style
// that comes with them, whose `:has` would cost a browser milliseconds at every move.
const living = new Map();
const quieten = (mark, media = 'not all') =>
  document.querySelectorAll(`style[data-words="${mark}"]`).forEach((style) => { style.media = media; });
function hideWords(mark, views) {
  const before = living.get(mark) || 0;
  living.set(mark, before + views);
  if (!before) {
    const rule = Object.assign(document.createElement('style'), { id: `${mark}-hidden`, textContent: `.${mark} { display: none }` });
    document.head.append(rule);
  } else if (!living.get(mark)) {
    document.getElementById(`${mark}-hidden`).remove();
    quieten(mark, '');
  }
}

// ---- the conversation ----------------------------------------------------------------------------------------------

function mount(model, runtime, el) {
  dress(runtime.get('style'));
  const opening = model.get('opening');
  el.innerHTML = opening.markup;
  const root = el.firstElementChild, trouble = root.querySelector('.hts-trouble');
  setApart(root);
  hideWords(opening.mark, 1);
  let waiting = false, busy = 0, resting = 0;
  const note = (text) => { if (trouble.textContent !== text) trouble.textContent = text; };
  const late = () => note(
    el.closest('.jupyter-widgets-disconnected') || el.querySelector('.jupyter-widgets-disconnected')
      ? 'The kernel that drew this figure is gone: run its cell again.'
      : 'No answer from the kernel yet. If it is busy, the figure follows; if it was restarted, run its cell again.');

  const figure = new Figure(root, structuredClone(opening.config), () => {
    waiting = true;
    clearTimeout(busy);
    busy = setTimeout(late, BUSY);
    root.dataset.waiting = '';
    model.set('asked', { turn: `${visit} ${++turns}`, values: figure.values() });
    model.save_changes();
  });

  const draw = () => figure.show(arrays(model.get('answer')).concat(model.get('answer').texts));
  const hear = () => {
    const said = model.get('said');
    // A reader has moved on, here or in another view of the figure: another answer will come.
    if (waiting && said.turn !== model.get('asked').turn) return;
    waiting = false;
    delete root.dataset.waiting;
    clearTimeout(busy);
    const { axes } = figure.config, values = axes.map((axis) => said.values[axis.name]);
    figure.point(axes.map((axis, i) => indexOf(axis, values[i])), values, said.words);
    note(said.trouble);
    figure.rest(); // where no numbers came, or the same again: the move may have kept plotly from hearing the last ones
  };
  const heard = () => {
    hear();
    quieten(opening.mark);
    clearTimeout(resting);
    resting = setTimeout(() => model.send({ rested: true }), RESTED);
  };
  figure.show(arrays(opening));
  draw();
  hear();
  figure.free();
  keepKeys(root);
  model.on('change:answer', draw);
  model.on('change:said', heard);
  const unwatch = figure.watch([[document.documentElement, THEMES], [document.body, THEMES]]);
  root.hts = figure;
  root.dataset.ready = 'kernel';
  plotly(runtime).then((Plotly) => figure.meet(Plotly)).catch((error) => note(`No values under the pointer: ${error.message}.`));
  return () => {
    clearTimeout(busy);
    clearTimeout(resting);
    hideWords(opening.mark, -1);
    unwatch();
    model.off('change:answer', draw);
    model.off('change:said', heard);
  };
}
