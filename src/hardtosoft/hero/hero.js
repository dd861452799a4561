/* The landing page's figure. It knows how to draw pixels and to move a slider; what a pixel and a point of the curve
 * are, it takes from `program` and `config`, which Python wrote in front of this with the figures' own Player (script.py). */
const root = document.currentScript.closest('figure');
const find = (name) => root.querySelector(`.hero-${name}`);
const slider = root.querySelector('input'), link = find('link'), curve = find('curve');
const strip = find('strip'), plane = find('plane'), label = find('boundary');
const STEPS = slider.max, REST = 150, FAST = 20;
const out = new Float64Array(3);
let beta = 1, resting = 0, halved;

const theme = () => (document.documentElement.dataset.theme === 'dark' ? 'dark' : 'light');
const hardness = () => { program.eta({})(beta, out, 0); return out[0]; };

// ---- the plane: by the graphics card where there is WebGL, else pixel by pixel ------------------------------------

const { box } = config;
function view(width, height) {
  const scale = Math.max(width / (box.x[1] - box.x[0]), height / (box.y[1] - box.y[0]));
  const left = (box.x[0] + box.x[1] - width / scale) / 2, bottom = (box.y[0] + box.y[1] - height / scale) / 2;
  return { left, bottom, pixel: 1 / scale };
}

function shader(canvas) {
  const gl = canvas.getContext('webgl', { antialias: false, preserveDrawingBuffer: true });
  if (!gl) return null;
  const linked = gl.createProgram();
  for (const [kind, text] of [[gl.VERTEX_SHADER, 'attribute vec2 p; void main() { gl_Position = vec4(p, 0., 1.); }'], [gl.FRAGMENT_SHADER, program.fragment]]) {
    const part = gl.createShader(kind);
    gl.shaderSource(part, text);
    gl.compileShader(part);
    gl.attachShader(linked, part);
  }
  gl.linkProgram(linked);
  if (!gl.getProgramParameter(linked, gl.LINK_STATUS)) return null;
  gl.useProgram(linked);
  gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
  gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([-1, -1, 3, -1, -1, 3]), gl.STATIC_DRAW);
  gl.enableVertexAttribArray(0);
  gl.bindAttribLocation(linked, 0, 'p');
  gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0);
  const places = {};
  return (inputs, { left, bottom }, wait) => {
    gl.viewport(0, 0, canvas.width, canvas.height);
    for (const [name, value] of Object.entries({ ...inputs, left, bottom })) gl.uniform1f((places[name] ??= gl.getUniformLocation(linked, name)), value);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    if (wait) gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
  };
}

function raster(canvas) {
  const pen = canvas.getContext('2d');
  return (inputs, { left, bottom, pixel }) => {
    const { width, height } = canvas, image = pen.createImageData(width, height), data = image.data.fill(255);
    const paint = program.plane(inputs);
    for (let row = 0, at = 0; row < height; row++) {
      const y = bottom + (height - row - 0.5) * pixel;
      for (let column = 0; column < width; column++, at += 4) paint(left + (column + 0.5) * pixel, y, data, at);
    }
    pen.putImageData(image, 0, 0);
  };
}

let canvas, paint;
function begin(lost) {
  const fresh = Object.assign(document.createElement('canvas'), { className: 'hero-canvas' });
  canvas?.remove();
  plane.querySelector('.hero-exact').after(fresh);
  paint = lost ? raster(fresh) : shader(fresh);
  canvas = fresh;
  if (!paint) return begin(true);
  fresh.addEventListener('webglcontextlost', () => { begin(true); draw(); });
}

function drawPlane(full, timed) {
  const ratio = Math.min(devicePixelRatio || 1, 2) * (full || halved === false ? 1 : 0.5);
  const width = Math.round(plane.clientWidth * ratio), height = Math.round(plane.clientHeight * ratio);
  if (!width || !height) return;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const seen = view(width, height), began = performance.now();
  paint({ ...config.looks[theme()], eta: hardness(), pixel: seen.pixel, width: 1.55 * ratio }, seen, timed);
  if (timed) halved = performance.now() - began > FAST; // half the size while it moves, where the whole is slow
}

// ---- the curve ----------------------------------------------------------------------------------------------------

function drawCurve() {
  const eta = hardness(), [low, high] = config.inputs, [bottom, top] = config.heights, value = program.value({ eta }), COUNT = 240;
  let path = '';
  for (let i = 0; i <= COUNT; i++) {
    value(low + (high - low) * i / COUNT, out, 0);
    path += `${i ? 'L' : 'M'}${(1000 * i / COUNT).toFixed(1)} ${(1000 * (top - out[0]) / (top - bottom)).toFixed(1)}`;
  }
  curve.setAttribute('d', path);
  const width = strip.clientWidth;
  if (!width) return;
  if (strip.width !== width) strip.width = width;
  const pen = strip.getContext('2d'), image = pen.createImageData(width, 1), pixel = (high - low) / width;
  const shade = program.strip({ ...config.looks[theme()], eta, pixel });
  image.data.fill(255);
  for (let i = 0; i < width; i++) shade(low + (i + 0.5) * pixel, image.data, 4 * i);
  pen.putImageData(image, 0, 0);
}

// "decision boundary" along the line, at one height.
function placeLabel() {
  const logit = program.logit({ eta: hardness() }), y = config.label.y;
  const sign = (x) => { logit(x, y, out, 0); return Math.sign(out[0]); };
  let [low, high] = config.label.x;
  label.hidden = sign(low) === sign(high);
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2;
    if (sign(low) === sign(middle)) low = middle; else high = middle;
  }
  sign(low);
  const turn = Math.atan2(out[1], out[2]); // along the line, clockwise on the screen
  const upright = turn > Math.PI / 2 ? turn - Math.PI : turn < -Math.PI / 2 ? turn + Math.PI : turn;
  label.style.cssText = `--x: ${low.toFixed(4)}; --y: ${y}; rotate: ${upright.toFixed(4)}rad`;
}

// ---- moving it ----------------------------------------------------------------------------------------------------

const close = (value) => Math.abs(value - beta) < 0.013;
function draw(full = true, timed = false) {
  drawPlane(full, timed);
  drawCurve();
  placeLabel();
  const at = Math.round(beta * STEPS), decided = Math.min(1, Math.max(0, (beta - 0.15) / 0.35));
  slider.value = at;
  slider.setAttribute('aria-valuetext', config.words[at]);
  root.style.cssText = `--at: ${beta}; --decided: ${decided.toFixed(3)}; --undecided: ${Math.max(0, 1 - 3 * decided).toFixed(3)}`;
  find('beta').textContent = `β = ${beta.toFixed(2)}`;
  find('right').textContent = config.right[at];
  plane.setAttribute('aria-label', config.alts[beta === 1 ? 2 : beta === 0 ? 0 : 1]);
  link.setAttribute('href', `#${root.id}.beta=${+beta.toFixed(2)}`);
  for (const named of root.querySelectorAll('[data-beta]')) named.toggleAttribute('data-here', close(named.dataset.beta));
}

function show(value) {
  beta = Math.min(1, Math.max(0, value));
  draw(false);
  clearTimeout(resting);
  resting = setTimeout(() => draw(true, halved === undefined), REST);
}

function follow() {
  const [name, settings] = [location.hash.slice(1).split('.', 1)[0], location.hash.slice(location.hash.indexOf('.') + 1)];
  const wanted = parseFloat(new URLSearchParams(settings).get('beta'));
  if (name !== root.id || !Number.isFinite(wanted)) return false;
  player.stop();
  show(Math.round(wanted * STEPS) / STEPS);
  return true;
}

const player = new Player(root, find('play'), { at: () => beta, go: show, jumps: [0.8, 0.5, 0.2, 0, 0.2, 0.5, 0.8] });
slider.addEventListener('input', () => show(slider.value / STEPS));
for (const button of root.querySelectorAll('.hero-stops button')) button.addEventListener('click', () => show(Number(button.dataset.beta)));
addEventListener('hashchange', follow);
new ResizeObserver(() => draw()).observe(plane);
new MutationObserver(() => draw()).observe(document.documentElement, { attributeFilter: ['data-theme'] });

// Paper shows the exact polygons, which are those of β = 1.
let before = null;
addEventListener('beforeprint', () => { before ??= beta; beta = 1; draw(); });
addEventListener('afterprint', () => { if (before !== null) { beta = before; before = null; draw(); } });

root.dataset.live = '';
begin(false);
if (!follow()) draw();
