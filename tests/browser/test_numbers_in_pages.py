"""The numbers that a page unpacks are those that Python packed, gap for gap."""

from __future__ import annotations

import json

import numpy as np
import pytest
from book_figures import FIGURES, PAGES
from figures_in_pages import figure, on_pages

from hardtosoft.interactive.states import unpack

pytestmark = [pytest.mark.browser, pytest.mark.site]

# As one text: playwright takes a list number by number. A gap, NaN, is written as null.
SHOWN = """(root, [indices, paths]) => {
  root.hts.set(indices);
  return JSON.stringify(paths.map(path => [...path.reduce((node, key) => node[key], root.hts.config.frame)]));
}"""


# What a reader may change is another figure in its chapter than here; what a page computes has tests of its own.
PACKED = {name: home for name, home in PAGES.items() if not (name.startswith("your-") or FIGURES[name].traced)}


@on_pages(sorted(set(PACKED.values())), 1280)
def test_pages_show_the_numbers_that_were_packed(visit):
    for name in (name for name, home in PACKED.items() if home == visit.path):
        axes, table = FIGURES[name].axes, FIGURES[name].table
        arrays, root = unpack(table), figure(visit.page, name)
        for row in {*range(0, len(table.states), max(1, len(table.states) // 12)), len(table.states) - 1}:
            indices = [axis.values.index(table.states[row][axis.name]) for axis in axes]
            found = json.loads(root.evaluate(SHOWN, [indices, [block.path for block in table.blocks]]))
            for block, numbers in zip(table.blocks, found, strict=True):
                expected = arrays[block.path][row].ravel()
                tiny = (block.high - block.low) * 1e-12
                np.testing.assert_allclose(np.array(numbers, dtype=float), expected, rtol=1e-12, atol=tiny)
        root.locator(".hts-reset").click()
