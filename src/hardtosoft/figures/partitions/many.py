"""More than ten thousand exact regions of a larger network at once, and those of a network that a reader makes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache

import torch
from torch import nn

from betavq.geometry import Partition, partition

from ...drawing.regions import LAYERS, code_shades, count_to, layer_names, rectangle, regions, relief
from ...interactive import palette
from ...interactive.axes import Axis, Value, choice, sliding
from ...interactive.figure import InteractiveFigure
from ...interactive.frames import Array, Frame, Panel, axis, layout
from ...interactive.numbers import raised

BOX = (-1.0, 1.0)
WIDTHS, SEED = (64, 64, 64), 2
MOST_UNITS = 256  # of a network that a reader makes
SCALES = {"code": palette.MAP_SCALE, "relief": palette.RELIEF_SCALE}


def random_network(widths: Sequence[int] = WIDTHS, seed: int = SEED) -> nn.Sequential:
    """A ReLU network of two inputs and one output with He's initial weights, float64: always the same for a seed."""
    generator = torch.Generator().manual_seed(seed)
    layers: list[nn.Module] = []
    for inputs, outputs in zip((2, *widths), widths, strict=False):
        layers += [_linear(inputs, outputs, generator), nn.ReLU()]
    return nn.Sequential(*layers, _linear(widths[-1], 1, generator)).eval()


def _linear(inputs: int, outputs: int, generator: torch.Generator) -> nn.Linear:
    layer = nn.Linear(inputs, outputs, dtype=torch.float64)
    for values, bound in ((layer.weight, (6 / inputs) ** 0.5), (layer.bias, inputs**-0.5)):
        numbers = torch.rand(values.shape, generator=generator, dtype=torch.float64)
        values.data = bound * (2 * numbers - 1)
    return layer


@lru_cache(maxsize=3)  # each takes some megabytes
def random_regions(widths: tuple[int, ...] = WIDTHS, seed: int = SEED) -> Partition:
    """The regions of a random network in the box."""
    return partition(random_network(widths, seed), rectangle(BOX, BOX))


@cache
def _shades(found: Partition, shade: str, depth: int) -> Array:
    return relief(found, steepness=0.5) if shade == "relief" else code_shades(found, depth)


def many_regions_frame(shade: str, depth: float, widths: tuple[int, ...] = WIDTHS) -> Frame:
    """All regions of the first ``depth`` layers."""
    found, layers = random_regions(widths), _layers(depth, widths)
    count = count_to(found, layers)
    large = len(found) > 3000
    # The relief is that of the whole network, whatever lines are drawn upon it.
    on_relief = f", on a relief of {len(found):,} facets" if shade == "relief" and layers < len(widths) else ""
    panel = Panel(
        title=f"Regions of {_name(layers)}: {count:,}{on_relief}",
        xlabel="input x₁ across, x₂ up",
        alt=f"{_lines(layers)} the square into {count:,} convex polygons, small where many lines meet.",
        traces=[
            regions(
                found,
                layers,
                _shades(found, shade, layers),
                scale=SCALES[shade],
                thickness=0.6 if large else 1.0,
                opacity=0.4 if shade == "relief" else 1.0,
            ),
            *layer_names(found, layers),
        ],
        layout=layout(axis(*BOX, (-1, 0, 1), grid=False), axis(*BOX, (-1, 0, 1), grid=False)),
        aspect=1.0,
        large=large,
    )
    units = sum(widths[:layers])
    words = (
        f"{units} units: {count:,} regions on the square, of 2{raised(units)} codes."
        if units
        else "No unit: one region."
    )
    facets = f" The relief is that of all {sum(widths)} units: {len(found):,} facets." if on_relief else ""
    return Frame([panel], words + facets)


def _lines(layers: int) -> str:
    if layers < 2:
        return "Straight lines cut" if layers else "No line cuts"
    return "Lines that bend where they cross those of layers before cut"


def _layers(depth: Value, widths: Sequence[int]) -> int:
    return min(max(round(float(depth)), 0), len(widths))


def _name(layers: int) -> str:
    return ("no layer", "layer 1", "layers 1 and 2")[layers] if layers < 3 else f"layers 1 to {layers}"


def _depth_axis(widths: Sequence[int]) -> Axis:
    names = ("none", "one", "two", "three", "four")
    named: dict[Value, str] = {float(k): name for k, name in enumerate(names[: len(widths) + 1])}

    def say(value: Value) -> str:
        return _name(_layers(value, widths))

    return sliding("depth", "Layers shown", 0, len(widths), 1, start=float(len(widths)), named=named, say=say)


def many_regions_figure() -> InteractiveFigure:
    """A slider for the layers shown, and two ways to colour the regions."""
    caption = (
        "Add one layer after the other. Each region of the layers before is cut by straight lines of its own, so the "
        "new lines bend at every older line. The relief is the output of the network as a surface under a lamp, "
        "every region a flat facet; with no layer shown you see the facets alone. “Code” gives each region a shade."
    )
    shades = choice("shade", "Shade", tuple(SCALES), start="relief")
    return InteractiveFigure("many-regions", many_regions_frame, [shades, _depth_axis(WIDTHS)], caption=caption)


def your_regions_figure(widths: Sequence[int]) -> InteractiveFigure:
    """The regions of a random network with layers of these widths.

    Raises:
        ValueError: not one to four layers, or more than 256 units in all.
    """
    given = tuple(widths)
    if not 1 <= len(given) <= len(LAYERS) or min(given) < 1 or sum(given) > MOST_UNITS:
        raise ValueError(f"widths must be 1 to {len(LAYERS)} numbers, {MOST_UNITS} units in all, got {list(given)}")
    shades = choice("shade", "Shade", tuple(SCALES), start="relief")
    caption = "Take the layers away one by one. How many regions does each of them add?"

    def frame(shade: str, depth: float) -> Frame:
        return many_regions_frame(shade, depth, given)

    return InteractiveFigure("your-regions", frame, [shades, _depth_axis(given)], caption=caption)
