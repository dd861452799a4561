/* One plot of a figure: the drawing that Python wrote, plotly's when it has arrived, and canvases under both.
 *
 * A part of the figures' script (driver.py puts the parts together). Nothing here knows what the numbers mean.
 */
const BOX = 1000; // the placeholder's own units

// Colours are CSS variables; an element says what they are in the theme of the moment.
const colour = (name, element) => getComputedStyle(element).getPropertyValue(name).trim();
const coloured = (text, element) => text.replace(/var\((--[\w-]+)\)/g, (_, name) => colour(name, element));
function themed(value, element) {
  if (typeof value === 'string') return coloured(value, element);
  if (ArrayBuffer.isView(value) || typeof value?.[0] === 'number') return value;
  if (Array.isArray(value)) return value.map((item) => themed(item, element));
  if (value && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, themed(v, element)]));
  return value;
}
const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
// The colours of the numbers 0, 1/255 … 1: four bytes each.
function ramp(scale, element) {
  const stops = scale.map(([at, name]) => [at, rgb(coloured(name, element))]), table = new Uint8Array(4 * 256);
  for (let i = 0, k = 0; i < 256; i++) {
    while (k < stops.length - 2 && i / 255 > stops[k + 1][0]) k++;
    const [a, from] = stops[k], [b, to] = stops[k + 1], f = (i / 255 - a) / (b - a);
    table.set(from.map((c, n) => Math.round(c + f * (to[n] - c))), 4 * i);
  }
  return table;
}

class Panel {
  constructor(element, spec) {
    this.spec = spec;
    this.area = element.querySelector('.hts-area');
    this.host = element.querySelector('.hts-plotly');
    this.canvas = element.querySelector('canvas.hts-map');
    const many = spec.traces.find((trace) => trace.type === 'polygons');
    this.polygons = many && new Polygons(element.querySelector('canvas.hts-polygons'), many, spec.layout);
    this.live = false;
    this.names = new Names(this);
  }

  // The drawn elements of a trace and the size of the box they are drawn in.
  drawn(index) {
    if (!this.live || this.spec.traces[index].type === 'area') {
      const path = this.area.querySelector(`[data-trace="${index}"]`);
      return { paths: path ? [path] : [], width: BOX, height: BOX };
    }
    const { w, h } = this.host._fullLayout._size, trace = this.host.querySelector(`.tracet${index}`);
    const dots = this.spec.traces[index].mode === 'markers';
    return { paths: trace ? [...trace.querySelectorAll(dots ? '.point' : '.js-line')] : [], width: w, height: h };
  }

  pixels(trace, width, height) {
    const [x0, x1] = this.spec.layout.xaxis.range, [y0, y1] = this.spec.layout.yaxis.range;
    return Array.from(trace.y, (at, i) => {
      const x = trace.x ? trace.x[i] ?? NaN : trace.x0 + i * trace.dx, y = at ?? NaN; // a gap is null in JSON
      return [((x - x0) / (x1 - x0)) * width, (1 - (y - y0) / (y1 - y0)) * height];
    });
  }

  move(index) {
    const trace = this.spec.traces[index];
    const { paths, width, height } = this.drawn(index), points = this.pixels(trace, width, height);
    if (!paths.length) return;
    const there = ([x, y]) => Number.isFinite(x) && Number.isFinite(y);
    if (trace.mode === 'markers') {
      if (!this.live) paths[0].setAttribute('d', points.filter(there).map(([x, y]) => `M${x} ${y}h0`).join(''));
      else paths.slice(0, points.length).forEach((dot, i) => {
        dot.style.display = there(points[i]) ? '' : 'none';
        if (there(points[i])) dot.setAttribute('transform', `translate(${points[i]})`);
      });
      return;
    }
    let d = '', gap = true;
    for (const point of points) {
      if (!there(point)) { gap = true; continue; }
      const [x, y] = point;
      d += `${gap ? 'M' : 'L'}${x.toFixed(2)} ${y.toFixed(2)}`;
      gap = false;
    }
    paths[0].setAttribute('d', d);
    for (const rest of paths.slice(1)) rest.setAttribute('d', '');
  }

  paint() {
    this.paintMaps();
    this.paintPolygons();
  }

  // The figure has another width.
  resize() {
    this.paintPolygons();
    this.names.measure();
    this.names.place();
  }

  // A canvas of polygons has the pixels of the screen, so it is painted for each size.
  paintPolygons() {
    this.polygons?.paint(() => this.ramp(this.polygons.trace), (name) => coloured(name, this.area));
  }

  // The theme has changed.
  repaint() {
    this.ramps = null;
    this.paint();
  }

  // The heatmaps of a panel share its canvas: they are as large as each other, and their tints of the paper add up.
  paintMaps() {
    const maps = this.spec.traces.filter((trace) => trace.type === 'heatmap' && trace.z?.length && trace.rows);
    if (!maps.length || !this.canvas) return;
    const { rows, columns } = maps[0], image = new ImageData(columns, rows), bytes = image.data; // clamps
    const numbers = maps.map((trace) => trace.z), ramps = maps.map((trace) => this.ramp(trace)), [r0, g0, b0] = ramps[0];
    for (let i = 0, from = 0; i < rows; i++)
      for (let j = 0, to = 4 * (rows - 1 - i) * columns; j < columns; j++, from++, to += 4) {
        let r = r0, g = g0, b = b0;
        for (let m = 0; m < ramps.length; m++) {
          const shades = ramps[m], at = 4 * Math.round(numbers[m][from] * 255);
          r += shades[at] - r0;
          g += shades[at + 1] - g0;
          b += shades[at + 2] - b0;
        }
        bytes[to] = r;
        bytes[to + 1] = g;
        bytes[to + 2] = b;
        bytes[to + 3] = 255;
      }
    if (this.canvas.width !== columns || this.canvas.height !== rows) Object.assign(this.canvas, { width: columns, height: rows });
    this.canvas.getContext('2d').putImageData(image, 0, 0);
  }

  ramp(trace) {
    this.ramps ||= new Map();
    const key = trace.colorscale.join();
    if (!this.ramps.has(key)) this.ramps.set(key, ramp(trace.colorscale, this.area));
    return this.ramps.get(key);
  }

  // Heatmaps and polygons stay on canvases under plotly's transparent plot: redrawing them through plotly costs frames.
  data() {
    const copies = this.spec.traces.map((trace, i) => ({ ...trace, uid: `t${i}` }));
    return copies.filter(({ type }) => type === 'scatter').map(({ label, ...copy }) => themed(copy, this.area));
  }

  layout() {
    const box = this.area.getBoundingClientRect(), outer = this.host.getBoundingClientRect();
    const margin = { l: box.left - outer.left, r: outer.right - box.right, t: box.top - outer.top, b: outer.bottom - box.bottom, pad: 0 };
    const style = getComputedStyle(this.host), font = { family: style.fontFamily, size: 12, color: colour('--hts-muted', this.host) };
    const clear = { paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)' };
    const size = { width: outer.width, height: outer.height, autosize: false };
    return { ...themed(this.spec.layout, this.area), ...clear, ...size, margin, font, dragmode: false };
  }

  async tell(Plotly) {
    if (!this.host.clientWidth) return;
    await Plotly.react(this.host, this.data(), this.layout(), { displayModeBar: false, doubleClick: false, showTips: false });
    this.live = true;
    this.area.parentElement.dataset.live = '';
  }
}
