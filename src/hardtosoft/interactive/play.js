/* A sweep along one slider: on request alone, and over as soon as a reader does anything else with the figure.
 *
 * A part of the figures' script and of the landing page's (driver.py puts the parts together).
 */
const ROUND = 9000, JUMP = 1200; // ms: for a whole sweep, and where motion is not wanted between two stops of it

class Player {
  // at(): where the slider stands, from 0 to 1. go(to): put it there. jumps: where it stops if motion is not wanted.
  constructor(root, button, { at, go, jumps }) {
    Object.assign(this, { button, at, go, jumps, timer: 0, frame: 0 });
    button.addEventListener('click', () => (this.playing ? this.stop() : this.start()));
    for (const kind of ['pointerdown', 'keydown', 'click', 'input'])
      root.addEventListener(kind, ({ target, key }) => {
        const pressed = button.contains(target) && (!key || key === 'Enter' || key === ' ');
        if (!pressed) this.stop();
      }, { capture: true });
  }

  get playing() { return this.button.getAttribute('aria-pressed') === 'true'; }

  stop() {
    clearTimeout(this.timer);
    cancelAnimationFrame(this.frame);
    this.button.setAttribute('aria-pressed', 'false');
  }

  start() {
    this.button.setAttribute('aria-pressed', 'true');
    const begun = this.at();
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) this.jump([...this.jumps.slice(this.jumps[0] === begun), begun]);
    else this.sweep(begun);
  }

  jump([next, ...others]) {
    this.go(next);
    if (others.length) this.timer = setTimeout(() => this.jump(others), JUMP);
    else this.stop();
  }

  // One round of a cosine: from where it stands down to 0, up to 1, and back.
  sweep(begun) {
    const from = Math.acos(2 * begun - 1) / (2 * Math.PI);
    let first;
    const step = (now) => {
      const part = (now - (first ??= now)) / ROUND;
      if (part >= 1) { this.stop(); this.go(begun); return; }
      this.frame = requestAnimationFrame(step);
      this.go(0.5 + 0.5 * Math.cos(2 * Math.PI * (from + part)));
    };
    this.frame = requestAnimationFrame(step);
  }
}
