/* A graph of plain operators on tensors (tracing/graph.py): it computes what is asked for, and of that what has moved.
 *
 * A part of the figures' script (driver.py puts the parts together). It knows nothing of what the numbers mean. Each
 * node's numbers lie in row-major order, truths as 0 and 1.
 */
const countOf = (shape) => shape.reduce((a, b) => a * b, 1);
const stepsOf = (shape) => shape.map((_, side) => countOf(shape.slice(side + 1)));

// Where the numbers of a tensor of this shape lie that has these steps from neighbour to neighbour.
function placesOf(shape, steps, start = 0) {
  let places = Int32Array.of(start);
  shape.forEach((length, side) => {
    const finer = new Int32Array(places.length * length);
    for (let i = 0, at = 0; i < places.length; i++) for (let k = 0; k < length; k++) finer[at++] = places[i] + k * steps[side];
    places = finer;
  });
  return places;
}
// The places of a source's numbers where it is stretched to a shape; many nodes share them.
const stretches = new Map();
function stretched(from, shape) {
  const own = stepsOf(from), missing = shape.length - from.length, key = `${from}>${shape}`;
  if (!stretches.has(key)) stretches.set(key, placesOf(shape, shape.map((_, side) => (side < missing || from[side - missing] === 1 ? 0 : own[side - missing]))));
  return stretches.get(key);
}

// erf to 1e-15: a series near 0; beyond, by a continued fraction for erfcx(x) = exp(x²)·erfc(x).
function erfcx(x) {
  if (x < 2) return Math.exp(x * x) * erfc(x);
  let rest = 0;
  for (let n = 120; n > 0; n--) rest = n / 2 / (x + rest);
  return 1 / Math.sqrt(Math.PI) / (x + rest);
}
function erfc(x) {
  if (x > -2 && x < 2) return 1 - erf(x);
  return x > 0 ? Math.exp(-x * x) * erfcx(x) : 2 - erfc(-x);
}
function erf(x) {
  if (!(Math.abs(x) < 2)) return x === x ? 1 - erfc(x) : x;
  let sum = x, term = x;
  for (let n = 1; n < 60; n++) sum += (term *= (2 * x * x) / (2 * n + 1));
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}
function even(x) { // ties to the even number
  const up = Math.round(x);
  return up - x === 0.5 && up % 2 ? up - 1 : up;
}

// A loop to itself for each operator: one that all share would call its operator number by number.
const EACH = {
  add: (o, [a, b], [p, q]) => { for (let i = 0; i < o.length; i++) o[i] = a[p[i]] + b[q[i]]; },
  sub: (o, [a, b], [p, q]) => { for (let i = 0; i < o.length; i++) o[i] = a[p[i]] - b[q[i]]; },
  mul: (o, [a, b], [p, q]) => { for (let i = 0; i < o.length; i++) o[i] = a[p[i]] * b[q[i]]; },
  div: (o, [a, b], [p, q]) => { for (let i = 0; i < o.length; i++) o[i] = a[p[i]] / b[q[i]]; },
  maximum: (o, [a, b], [p, q]) => { for (let i = 0; i < o.length; i++) o[i] = Math.max(a[p[i]], b[q[i]]); },
  minimum: (o, [a, b], [p, q]) => { for (let i = 0; i < o.length; i++) o[i] = Math.min(a[p[i]], b[q[i]]); },
  eq: (o, [a, b], [p, q]) => { for (let i = 0; i < o.length; i++) o[i] = a[p[i]] === b[q[i]] ? 1 : 0; },
  ne: (o, [a, b], [p, q]) => { for (let i = 0; i < o.length; i++) o[i] = a[p[i]] === b[q[i]] ? 0 : 1; },
  lt: (o, [a, b], [p, q]) => { for (let i = 0; i < o.length; i++) o[i] = a[p[i]] < b[q[i]] ? 1 : 0; },
  le: (o, [a, b], [p, q]) => { for (let i = 0; i < o.length; i++) o[i] = a[p[i]] <= b[q[i]] ? 1 : 0; },
  gt: (o, [a, b], [p, q]) => { for (let i = 0; i < o.length; i++) o[i] = a[p[i]] > b[q[i]] ? 1 : 0; },
  ge: (o, [a, b], [p, q]) => { for (let i = 0; i < o.length; i++) o[i] = a[p[i]] >= b[q[i]] ? 1 : 0; },
  and: (o, [a, b], [p, q]) => { for (let i = 0; i < o.length; i++) o[i] = a[p[i]] && b[q[i]] ? 1 : 0; },
  or: (o, [a, b], [p, q]) => { for (let i = 0; i < o.length; i++) o[i] = a[p[i]] || b[q[i]] ? 1 : 0; },
  where: (o, [a, b, c], [p, q, r]) => { for (let i = 0; i < o.length; i++) o[i] = a[p[i]] ? b[q[i]] : c[r[i]]; },
  neg: (o, [a], [p]) => { for (let i = 0; i < o.length; i++) o[i] = -a[p[i]]; },
  exp: (o, [a], [p]) => { for (let i = 0; i < o.length; i++) o[i] = Math.exp(a[p[i]]); },
  view: (o, [a], [p]) => { for (let i = 0; i < o.length; i++) o[i] = a[p[i]]; },
};
const RARE = {
  erf, erfc, erfcx, round: even, pow: Math.pow, hypot: Math.hypot, reciprocal: (x) => 1 / x, rsqrt: (x) => 1 / Math.sqrt(x), relu: (x) => (x < 0 ? 0 : x),
  sigmoid: (x) => 1 / (1 + Math.exp(-x)), isnan: (x) => +(x !== x), isinf: (x) => +(Math.abs(x) === Infinity),
  remainder: (x, y) => { const rest = x % y; return rest && rest < 0 !== y < 0 ? rest + y : rest; },
};
// What is left of a row: the number so far, and the next.
const FOLDS = {
  sum: [0, (a, b) => a + b], prod: [1, (a, b) => a * b], amax: [-Infinity, Math.max], amin: [Infinity, Math.min],
};
const BEATS = { argmax: (a, b) => a > b, argmin: (a, b) => a < b };

// Where rows along some sides begin, and where their numbers lie from there.
function rows(shape, sides) {
  const steps = stepsOf(shape), kept = shape.map((_, side) => side).filter((side) => !sides.includes(side));
  const along = (chosen) => placesOf(chosen.map((side) => shape[side]), chosen.map((side) => steps[side]));
  return [along(kept), along(sides)];
}

// A function that fills a node's numbers from those of its sources.
function kernel(operator, setting, out, data, shape, shapes) {
  const [a, b] = data;
  if (operator === 'view') return EACH.view.bind(null, out, data, [placesOf(shape, ...setting)]);
  if (operator in EACH || operator in RARE || (operator in Math && operator !== 'sum')) {
    const places = shapes.map((from) => stretched(from, shape));
    if (EACH[operator]) return () => EACH[operator](out, data, places);
    const f = RARE[operator] ?? Math[operator], [p, q] = places;
    return b ? () => { for (let i = 0; i < out.length; i++) out[i] = f(a[p[i]], b[q[i]]); } : () => { for (let i = 0; i < out.length; i++) out[i] = f(a[p[i]]); };
  }
  if (operator in FOLDS) {
    const [starts, steps] = rows(shapes[0], setting), [first, fold] = FOLDS[operator];
    return () => starts.forEach((start, i) => {
      let found = first;
      for (let k = 0; k < steps.length; k++) found = fold(found, a[start + steps[k]]);
      out[i] = found;
    });
  }
  if (operator in BEATS) {
    const [starts, steps] = rows(shapes[0], setting), beats = BEATS[operator];
    return () => starts.forEach((start, i) => {
      let best = 0;
      for (let k = 1; k < steps.length; k++) {
        const challenger = a[start + steps[k]], champion = a[start + steps[best]];
        if (beats(challenger, champion) || (challenger !== challenger && champion === champion)) best = k;
      }
      out[i] = best;
    });
  }
  if (operator === 'mm') {
    const [m, k] = shapes[0].slice(-2), [n] = shapes[1].slice(-1);
    return () => {
      for (let at = 0; at < out.length; at++) {
        const row = Math.floor(at / n), group = Math.floor(row / m);
        let sum = 0;
        for (let i = 0; i < k; i++) sum += a[row * k + i] * b[(group * k + i) * n + (at % n)];
        out[at] = sum;
      }
    };
  }
  if (operator === 'cat') {
    const step = stepsOf(shape);
    let start = 0;
    const parts = data.map((numbers, i) => {
      const places = placesOf(shapes[i], step, start);
      start += shapes[i][setting] * step[setting];
      return [numbers, places];
    });
    return () => { for (const [numbers, places] of parts) for (let i = 0; i < numbers.length; i++) out[places[i]] = numbers[i]; };
  }
  if (operator === 'gather') {
    const steps = stepsOf(shapes[0]), step = steps[setting], base = placesOf(shape, steps.with(setting, 0));
    return () => { for (let i = 0; i < out.length; i++) out[i] = a[base[i] + b[i] * step]; };
  }
  if (operator === 'cumsum') {
    const [starts, steps] = rows(shape, [setting]);
    return () => starts.forEach((start) => { let sum = 0; for (const step of steps) out[start + step] = sum += a[start + step]; });
  }
  if (operator === 'argsort') {
    const [starts, steps] = rows(shape, [setting]), later = (x, y) => x > y || (x !== x && y === y); // NaN stands last
    return () => starts.forEach((start) => {
      const at = (k) => a[start + steps[k]], order = [...steps.keys()].sort((i, j) => later(at(i), at(j)) - later(at(j), at(i)));
      order.forEach((from, k) => { out[start + steps[k]] = from; });
    });
  }
  throw new Error(`there is no operator ${operator}`);
}

class Graph {
  // nodes: [operator, how many places back each source is, setting, shape]
  constructor(nodes) {
    this.inputs = new Map();
    this.nodes = nodes.map(([operator, back, setting, shape], at) => ({ operator, setting, shape, sources: back.map((k) => at - k), age: 0 }));
    for (const node of this.nodes) this.prepare(node);
    this.now = 1;
  }

  prepare(node) {
    const sources = node.sources.map((k) => this.nodes[k]);
    node.names = [...new Set(sources.flatMap((source) => source.names))];
    if (node.operator === 'const') node.data = Float64Array.from(node.setting, Number);
    else if (node.operator === 'reshape') node.data = sources[0].data;
    else node.data = new Float64Array(countOf(node.shape));
    if (node.operator !== 'input') return;
    node.names = [node.setting];
    this.inputs.set(node.setting, node);
  }

  // Values by the names of inputs: numbers or rows of them.
  set(values) {
    const moved = [...this.inputs].filter(([name, { data }]) => [values[name]].flat().some((value, i) => value !== data[i]));
    if (!moved.length && this.now > 1) return;
    this.now += 1;
    for (const [name, { data }] of moved) data.set([values[name]].flat());
    for (const node of this.nodes) if (moved.some(([name]) => node.names.includes(name))) node.stale = true;
  }

  // A node's numbers; `age` says since when they are so.
  get(at) {
    const node = this.nodes[at];
    if (node.age && !node.stale) return node;
    for (const source of node.sources) this.get(source);
    if (node.sources.length && node.operator !== 'reshape') {
      const sources = node.sources.map((k) => this.nodes[k]);
      node.run ||= kernel(node.operator, node.setting, node.data, sources.map((s) => s.data), node.shape, sources.map((s) => s.shape));
      node.run();
    }
    Object.assign(node, { age: this.now, stale: false });
    return node;
  }
}
