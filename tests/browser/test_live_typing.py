"""Numbers typed and points dragged in JupyterLab: torch answers them, and what is no number is refused in words."""

from __future__ import annotations

import pytest
from second_try import once_more

pytestmark = pytest.mark.browser

DOT = """
import torch
from hardtosoft.interactive.axes import beta_axis
from hardtosoft.interactive.figure import InteractiveFigure
from hardtosoft.interactive.frames import Frame, Panel, axis, dots, layout
from hardtosoft.interactive.vectors import point, vector

def drawn(place, scores, beta):
    trace = dots("dot", place[:1], place[1:], "red")
    box = layout(axis(-2, 2, (0,)), axis(-1, 1, (0,)))
    return Frame([Panel("title", "x", "A dot.", [trace], box)], f"largest {scores.max():.2f}")

figure = InteractiveFigure("dot", drawn, [
    point("place", "Centroid", 0, (-2, 2), (-1, 1), start=(0.5, -0.25)),
    vector("scores", "Scores", ("z₁", "z₂", "z₃"), -3, 3, start=(1, -0.5, 0)),
    beta_axis(0.5),
])
figure
"""


@once_more
def test_numbers_are_typed_and_a_point_is_moved_by_keys_and_mouse(open_notebook):
    notebook = open_notebook(DOT)
    notebook.run_all(figures=1)
    root = notebook.figure("dot")
    box = root.get_by_role("spinbutton", name="Scores: z₂")
    box.fill("2.25")
    assert notebook.settled(root)["scores"] == [1, 2.25, 0]
    assert root.locator(".hts-readout").inner_text() == "largest 2.25"
    box.press("Shift+ArrowUp")  # one more would leave the bounds: it stops there
    assert notebook.settled(root)["scores"] == [1, 3, 0]
    box.fill("7")
    box.press("Tab")
    assert root.locator(".hts-note", has_text="from").inner_text() == "Scores: z₂: write a number from −3 to 3."
    assert box.get_attribute("aria-invalid") == "true"
    assert notebook.settled(root)["scores"] == [1, 3, 0]
    root.locator(".hts-reset").click()
    assert notebook.settled(root) == {"place": [0.5, -0.25], "scores": [1, -0.5, 0], "beta": 0.5}
    assert box.input_value() == "-0.5"
    assert box.get_attribute("aria-invalid") is None

    across = root.get_by_role("slider", name="Centroid, x₁")
    across.focus()
    for key in ("ArrowRight", "ArrowUp", "Shift+ArrowLeft"):
        across.press(key)
    assert notebook.settled(root)["place"] == pytest.approx([0.05, -0.2])
    assert across.get_attribute("aria-valuetext") == "x₁ = 0.05"
    ring = root.locator(".hts-handle").bounding_box()
    middle = ring["x"] + ring["width"] / 2, ring["y"] + ring["height"] / 2
    notebook.page.mouse.move(*middle)
    notebook.page.mouse.down()
    notebook.page.mouse.move(middle[0] + 40, middle[1] - 20, steps=4)
    notebook.page.mouse.up()
    x, y = notebook.settled(root)["place"]
    assert x > 0.2
    assert y > -0.15
    moved = root.locator(".hts-handle").bounding_box()
    assert [moved["x"] - ring["x"], moved["y"] - ring["y"]] == pytest.approx([40, -20], abs=2)
    assert notebook.errors == []
