"""Figures of the built pages, and what is drawn in them, for the tests beside this file."""

from __future__ import annotations

import numpy as np
import pytest
import torch.nn.functional as F

from hardtosoft.figures.relu_to_swish import units

# The drawn line of a trace as pairs of numbers on its axes, whoever drew it: plotly, or the page before plotly.
DRAWN = """(root, trace) => {
  const plot = root.querySelector('.hts-plot'), live = 'live' in plot.dataset;
  const path = plot.querySelector(live ? `.tracet${trace} .js-line` : `[data-trace="${trace}"]`).getAttribute('d');
  const spec = root.hts.config.frame.panels[0].layout, size = plot.querySelector('.hts-plotly')._fullLayout?._size;
  const [w, h] = live ? [size.w, size.h] : [1000, 1000];
  const [x0, x1] = spec.xaxis.range, [y0, y1] = spec.yaxis.range;
  const pixels = [...path.matchAll(/[ML]?(-?[\\d.]+)[ ,](-?[\\d.]+)/g)];
  return pixels.map(([, x, y]) => [x0 + x / w * (x1 - x0), y0 + (1 - y / h) * (y1 - y0)]);
}"""


def on_pages(paths, *widths):
    """Run a test on a visit to each of the pages at each of the widths; visits are shared by all tests of a page."""
    visits = [(path, width) for path in paths for width in widths]
    return pytest.mark.parametrize("visit", visits, indirect=True, ids=lambda visit: "-".join(map(str, visit)))


def figure(page, name, state="plotly"):
    root = page.locator(f"#{name}")
    root.scroll_into_view_if_needed()
    page.wait_for_selector(f"#{name}[data-ready={state}]")
    return root


def slider(root, axis="beta"):
    return root.locator(f"[data-axis={axis}] input[type=range]")


def words(root, axis="beta"):
    return root.locator(f"[data-axis={axis}] output").inner_text()


def curve_index(root):
    return root.evaluate("r => r.hts.config.frame.panels[0].traces.findIndex(t => t.name === 'value at this β')")


def drawn_curve(root):
    points = np.array(root.evaluate(DRAWN, curve_index(root)))
    return np.interp(units.INPUTS.numpy(), points[:, 0], points[:, 1])


def known_curve(beta):
    return {0.0: lambda u: u / 2, 0.5: F.silu, 1.0: F.relu}[beta](units.INPUTS).numpy()


def assert_curve(found, beta, accuracy):
    known, seen = known_curve(beta), known_curve(beta) <= 5  # what lies in the plot
    assert np.abs(np.asarray(found) - known)[seen].max() <= accuracy * np.ptp(known)
