/* Figures that a page computes: the program that Python recorded (tracing/program.py), for any values of the axes.
 *
 * A part of the figures' script (driver.py puts the parts together).
 */

// Python's number formats: sign, z, thousands, digits, and one of d f g %. Exact halves go to the even digit there, and
// to the larger one in toFixed.
function fixed(value, digits) {
  const size = Math.abs(value), text = size.toFixed(digits), exact = size.toFixed(Math.min(100, digits + 60));
  const cut = exact.length - Math.min(100, digits + 60) + digits;
  const tied = /^50*$/.test(exact.slice(cut)), lower = exact.slice(0, cut);
  const shown = tied && Number(lower.replace('.', '').at(-1)) % 2 === 0 ? lower.replace(/\.$/, '') : text;
  return value < 0 || Object.is(value, -0) ? `-${shown}` : shown;
}

function general(value, digits) {
  const [mantissa, power] = value.toExponential(digits - 1).split('e'), bare = (text) => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);
  if (value && (power < -4 || power >= digits)) return `${bare(mantissa)}e${power[0]}${power.slice(1).padStart(2, '0')}`;
  return bare(fixed(value, Math.max(digits - 1 - power, 0)));
}

function formatted(value, spec, plus, minus) {
  const [, z, comma, precision, kind] = /^(z?)(,?)(?:\.(\d+))?([dfg%]?)$/.exec(spec), digits = Number(precision ?? 6);
  let text = String(value);
  if (value !== value) text = 'nan';
  else if (Math.abs(value) === Infinity) text = value < 0 ? '-inf' : 'inf';
  else if (kind === 'f') text = fixed(value, digits);
  else if (kind === '%') text = `${fixed(100 * value, digits)}%`;
  else if (kind === 'g') text = general(value, digits || 1);
  if (comma) text = text.replace(/\B(?=(\d{3})+(?!\d))/g, ',');
  const below = text.startsWith('-') && !(z && !/[1-9]/.test(text.split('e')[0]));
  return `${below ? minus : plus}${text.replace(/^-/, '').replace('e-', `e${minus}`)}`;
}

class Program {
  // parts: of the frame, under no name, and of the words of sliders.
  constructor({ nodes, parts: { '': frame, ...words } }) {
    Object.assign(this, { graph: new Graph(nodes), frame, words, shown: [] });
  }

  // The path whose answers are those of these values; of none, the one that misses fewest.
  way({ ways }, values) {
    const misses = ([choices, guards]) => Object.entries(choices).filter(([name, option]) => values[name] !== option).length * 1000
      + guards.filter(([node, answer]) => Math.trunc(this.graph.get(node).data[0]) !== answer).length;
    let best = null, fewest = Infinity;
    for (const way of ways) {
      const missed = misses(way);
      if (missed < fewest) [best, fewest] = [way, missed];
      if (!fewest) break;
    }
    this.missed = fewest;
    return best[2];
  }

  text(leaf) {
    return leaf.is ?? leaf.map((piece) => (typeof piece === 'string' ? piece : formatted(this.graph.get(piece[0]).data[0], ...piece.slice(1)))).join('');
  }

  // What has changed since the last time, as Figure.show wants it.
  changes(values) {
    this.graph.set(values);
    const leaves = this.way(this.frame, values), shown = [];
    leaves.forEach((leaf, i) => {
      const path = this.frame.leaves[i], [before, since] = this.shown[i] ?? [];
      if (typeof leaf === 'number') {
        const { data, shape, age } = this.graph.get(leaf);
        if (before !== leaf || since !== age) shown.push([path, shape.length ? data.slice() : data[0], shape]);
        this.shown[i] = [leaf, age];
        return;
      }
      const value = this.text(leaf);
      if (before !== value) shown.push([path, value]);
      this.shown[i] = [value];
    });
    return shown;
  }

  // A slider's value in words.
  say(name, values) {
    this.graph.set(values);
    return this.words[name] && this.text(this.way(this.words[name], values)[0]);
  }
}
