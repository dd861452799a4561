/* Polygons by the ten thousand, on a canvas of their own under plotly's transparent axes.
 *
 * A part of the figures' script (driver.py puts the parts together). Which polygon owns a pixel is worked out once for
 * outlines and a size, and so is how much of it the sides of each kind cover. Other colours are then a look-up a pixel,
 * and other opacities a mixture at the pixels that lines touch. All by hand, in memory that is kept: a browser needs
 * half a second to stroke tens of thousands, and a canvas for each kind of side costs more than its lines.
 */
const SHARPEST = 2; // canvas pixels to a CSS pixel, at most

class Polygons {
  constructor(canvas, trace, layout) {
    Object.assign(this, { canvas, trace, layout, seen: [] });
  }

  // `shades()` are the colours of the numbers 0 … 255; `tone` says what a colour's name is in the theme of the moment.
  paint(shades, tone) {
    const { canvas, trace } = this, ratio = Math.min(window.devicePixelRatio, SHARPEST);
    const width = Math.round(canvas.clientWidth * ratio), height = Math.round(canvas.clientHeight * ratio);
    if (!width || !height || !trace.sides) return;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    this.outline(width, height);
    const pixels = new Uint32Array(this.image.data.buffer);
    if (trace.fill) this.fill(pixels, shades());
    else pixels.fill(0);
    trace.strokes.forEach((stroke, i) => {
      if (stroke.opacity) this.lay(this.lines(i + 1, stroke.width * ratio), rgb(tone(stroke.color)), stroke.opacity);
    });
    canvas.getContext('2d').putImageData(this.image, 0, 0);
  }

  // Corners in pixels; what was made of others is forgotten.
  outline(width, height) {
    const { x, y, sides, kinds } = this.trace, now = [x, y, sides, kinds, width, height];
    if (now.every((value, i) => value === this.seen[i])) return;
    const [x0, x1] = this.layout.xaxis.range, [y0, y1] = this.layout.yaxis.range;
    this.across = Float64Array.from(x, (value) => ((value - x0) / (x1 - x0)) * width);
    this.down = Float64Array.from(y, (value) => (1 - (value - y0) / (y1 - y0)) * height);
    if (this.image?.width !== width || this.image.height !== height) {
      Object.assign(this, { image: new ImageData(width, height), owners: new Uint32Array(width * height), covers: [] });
    }
    for (const cover of this.covers) if (cover) cover.made = false;
    Object.assign(this, { seen: now, owned: false });
  }

  // The polygon in which each pixel's centre lies, counted from 1; 0 where there is none. Polygons are convex: a row
  // enters one and leaves it.
  own() {
    const { across, down, owners, image: { width, height } } = this;
    const left = new Float64Array(height), right = new Float64Array(height);
    const rowAt = (y) => Math.min(height, Math.max(0, Math.ceil(y - 0.5))); // the first whose centre is not above
    owners.fill(0);
    let start = 0;
    this.trace.sides.forEach((sides, polygon) => {
      const end = start + sides;
      let top = Infinity, bottom = -Infinity;
      for (let i = start; i < end; i++) {
        if (down[i] < top) top = down[i];
        if (down[i] > bottom) bottom = down[i];
      }
      const first = rowAt(top), last = rowAt(bottom);
      left.fill(Infinity, first, last);
      right.fill(-Infinity, first, last);
      for (let i = start, before = end - 1; i < end; before = i++) {
        const past = rowAt(Math.max(down[before], down[i]));
        const slope = (across[i] - across[before]) / (down[i] - down[before]);
        for (let row = rowAt(Math.min(down[before], down[i])); row < past; row++) {
          const cut = across[before] + (row + 0.5 - down[before]) * slope;
          if (cut < left[row]) left[row] = cut;
          if (cut > right[row]) right[row] = cut;
        }
      }
      for (let row = first; row < last; row++) {
        const from = Math.max(0, Math.ceil(left[row] - 0.5)), past = Math.min(width, Math.ceil(right[row] - 0.5));
        if (from < past) owners.fill(polygon + 1, row * width + from, row * width + past);
      }
      start = end;
    });
    this.owned = true;
  }

  fill(pixels, shades) {
    if (!this.owned) this.own();
    const { fill } = this.trace, { owners } = this, table = new Uint8Array(4 * (fill.length + 1));
    for (let i = 0; i < fill.length; i++) {
      for (let part = 0; part < 3; part++) table[4 * i + 4 + part] = shades[4 * fill[i] + part];
      table[4 * i + 7] = 255;
    }
    const colours = new Uint32Array(table.buffer);
    for (let i = 0; i < pixels.length; i++) pixels[i] = colours[owners[i]];
  }

  // How much of each pixel lines along the sides of one kind cover, in 255ths, and which pixels they touch.
  lines(kind, wide) {
    const size = this.owners.length;
    const cover = (this.covers[kind] ||= { shares: new Uint8Array(size), touched: new Uint32Array(size), count: 0 });
    if (cover.made) return cover;
    for (let n = 0; n < cover.count; n++) cover.shares[cover.touched[n]] = 0;
    Object.assign(cover, { count: 0, made: true });
    const { across, down, image: { width, height } } = this, { kinds, sides } = this.trace;
    let start = 0;
    sides.forEach((count) => {
      for (let i = start, end = start + count; i < end; i++) {
        if (kinds[i] !== kind) continue;
        const next = i + 1 < end ? i + 1 : start, steep = Math.abs(down[next] - down[i]) > Math.abs(across[next] - across[i]);
        if (steep) run(cover, width, 1, height, width, [down[i], across[i], down[next], across[next]], wide);
        else run(cover, 1, width, width, height, [across[i], down[i], across[next], down[next]], wide);
      }
      start += count;
    });
    return cover;
  }

  // Lines of one colour over what is there, which may be nothing.
  lay({ shares, touched, count }, [r, g, b], opacity) {
    const bytes = this.image.data; // rounds and clamps
    for (let n = 0; n < count; n++) {
      const at = 4 * touched[n], over = (shares[touched[n]] / 255) * opacity, under = (bytes[at + 3] / 255) * (1 - over);
      const both = over + under, share = over / both;
      bytes[at] += (r - bytes[at]) * share;
      bytes[at + 1] += (g - bytes[at + 1]) * share;
      bytes[at + 2] += (b - bytes[at + 2]) * share;
      bytes[at + 3] = 255 * both;
    }
  }
}

// A line from (u, v) to (w, z), u being the side along which it is longer: at each pixel of that side it covers some
// across. `along` and `aside` are the steps in memory.
function run(cover, along, aside, length, breadth, [u, v, w, z], wide) {
  if (u > w) [u, v, w, z] = [w, z, u, v];
  if (u === w) return;
  const slope = (z - v) / (w - u), tilt = Math.hypot(1, slope), reach = wide / 2 + 0.5, most = Math.min(1, wide);
  const last = Math.min(length - 1, Math.floor(w)), { shares, touched } = cover;
  for (let i = Math.max(0, Math.floor(u)); i <= last; i++) {
    const centre = v + slope * (Math.min(Math.max(i + 0.5, u), w) - u) - 0.5;
    const end = Math.min(breadth - 1, Math.floor(centre + reach * tilt));
    for (let j = Math.max(0, Math.ceil(centre - reach * tilt)); j <= end; j++) {
      const share = Math.floor(255 * Math.min(most, reach - Math.abs(j - centre) / tilt)), at = i * along + j * aside;
      if (share <= shares[at]) continue;
      if (!shares[at]) touched[cover.count++] = at;
      shares[at] = share;
    }
  }
}
