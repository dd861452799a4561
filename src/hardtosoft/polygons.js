/* Polygons by the ten thousand, on a canvas of their own under plotly's transparent axes.
 *
 * A part of the figures' script (driver.py puts the parts together). Which polygon owns a pixel is worked out once for
 * outlines and a size: other colours are then a look-up a pixel. Each kind of side is drawn once, too, and laid over
 * them with the opacity of the moment.
 */
const SHARPEST = 2; // canvas pixels to a CSS pixel, at most

class Polygons {
  constructor(canvas, trace, layout) {
    Object.assign(this, { canvas, trace, layout, seen: [], owners: null, sheets: [] });
  }

  // `shades()` are the colours of the numbers 0 … 255; `tone` says what a colour's name is in the theme of the moment.
  paint(shades, tone) {
    const { canvas, trace } = this, ratio = Math.min(window.devicePixelRatio, SHARPEST);
    const width = Math.round(canvas.clientWidth * ratio), height = Math.round(canvas.clientHeight * ratio);
    if (!width || !height || !trace.sides) return;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    this.outline(width, height);
    const context = canvas.getContext('2d');
    if (trace.fill) this.fill(context, shades());
    else context.clearRect(0, 0, width, height);
    trace.strokes.forEach((stroke, i) => {
      if (!stroke.opacity) return;
      context.globalAlpha = stroke.opacity;
      context.drawImage(this.sheet(i + 1, { ...stroke, color: tone(stroke.color) }, ratio), 0, 0);
    });
    context.globalAlpha = 1;
  }

  // Corners in pixels; what was made of others is forgotten.
  outline(width, height) {
    const { x, y, sides, kinds } = this.trace, now = [x, y, sides, kinds, width, height];
    if (now.every((value, i) => value === this.seen[i])) return;
    const [x0, x1] = this.layout.xaxis.range, [y0, y1] = this.layout.yaxis.range;
    this.across = Float64Array.from(x, (value) => ((value - x0) / (x1 - x0)) * width);
    this.down = Float64Array.from(y, (value) => (1 - (value - y0) / (y1 - y0)) * height);
    Object.assign(this, { seen: now, owners: null, sheets: [] });
  }

  // The polygon in which each pixel's centre lies, counted from 1; 0 where there is none. Polygons are convex.
  own(width, height) {
    const { across, down } = this, owners = new Uint32Array(width * height);
    let start = 0;
    this.trace.sides.forEach((sides, polygon) => {
      const end = start + sides;
      let top = Infinity, bottom = -Infinity;
      for (let i = start; i < end; i++) {
        if (down[i] < top) top = down[i];
        if (down[i] > bottom) bottom = down[i];
      }
      const last = Math.min(height, Math.ceil(bottom - 0.5));
      for (let row = Math.max(0, Math.ceil(top - 0.5)); row < last; row++) {
        let left = Infinity, right = -Infinity;
        for (let i = start, before = end - 1; i < end; before = i++) {
          const from = down[before] - row - 0.5, to = down[i] - row - 0.5;
          if (from <= 0 === to <= 0) continue;
          const cut = across[before] + (from / (from - to)) * (across[i] - across[before]);
          if (cut < left) left = cut;
          if (cut > right) right = cut;
        }
        const first = Math.max(0, Math.ceil(left - 0.5)), past = Math.min(width, Math.ceil(right - 0.5));
        if (first < past) owners.fill(polygon + 1, row * width + first, row * width + past);
      }
      start = end;
    });
    return owners;
  }

  fill(context, shades) {
    const { width, height } = this.canvas, { fill } = this.trace;
    this.owners ||= this.own(width, height);
    const table = new Uint8ClampedArray(4 * (fill.length + 1));
    for (let i = 0; i < fill.length; i++) {
      for (let part = 0; part < 3; part++) table[4 * i + 4 + part] = shades[4 * fill[i] + part];
      table[4 * i + 7] = 255;
    }
    const colours = new Uint32Array(table.buffer), image = new ImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer), { owners } = this;
    for (let i = 0; i < pixels.length; i++) pixels[i] = colours[owners[i]];
    context.putImageData(image, 0, 0);
  }

  // All sides of one kind, in their colour.
  sheet(kind, { color, width }, ratio) {
    if (this.sheets[kind]) return this.sheets[kind];
    const sheet = Object.assign(document.createElement('canvas'), { width: this.canvas.width, height: this.canvas.height });
    const image = new ImageData(sheet.width, sheet.height), [r, g, b] = rgb(color);
    const opaque = new Uint8Array([r, g, b, 255]), pixels = new Uint32Array(image.data.buffer);
    pixels.fill(new Uint32Array(opaque.buffer)[0]);
    this.cover(kind, width * ratio, sheet.width, sheet.height).forEach((covered, i) => { image.data[4 * i + 3] = covered; });
    sheet.getContext('2d').putImageData(image, 0, 0);
    return (this.sheets[kind] = sheet);
  }

  // How much of each pixel lines along these sides cover, in 255ths. By hand: a browser needs half a second to stroke
  // tens of thousands.
  cover(kind, wide, width, height) {
    const { across, down } = this, { kinds, sides } = this.trace, covered = new Uint8Array(width * height);
    let start = 0;
    sides.forEach((count) => {
      for (let i = start, end = start + count; i < end; i++) {
        if (kinds[i] !== kind) continue;
        const next = i + 1 < end ? i + 1 : start, steep = Math.abs(down[next] - down[i]) > Math.abs(across[next] - across[i]);
        if (steep) run(covered, width, 1, height, width, [down[i], across[i], down[next], across[next]], wide);
        else run(covered, 1, width, width, height, [across[i], down[i], across[next], down[next]], wide);
      }
      start += count;
    });
    return covered;
  }

  // In another theme lines have other colours.
  fade() {
    this.sheets = [];
  }
}

// A line from (u, v) to (w, z), u being the side along which it is longer: at each pixel of that side it covers some
// across. `along` and `aside` are the steps in memory.
function run(covered, along, aside, length, breadth, [u, v, w, z], wide) {
  if (u > w) [u, v, w, z] = [w, z, u, v];
  if (u === w) return;
  const slope = (z - v) / (w - u), tilt = Math.hypot(1, slope), reach = wide / 2 + 0.5, most = Math.min(1, wide);
  const last = Math.min(length - 1, Math.floor(w));
  for (let i = Math.max(0, Math.floor(u)); i <= last; i++) {
    const centre = v + slope * (Math.min(Math.max(i + 0.5, u), w) - u) - 0.5;
    const end = Math.min(breadth - 1, Math.floor(centre + reach * tilt));
    for (let j = Math.max(0, Math.ceil(centre - reach * tilt)); j <= end; j++) {
      const share = 255 * Math.min(most, reach - Math.abs(j - centre) / tilt), at = i * along + j * aside;
      if (covered[at] < share) covered[at] = share;
    }
  }
}
