/* The book's figures in a browser: native sliders, states made by Python, plotly for the picture.
 *
 * Before plotly has arrived the drawing is the SVG that Python wrote; afterwards it is plotly's. While a slider moves
 * only the points of the lines are set, whoever drew them; plotly hears of the new numbers when the slider rests.
 * Nothing here knows what the numbers mean. A classic script: it also runs from file://.
 */
(() => {
  'use strict';
  const REST = 90; // ms without a move until plotly is told
  const BOX = 1000; // the placeholder's own units
  const LEVELS = { 8: 255, 16: 16383 };
  const here = document.currentScript;

  // ---- states ----------------------------------------------------------------------------------------------------

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

  // A source answers with what differs at a setting of the axes; a page's source is the table of states.
  async function pageSource(config, text) {
    const bytes = await inflate(text), count = config.keys.length, tables = [];
    let start = 0;
    for (const block of config.blocks) {
      const length = count * sizeOf(block) * (block.bits / 8);
      tables.push(wholeNumbers(block, bytes.subarray(start, start + length), count));
      start += length;
    }
    const places = new Map(config.keys.map((key, index) => [key.join(), index]));
    return (indices) => {
      const state = places.get(indices.join());
      const arrays = config.blocks.map((block, b) => {
        const size = sizeOf(block), scale = (block.high - block.low) / LEVELS[block.bits];
        const codes = tables[b].subarray(state * size, (state + 1) * size);
        return Array.from(codes, (c) => (c > LEVELS[block.bits] ? NaN : block.low + c * scale));
      });
      return { arrays, texts: config.variants.map((v) => v.values[v.index[state]]) };
    };
  }

  // ---- plotly, once a page and only when wanted ----------------------------------------------------------------------

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
  // The first slider answers before this; the rest of the page need not be there.
  const pause = () => new Promise((resolve) => (window.requestIdleCallback ? requestIdleCallback(resolve, { timeout: 300 }) : setTimeout(resolve, 50)));

  // ---- colours of the theme --------------------------------------------------------------------------------------

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const coloured = (text) => text.replace(/var\((--[\w-]+)\)/g, (_, name) => colour(name));
  function themed(value) {
    if (typeof value === 'string') return coloured(value);
    if (Array.isArray(value)) return typeof value[0] === 'number' ? value : value.map(themed);
    if (value && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, themed(v)]));
    return value;
  }
  const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
  function ramp(scale) {
    const stops = scale.map(([at, name]) => [at, rgb(coloured(name))]), table = new Uint32Array(256);
    for (let i = 0, k = 0; i < 256; i++) {
      while (k < stops.length - 2 && i / 255 > stops[k + 1][0]) k++;
      const [a, from] = stops[k], [b, to] = stops[k + 1], f = (i / 255 - a) / (b - a);
      const [r, g, bl] = from.map((c, n) => Math.round(c + f * (to[n] - c)));
      table[i] = (255 << 24) | (bl << 16) | (g << 8) | r;
    }
    return table;
  }

  // ---- one panel ---------------------------------------------------------------------------------------------------

  class Panel {
    constructor(element, spec) {
      this.spec = spec;
      this.area = element.querySelector('.hts-area');
      this.host = element.querySelector('.hts-plotly');
      this.canvas = element.querySelector('canvas');
      this.live = false;
    }

    // The drawn elements of a trace and the size of the box they are drawn in.
    drawn(index) {
      if (!this.live) {
        const path = this.area.querySelector(`[data-trace="${index}"]`);
        return { paths: path ? [path] : [], width: BOX, height: BOX };
      }
      const { w, h } = this.host._fullLayout._size, trace = this.host.querySelector(`.tracet${index}`);
      const dots = this.spec.traces[index].mode === 'markers';
      return { paths: trace ? [...trace.querySelectorAll(dots ? '.point' : '.js-line')] : [], width: w, height: h };
    }

    pixels(trace, width, height) {
      const [x0, x1] = this.spec.layout.xaxis.range, [y0, y1] = this.spec.layout.yaxis.range;
      return trace.y.map((y, i) => {
        const x = trace.x ? trace.x[i] : trace.x0 + i * trace.dx;
        return [((x - x0) / (x1 - x0)) * width, (1 - (y - y0) / (y1 - y0)) * height];
      });
    }

    move(index) {
      const trace = this.spec.traces[index];
      if (trace.type === 'heatmap') return this.paint(trace);
      const { paths, width, height } = this.drawn(index), points = this.pixels(trace, width, height);
      if (!paths.length) return;
      if (trace.mode === 'markers') {
        if (this.live) paths.forEach((dot, i) => dot.setAttribute('transform', `translate(${points[i]})`));
        else paths[0].setAttribute('d', points.map(([x, y]) => (x === x && y === y ? `M${x} ${y}h0` : '')).join(''));
        return;
      }
      let d = '', gap = true;
      for (const [x, y] of points) {
        if (x !== x || y !== y) { gap = true; continue; }
        d += `${gap ? 'M' : 'L'}${x.toFixed(2)} ${y.toFixed(2)}`;
        gap = false;
      }
      paths[0].setAttribute('d', d);
      for (const rest of paths.slice(1)) rest.setAttribute('d', '');
    }

    paint(trace) {
      const rows = trace.z.length ? trace.rows : 0, columns = trace.columns;
      if (!rows || !this.canvas) return;
      this.scale ||= ramp(trace.colorscale);
      const image = new ImageData(columns, rows), words = new Uint32Array(image.data.buffer);
      for (let i = 0; i < rows; i++)
        for (let j = 0; j < columns; j++) words[(rows - 1 - i) * columns + j] = this.scale[Math.round(trace.z[i * columns + j] * 255)];
      if (this.canvas.width !== columns || this.canvas.height !== rows) Object.assign(this.canvas, { width: columns, height: rows });
      this.canvas.getContext('2d').putImageData(image, 0, 0);
    }

    // Heatmaps stay on the canvas under plotly's transparent plot: redrawing one through plotly costs a frame.
    data() {
      const lines = this.spec.traces.map((trace, i) => [{ ...trace, uid: `t${i}` }, trace]).filter(([, t]) => t.type !== 'heatmap');
      return lines.map(([copy]) => themed(copy));
    }

    layout() {
      const box = this.area.getBoundingClientRect(), outer = this.host.getBoundingClientRect();
      const margin = { l: box.left - outer.left, r: outer.right - box.right, t: box.top - outer.top, b: outer.bottom - box.bottom, pad: 0 };
      const style = getComputedStyle(this.host), font = { family: style.fontFamily, size: 12, color: colour('--hts-ink') };
      const clear = { paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)' };
      const size = { width: outer.width, height: outer.height, autosize: false };
      return { ...themed(this.spec.layout), ...clear, ...size, margin, font, dragmode: false };
    }

    async tell(Plotly) {
      if (!this.host.clientWidth) return;
      await Plotly.react(this.host, this.data(), this.layout(), { displayModeBar: false, doubleClick: false, showTips: false });
      this.live = true;
      this.area.parentElement.dataset.live = '';
    }
  }

  // ---- the figure --------------------------------------------------------------------------------------------------

  class Figure {
    constructor(root, config, source) {
      Object.assign(this, { root, config, source, Plotly: null, timer: 0 });
      this.indices = config.axes.map((axis) => axis.start);
      this.known = new Set(config.keys.map((key) => key.join()));
      const elements = root.querySelectorAll('.hts-panel');
      this.panels = config.frame.panels.map((spec, i) => new Panel(elements[i], spec));
      this.readout = root.querySelector('.hts-readout');
      this.link = root.querySelector('.hts-link');
      this.controls = config.axes.map((axis) => root.querySelector(`[data-axis="${axis.name}"]`));
      this.controls.forEach((control, axis) => this.listen(control, axis));
      root.querySelector('.hts-reset').addEventListener('click', () => this.set(config.axes.map((axis) => axis.start)));
      this.prepare();
      this.set(this.indices);
    }

    // Fixed arrays of a heatmap arrive as rows; the canvas wants one run of numbers.
    prepare() {
      const shapes = new Map(this.config.blocks.map((block) => [block.path.join(), block.shape]));
      this.config.frame.panels.forEach((panel, p) => panel.traces.forEach((trace, t) => {
        if (trace.type !== 'heatmap') return;
        [trace.rows, trace.columns] = shapes.get(`panels,${p},traces,${t},z`) || [trace.z.length, trace.z[0].length];
        if (trace.z) { trace.z = trace.z.flat(); this.panels[p].paint(trace); }
      }));
    }

    listen(control, axis) {
      control.addEventListener('input', (event) => this.move(axis, Number(event.target.value)));
      control.querySelectorAll('button').forEach((button) =>
        button.addEventListener('click', () => this.move(axis, Number(button.dataset.index))));
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

    set(indices) {
      this.indices = [...indices];
      const { arrays, texts } = this.source(indices), moved = new Set();
      this.config.blocks.forEach((block, b) => {
        const [, p, , t, key] = block.path;
        this.config.frame.panels[p].traces[t][key] = arrays[b];
        moved.add(`${p},${t}`);
      });
      this.config.variants.forEach((variant, v) => {
        const path = [...variant.path], last = path.pop();
        path.reduce((node, key) => node[key], this.config.frame)[last] = texts[v];
      });
      for (const key of moved) { const [p, t] = key.split(','); this.panels[p].move(Number(t)); }
      this.say();
      clearTimeout(this.timer);
      if (this.Plotly) this.timer = setTimeout(() => this.tell(), REST);
    }

    say() {
      this.config.axes.forEach((axis, i) => {
        const at = this.indices[i], words = axis.words[at], control = this.controls[i];
        control.querySelectorAll('input[type=radio]').forEach((radio) => { radio.checked = Number(radio.value) === at; });
        control.querySelectorAll('button').forEach((button) => { button.toggleAttribute('data-here', Number(button.dataset.index) === at); });
        const slider = control.querySelector('input[type=range]');
        if (!slider) return;
        slider.value = at;
        slider.style.setProperty('--at', at / slider.max);
        slider.setAttribute('aria-valuetext', words);
        control.querySelector('output').value = words;
      });
      this.readout.textContent = this.config.frame.readout;
      const elements = this.root.querySelectorAll('.hts-panel');
      this.config.frame.panels.forEach((panel, p) => {
        for (const [name, text] of [['title', panel.title], ['alt', panel.alt]]) {
          const element = elements[p].querySelector(`.hts-${name}`);
          if (element.textContent !== text) element.textContent = text;
        }
      });
      const values = this.config.axes.map((axis, i) => `${axis.name}=${encodeURIComponent(axis.values[this.indices[i]])}`);
      this.link.setAttribute('href', `#${this.root.id}.${values.join('&')}`);
    }

    async tell() {
      const told = this.indices.join();
      for (const panel of this.panels) await panel.tell(this.Plotly);
      Object.assign(this.root.dataset, { ready: 'plotly', told });
    }

    async meetPlotly() {
      await pause();
      this.Plotly = await plotly();
      await this.tell();
    }

    repaint() {
      for (const panel of this.panels) {
        panel.scale = null;
        panel.spec.traces.forEach((trace) => trace.type === 'heatmap' && panel.paint(trace));
      }
      if (this.Plotly) this.tell();
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
      const figure = new Figure(root, config, await pageSource(config, states));
      root.hts = figure;
      root.dataset.ready = 'states';
      if (figure.follow(location.hash)) root.scrollIntoView();
      addEventListener('hashchange', () => figure.follow(location.hash));
      new MutationObserver(() => figure.repaint()).observe(document.documentElement, { attributeFilter: ['data-theme'] });
      let width = root.clientWidth;
      new ResizeObserver(() => {
        if (root.clientWidth === width) return;
        width = root.clientWidth;
        if (figure.Plotly) figure.tell();
      }).observe(root);
      await figure.meetPlotly();
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
})();
