"""Names in the pictures of every page: at every named stop, wide and on a phone, none covers another."""

from __future__ import annotations

import pytest
from book_figures import PAGES
from figures_in_pages import on_pages
from test_every_figure import mount_all

pytestmark = [pytest.mark.browser, pytest.mark.site]

# At all named stops of all axes: names that overlap, leave their picture or are smaller than 11 pixels.
AMISS = """() => {
  const overlap = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 0.5
    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
  const leaves = (a, b) => a.left < b.left - 12 || a.right > b.right + 12
    || a.top < b.top - 10 || a.bottom > b.bottom + 12;
  const amiss = (area) => {
    const frame = area.getBoundingClientRect();
    const shown = [...area.querySelectorAll('.hts-names > span')].filter(s => s.style.visibility !== 'hidden');
    const boxes = shown.map(s => s.getBoundingClientRect());
    return shown.flatMap((span, i) => [
      ...(parseFloat(getComputedStyle(span).fontSize) < 11 ? ['is small'] : []),
      ...(leaves(boxes[i], frame) ? ['leaves its picture'] : []),
      ...shown.filter((_, k) => k > i && overlap(boxes[i], boxes[k])).map(other => `covers ${other.textContent}`),
    ].map(what => `${span.textContent} ${what}`));
  };
  return [...document.querySelectorAll('.hts-figure:not(.hero)')].flatMap(root => {
    const { axes } = root.hts.config, found = new Set();
    const named = (control) => [...control.querySelectorAll('.hts-stops button, input[type=radio]')];
    const stops = root.hts.controls.map(named).map((all) => all.map(one => Number(one.dataset.index ?? one.value)));
    const states = axes.reduce((all, { start }, i) =>
      all.flatMap(one => [...new Set([...stops[i], start])].map(at => [...one, at])), [[]]);
    for (const state of states) {
      root.hts.set(state);
      for (const area of root.querySelectorAll('.hts-area'))
        for (const what of amiss(area)) found.add(`${root.id} ${state}: ${what}`);
    }
    root.hts.set(axes.map(axis => axis.start));
    return [...found];
  });
}"""
ON_EVERY_PAGE = on_pages(sorted(set(PAGES.values())), 1280, 360)


@ON_EVERY_PAGE
def test_no_name_covers_another_leaves_its_picture_or_is_small(visit):
    mount_all(visit.page)
    assert visit.page.evaluate(AMISS) == []
