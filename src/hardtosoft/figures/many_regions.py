"""More than ten thousand exact regions of a larger network, at once."""

from __future__ import annotations

from functools import cache

import torch
from torch import nn

from betavq.geometry import Partition, partition

from .. import palette
from ..axes import Value, choice, sliding
from ..frames import Frame, Panel, axis, layout
from ..interactive import InteractiveFigure
from ..regions import Array, code_shades, count_to, rectangle, regions, relief

BOX = (-1.0, 1.0)
WIDTH, DEPTH, SEED = 64, 3, 2
SCALES = {"code": palette.MAP_SCALE, "relief": palette.RELIEF_SCALE}
RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
NUMBERS = ("no layer", "layer 1", "layers 1 and 2", "layers 1 to 3")


def random_network(width: int = WIDTH, depth: int = DEPTH, seed: int = SEED) -> nn.Sequential:
    """A ReLU network of two inputs and one output with He's initial weights, float64: always the same for a seed."""
    generator = torch.Generator().manual_seed(seed)
    layers: list[nn.Module] = []
    for inputs in (2, *[width] * (depth - 1)):
        layers += [_linear(inputs, width, generator), nn.ReLU()]
    return nn.Sequential(*layers, _linear(width, 1, generator)).eval()


def _linear(inputs: int, outputs: int, generator: torch.Generator) -> nn.Linear:
    layer = nn.Linear(inputs, outputs, dtype=torch.float64)
    for values, bound in ((layer.weight, (6 / inputs) ** 0.5), (layer.bias, inputs**-0.5)):
        numbers = torch.rand(values.shape, generator=generator, dtype=torch.float64)
        values.data = bound * (2 * numbers - 1)
    return layer


@cache
def many_regions() -> Partition:
    """The regions of the random network in the box."""
    return partition(random_network(), rectangle(BOX, BOX))


@cache
def _shades(shade: str, depth: int) -> Array:
    found = many_regions()
    return relief(found, steepness=0.5) if shade == "relief" else code_shades(found, depth)


def many_regions_frame(shade: str, depth: float) -> Frame:
    """All regions, with the edges of the first ``depth`` layers."""
    found, layers = many_regions(), min(max(round(depth), 0), DEPTH)
    count = count_to(found, layers)
    panel = Panel(
        title=f"Regions of {NUMBERS[layers]}: {count:,}",
        xlabel="input x₁ across, x₂ up",
        alt=f"{_known(layers)} cut the square into {count:,} convex polygons, small where many lines meet.",
        traces=[regions(found, layers, _shades(shade, layers), scale=SCALES[shade], thickness=0.6)],
        layout=layout(axis(*BOX, (-1, 0, 1), grid=False), axis(*BOX, (-1, 0, 1), grid=False)),
        aspect=1.0,
        large=True,
    )
    units = layers * WIDTH
    words = (
        f"{units} units: {count:,} regions on the square, of 2{str(units).translate(RAISED)} codes."
        if units
        else "No unit: one region."
    )
    return Frame([panel], words)


def _known(layers: int) -> str:
    return ("No lines", "Straight lines", "Straight and bent lines", "Lines that bend ever more often")[layers]


def many_regions_figure() -> InteractiveFigure:
    """A slider for the layers shown, and two ways to colour the regions."""
    caption = (
        "Add one layer after the other. Each region of the layers before is cut by straight lines of its own, so the "
        "new lines bend at every older line. Then choose “relief”: the output of the network is drawn as a surface "
        "under a lamp, every region a flat facet. Without a layer shown you see the facets alone."
    )
    named: dict[Value, str] = {0.0: "none", 1.0: "one", 2.0: "two", 3.0: "all"}
    depth = sliding("depth", "Layers shown", 0, DEPTH, 1, start=3.0, named=named, say=_say_depth)
    shades = choice("shade", "Shade", tuple(SCALES), start="code")
    return InteractiveFigure("many-regions", many_regions_frame, [shades, depth], caption=caption)


def _say_depth(value: Value) -> str:
    return NUMBERS[min(max(round(float(value)), 0), DEPTH)]
