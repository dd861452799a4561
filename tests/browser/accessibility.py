"""What axe makes of a page: every rule, best practices included, or those that a theme can change the verdict of."""

from __future__ import annotations

from collections.abc import Sequence

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

#: The rules of axe that a theme can change the verdict of.
OF_COLOUR = ("color-contrast", "link-in-text-block")

# Most of axe's time goes into where every element lies and what is behind it. Two kinds of elements are most of a
# chapter, and axe need not see them all. A formula's glyphs hold no text (what is read is beside them, as MathML):
# they are taken out of their box, which keeps its size. And outside the figures, where nothing lies on anything else,
# many texts look alike, in colour, weight, size and all grounds behind them: the first that can be seen is tried.
PREPARE = """() => {
  // All are measured before one is changed: a change makes the browser lay the page out anew.
  const formulas = [...document.querySelectorAll('mjx-container > mjx-math')];
  const boxes = formulas.map((glyphs) => glyphs.getBoundingClientRect());
  formulas.forEach((glyphs, i) => {
    glyphs.replaceChildren();
    const { width, height } = boxes[i];
    Object.assign(glyphs.style, { display: 'inline-block', width: `${width}px`, height: `${height}px` });
  });
  const grounds = new Map(), seen = new Set();
  const ground = (element) => {
    if (!element) return '';
    if (!grounds.has(element)) {
      const { backgroundColor, backgroundImage, opacity } = getComputedStyle(element);
      grounds.set(element, [ground(element.parentElement), backgroundColor, backgroundImage, opacity].join());
    }
    return grounds.get(element);
  };
  const written = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  const inSight = (element) => {
    const { width, height } = element.getBoundingClientRect();
    return width > 4 && height > 4 && element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  };
  for (const element of document.querySelectorAll('body :not(.hts-figure *, svg *, script, style)')) {
    if (!written(element) || !inSight(element)) continue;
    const { color, fontSize, fontWeight } = getComputedStyle(element);
    const look = [color, fontSize, fontWeight, ground(element)].join();
    element.toggleAttribute('data-alike', seen.has(look));
    seen.add(look);
  }
  axe.configure({ rules: [{ id: 'color-contrast', selector: '*:not([data-alike])' }] });
}"""


def violations(page: Page, rules: Sequence[str] = ()) -> list[str]:
    """Every element of the page that breaks a rule of axe, best practices included: ``rule: element``.

    With ``rules``, only these are tried. Formulas of the page have lost their glyphs afterwards.
    """
    axe = Axe()
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe.axe_script)
    page.evaluate(PREPARE)
    options: dict[str, object] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = {"type": "rule", "values": list(rules)}
    found = page.evaluate("(options) => axe.run(document, options).then((found) => found.violations)", options)
    return [f"{rule['id']}: {node['html'][:200]}" for rule in found for node in rule["nodes"]]
