/* Names of lines, points and cells, each where Python wants it, or beside that where others stand already.
 *
 * A part of the figures' script (driver.py puts the parts together). Nothing here knows what the names mean.
 */
const WINDS = { c: [0, 0], n: [0, -1], s: [0, 1], e: [1, 0], w: [-1, 0], ne: [1, -1], nw: [-1, -1], se: [1, 1], sw: [-1, 1] };
const AROUND = Object.keys(WINDS).slice(1), ALONG = [0.8, 0.2, 0.65, 0.35, 0.5, 0.92, 0.08];
const STEP = 6, GAP = 4, FIT = 4; // pixels: between two samples of a line, from a line to its name, between names
const inside = (box, x, y) => x > box.left && x < box.right && y > box.top && y < box.bottom;

class Names {
  constructor(panel) {
    this.panel = panel;
    this.all = [...panel.area.querySelectorAll('.hts-names > span')].map((span) => ({ span, of: Number(span.dataset.of) }));
    const counts = {};
    for (const name of this.all) name.nth = counts[name.of] = (counts[name.of] ?? -1) + 1;
    // Names of points have the fewest places, then those of lines with a place of their own.
    const rank = ({ of }) => (this.trace(of).mode !== 'lines' ? 0 : this.label(of).x === null && this.label(of).at === null ? 2 : 1);
    this.order = [...this.all].sort((a, b) => rank(a) - rank(b));
    this.measure();
  }

  trace(index) { return this.panel.spec.traces[index]; }
  label(index) { return this.trace(index).label; }

  measure() {
    this.size = null;
    for (const name of this.all) name.size = null;
  }

  // Texts that have changed.
  say() {
    for (const name of this.all) {
      const text = this.label(name.of).texts[name.nth];
      if (name.span.textContent !== text) { write(name.span, text); name.size = null; }
    }
  }

  place() {
    if (!this.all.length) return;
    const { area, spec } = this.panel;
    this.size ||= [area.clientWidth, area.clientHeight];
    const [width, height] = this.size, taken = [], ink = [], dots = [], seen = {};
    if (!width) return;
    spec.traces.forEach((trace, index) => {
      if (trace.type !== 'scatter' || trace.mode === 'text') return;
      const points = this.panel.pixels(trace, width, height);
      seen[index] = sampled(points, trace.mode === 'lines', width, height);
      if (trace.mode === 'lines') ink.push(...seen[index]);
      else for (const [x, y] of seen[index]) dots.push([x, y, trace.marker.size / 2]);
    });
    for (const name of this.order) {
      name.size ||= [name.span.offsetWidth, name.span.offsetHeight];
      const trace = this.trace(name.of), several = trace.label.texts.length > 1 || trace.mode === 'text';
      const points = several ? [this.panel.pixels(trace, width, height)[name.nth]] : seen[name.of];
      const best = trace.label.texts[name.nth] ? this.best(name, trace, points, { width, height, taken, ink, dots }) : null;
      name.span.style.visibility = best ? '' : 'hidden';
      if (!best) continue;
      taken.push(best.box);
      name.before = best.key;
      Object.assign(name.span.style, { translate: 'none', left: `${(100 * best.box.left) / width}%`, top: `${(100 * best.box.top) / height}%` });
    }
  }

  best(name, trace, points, around) {
    if (!points?.length || !Number.isFinite(points[0]?.[0] + points[0]?.[1])) return null;
    const { side, x, at } = trace.label, reach = trace.marker ? trace.marker.size / 2 : GAP;
    const { range: [x0, x1] } = this.panel.spec.layout.xaxis, wanted = ((x - x0) / (x1 - x0)) * around.width;
    const first = x === null ? null : points.reduce((near, [across], i) => (Math.abs(across - wanted) < Math.abs(points[near][0] - wanted) ? i : near), 0);
    const places = points.length === 1 ? [0] : ALONG.map((share) => Math.round(share * (points.length - 1)));
    if (at !== null) places.unshift(Math.round(at * (points.length - 1)));
    if (first !== null) places.unshift(first);
    const sides = trace.mode === 'text' ? [side || 'c', ...AROUND] : side ? [side, ...AROUND.filter((one) => one !== side)] : AROUND;
    const away = points.length === 1 ? [0, name.size[1], 2 * name.size[1]] : [0]; // a single place may be left by lines' heights
    let best = null;
    for (const more of away) places.forEach((place, p) => sides.forEach((one, s) => {
      const key = `${p}${one}${more}`, box = beside(points[place], one, name.size, reach + more);
      const unlike = 2 * more + (p && (x ?? at) !== null ? 30 : 0) + 3 * p + (s && side ? 25 : 0) + s;
      if (best && unlike >= best.cost) return;
      const cost = unlike + clutter(box, around) - (key === name.before ? 12 : 0);
      if (!best || cost < best.cost) best = { cost, box, key };
    }));
    return best;
  }
}

// The points of what is seen of a line, a few pixels apart; of dots, themselves.
function sampled(points, joined, width, height) {
  const found = [], add = (x, y) => { if (x >= -1 && x <= width + 1 && y >= -1 && y <= height + 1) found.push([x, y]); };
  points.forEach(([x, y], i) => {
    if (!Number.isFinite(x + y)) return;
    const [u, v] = (joined && points[i - 1]) || [NaN, NaN], far = Math.hypot(x - u, y - v), last = found.at(-1);
    if (!Number.isFinite(far)) return add(x, y);
    if (last && Math.hypot(x - last[0], y - last[1]) < STEP) return;
    for (let k = 1, steps = Math.min(Math.ceil(far / STEP), 400); k <= steps; k++) add(u + ((x - u) * k) / steps, v + ((y - v) * k) / steps);
  });
  return found;
}

function beside([x, y], side, [wide, high], reach) {
  const [across, down] = WINDS[side], off = across && down ? reach * 0.6 : reach + 1;
  const left = x + across * off + ((across - 1) * wide) / 2, top = y + down * off + ((down - 1) * high) / 2;
  return { left, top, right: left + wide, bottom: top + high };
}

// What speaks against a place: the frame, other names, dots, and lines under it.
function clutter(box, { width, height, taken, ink, dots }) {
  const beyond = Math.max(0, -box.left) + Math.max(0, box.right - width) + Math.max(0, -box.top) + Math.max(0, box.bottom - height);
  let cost = 60 * beyond;
  for (const other of taken) {
    const across = Math.min(box.right, other.right) - Math.max(box.left, other.left) + FIT, down = Math.min(box.bottom, other.bottom) - Math.max(box.top, other.top) + FIT / 2;
    if (across > 0 && down > 0) cost += 2000 + across * down;
  }
  for (const [x, y] of ink) if (inside(box, x, y)) cost += 3;
  for (const [x, y, r] of dots) if (x + r > box.left && x - r < box.right && y + r > box.top && y - r < box.bottom) cost += 20;
  return cost;
}
