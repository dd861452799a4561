"""The exact regions of the two-moons network: layer by layer, and step by step of its training."""

from __future__ import annotations

from ...drawing.moons import BOX, LAYOUT, moons, moons_boundary, moons_partition
from ...drawing.regions import code_shades, count_to, joined, layer_names, regions
from ...interactive import palette
from ...interactive.axes import Axis, Value, sliding
from ...interactive.figure import InteractiveFigure
from ...interactive.frames import Frame, Panel, path
from ...results.networks import moons_snapshots, two_moons_test_set

DEPTHS = ("no layer", "layer 1", "layers 1 and 2")


def nearest_step(step: float) -> int:
    """The step that was kept and is nearest."""
    return min(moons_snapshots(), key=lambda kept: abs(kept - step))


def moon_regions_frame(step: float, depth: float) -> Frame:
    """The regions of the first ``depth`` layers after so much training, and the network's decision boundary."""
    kept, layers = nearest_step(step), min(max(round(depth), 0), 2)
    found = moons_partition(kept)
    edge = joined(moons_boundary(kept))
    count = count_to(found, layers)
    right = moons_snapshots()[kept].accuracy(*two_moons_test_set(), 1.0)
    panel = Panel(
        title=f"Regions of {DEPTHS[layers]}, after {kept} steps",
        xlabel="input x₁ across, x₂ up; one shade for each code",
        alt=f"After {kept} steps {_cut(layers, count)}; {100 * right:.0f} % of new points are classified correctly.",
        traces=[
            regions(found, layers, code_shades(found, layers)),
            *moons(),
            path("decision boundary", edge, palette.INK, width=3.5, label=True),
            *layer_names(found, layers),
        ],
        layout=LAYOUT,
        aspect=BOX.aspect,
        large=True,
    )
    counts = [count_to(found, layer) for layer in (1, 2)]
    words = f"Step {kept}: {counts[0]} regions after layer 1, {counts[1]} after layer 2; {100 * right:.1f} % right."
    return Frame([panel], words)


def _cut(layers: int, count: int) -> str:
    if not layers:
        return "no line cuts the plane before a layer is shown"
    lines = "straight lines" if layers == 1 else "lines that bend where they cross each other"
    return f"{lines} cut the box into {count} convex polygons"


def _say_step(value: Value) -> str:
    return f"{nearest_step(float(value))} steps"


def _say_depth(value: Value) -> str:
    return DEPTHS[min(max(round(float(value)), 0), 2)]


def step_axis() -> Axis:
    """Steps of training that were kept; training is slow to change anything at its end, so they are not even."""
    kept = tuple(float(step) for step in moons_snapshots())
    named: dict[Value, str] = {0.0: "untrained", 50.0: "early", 1500.0: "trained"}
    return Axis("step", "Training", kept, 1500.0, named, say=_say_step)


def moon_regions_figure() -> InteractiveFigure:
    """Sliders for the layers that are shown and for the training."""
    caption = (
        "Take the layers away: layer 1 draws straight lines, one for each unit that switches in the box. Layer 2 "
        "adds lines that bend wherever they cross a line of layer 1, and nowhere else. Then go back to the start of "
        "the training and move forward with the arrow key: the lines wander. The thick line is where the network "
        "decides. It bends at the edges too."
    )
    named: dict[Value, str] = {0.0: "none", 1.0: "one", 2.0: "both"}
    depth = sliding("depth", "Layers shown", 0, 2, 1, start=2.0, named=named, say=_say_depth)
    return InteractiveFigure("moon-regions", moon_regions_frame, [step_axis(), depth], caption=caption)
