"""Layer upon layer: each cuts every region of the layers before along a power diagram of its own."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from betavq import MASO, geometry

from ...drawing.edges import edges
from ...drawing.raster import Plane
from ...drawing.strokes import filled, parted
from ...interactive import palette
from ...interactive.axes import Axis, Value, check_option, choice, sliding
from ...interactive.figure import InteractiveFigure
from ...interactive.frames import Frame, Panel, Trace, axis, dots, heatmap, layout, line, path
from ...interactive.numbers import saying

PLANE = Plane((-3.0, 3.0), (-2.4, 2.4), 70, 56)
CORNERS = [(PLANE.x[i], PLANE.y[j]) for i, j in ((0, 0), (1, 0), (1, 1), (0, 1))]
SIZES, SEED, LEFT_SLOPE = (2, 5, 5, 5), 11, 0.1
DEPTHS = {"one layer": 1, "two layers": 2, "three layers": 3}
HEIGHT = -0.6  # x₂ of the marked input
MOST_CORNERS = 16  # of a region
#: Edges by the layer that made them: colour and width.
EDGES = ((palette.INK, 3.5), (palette.BLUE, 2.2), (palette.ORANGE, 1.2))
GAMMAS = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05)


@cache
def network() -> nn.Sequential:
    """Three layers of leaky ReLUs on two inputs, their weights drawn at random."""
    generator = torch.Generator().manual_seed(SEED)
    layers: list[nn.Module] = []
    for into, out in pairwise(SIZES):
        linear = nn.Linear(into, out).double()
        for values, spread in ((linear.weight, (1 / into) ** 0.5), (linear.bias, 0.6)):
            values.data = spread * torch.randn(values.shape, generator=generator, dtype=torch.float64)
        layers += [linear, nn.LeakyReLU(LEFT_SLOPE)]
    return nn.Sequential(*layers).eval()


def first_layers(depth: int) -> nn.Sequential:
    """The network's first layers of units."""
    return nn.Sequential(*list(network())[: 2 * depth]).eval()


@cache
def layer(depth: int) -> MASO:
    """One layer of the network as a MASO; ``depth`` counts from 1."""
    linear, activation = network()[2 * depth - 2], network()[2 * depth - 1]
    assert isinstance(linear, nn.Linear)
    return MASO.from_layers(linear, activation=activation)


@cache
def partition(depth: int) -> geometry.Partition:
    """The regions of the first layers in the picture; without a layer, the picture."""
    model = first_layers(depth) if depth else nn.Identity().eval()
    return geometry.partition(model, CORNERS, progress=lambda *_: None)


def pulled_back(depth: int, x: Tensor) -> MASO:
    """A layer as a function of the network's input, as it is in the region that the layers before make around x."""
    own = layer(depth)
    slopes, offsets = own.slopes.detach(), own.offsets.detach()
    if depth == 1:
        return own
    (matrix,), (shift,) = geometry.affine_map(first_layers(depth - 1), x[None])
    return MASO(slopes @ matrix, offsets + slopes @ shift)


def depth_frame(depth: str, along: float) -> Frame:
    """The regions after so many layers, and the power diagram that made those around an input.

    Raises:
        ValueError: a depth that is not offered.
    """
    check_option("depth", depth, DEPTHS)
    count = DEPTHS[depth]
    x = torch.tensor([along, HEIGHT], dtype=torch.float64)
    regions, before = partition(count), partition(count - 1)
    region = before[int(before.locate(x[None])[0])]
    own = pulled_back(count, x)
    numbers = [len(partition(each)) for each in range(1, 4)]
    inside = int((before.locate(regions.centres) == before.locate(x[None])[0]).sum())
    left = Panel(
        title=f"Regions after {depth}",
        xlabel="inputs x₁ (across) and x₂ (up)",
        alt=f"After {depth} the picture has {len(regions)} regions: each layer has cut those of the layers before.",
        traces=[_tint("region of x", _same_region(count, x)), *_edges(regions, count), *_marks(x, region)],
        layout=PLANE.layout((-2, 0, 2), (-2, 0, 2)),
        aspect=PLANE.aspect,
    )
    lines = np.concatenate([edges(_unit(own, k), PLANE.x, PLANE.y)[0] for k in range(own.num_units)])
    straight = path("straight on", lines, EDGES[count - 1][0], width=EDGES[count - 1][1], label="straight on")
    right = Panel(
        title="Its last cut around x, straight on",
        xlabel="thick outline: where it holds",
        alt=f"The power diagram of layer {count} around x has straight lines only. Inside the thick outline, the "
        f"region that the layers before leave around x, they are the edges of the left picture; they make {inside} "
        "regions of it.",
        traces=[_tint("cell of x", _same_code(own, x)), straight, *_marks(x, region)],
        layout=PLANE.layout((-2, 0, 2), (-2, 0, 2)),
        aspect=PLANE.aspect,
    )
    readout = (
        f"Regions here after one, two and three layers: {numbers[0]}, {numbers[1]}, {numbers[2]}. "
        f"Inside the thick outline: {inside}."
    )
    return Frame([left, right], readout)


def _unit(maso: MASO, k: int) -> MASO:
    return MASO(maso.slopes[k : k + 1], maso.offsets[k : k + 1])


@cache
def _located(depth: int) -> Tensor:
    """The region of every point of the picture after so many layers, ``(N,)``."""
    return torch.from_numpy(partition(depth).locate(PLANE.points))


def _same_region(depth: int, x: Tensor) -> Tensor:
    """The region of x after so many layers, as a map."""
    return PLANE.means((_located(depth) == int(partition(depth).locate(x[None])[0])).double())


def _same_code(maso: MASO, x: Tensor) -> Tensor:
    """Where a layer selects as at x, as a map."""
    return PLANE.means((maso.selection(PLANE.points) == maso.selection(x)).all(1).double())


def _tint(name: str, shares: Tensor) -> Trace:
    return heatmap(name, shares, PLANE.x, PLANE.y, palette.GREEN)


def _edges(regions: geometry.Partition, depth: int) -> list[Trace]:
    """The edges that each layer made; those of layers that are not counted are absent."""
    found = []
    for made_by, (colour, width) in enumerate(EDGES, start=1):
        shown = _segments(regions, made_by) if made_by <= depth else np.empty((0, 2))
        x, y = filled(shown, 3 * most_segments(made_by)).T
        found.append(line(f"edges of layer {made_by}", x, y, colour, width=width, label=f"layer {made_by}"))
    return found


def _segments(regions: geometry.Partition, made_by: int) -> Tensor:
    """The shared edges that a layer made: two ends and a gap each, ``(3S, 2)``."""
    neighbours = regions.neighbours
    return parted(neighbours.segments[neighbours.depths == made_by])


@cache
def most_segments(made_by: int) -> int:
    """How many edges a layer has made in the deepest partition, which has the most pieces of them."""
    return len(_segments(partition(3), made_by)) // 3


def _marks(x: Tensor, region: geometry.Region) -> list[Trace]:
    outline = filled(np.concatenate([region.polygon, region.polygon[:1]]), MOST_CORNERS)
    return [
        path("region of the layers before", outline, palette.PURPLE, width=5, label=""),
        dots("input x", x[:1], x[1:], palette.INK, symbol="square", size=10, label="x"),
    ]


class WeightedSums(nn.Module):
    """Σ over the layers of γ^(layer − 1) times the sum of its outputs: ``(N, 2)`` → ``(N, 1)``."""

    def __init__(self, gamma: float) -> None:
        super().__init__()
        self.gamma, self.layers = gamma, nn.ModuleList(layer(depth) for depth in range(1, len(SIZES)))

    def forward(self, x: Tensor) -> Tensor:
        total, weight = x.new_zeros(len(x), 1), 1.0
        for each in self.layers:
            x = each(x)
            total, weight = total + weight * x.sum(1, keepdim=True), weight * self.gamma
        return total


@cache
def one_diagram(gamma: float) -> geometry.PowerDiagram:
    """One centroid a region of the whole network: the slope of :class:`WeightedSums` there, with its offset."""
    centres = torch.from_numpy(partition(3).centres)
    slopes, offsets = geometry.affine_map(WeightedSums(gamma), centres)
    centroids = slopes[:, 0]
    codes = torch.arange(len(centres))[:, None]
    return geometry.PowerDiagram(codes, centroids, centroids.square().sum(1) + 2 * offsets[:, 0])


@cache
def in_own_cell(gamma: float) -> Tensor:
    """At which points of the picture the diagram has the region that the network has, ``(N,)``."""
    return one_diagram(gamma).cell(PLANE.points) == _located(3)


def one_diagram_frame(gamma: float) -> Frame:
    """Where a single power diagram has the network's regions, and how the share grows as γ falls."""
    right = in_own_cell(gamma)
    share = right.double().mean().item()
    shares = [100 * in_own_cell(each).double().mean().item() for each in GAMMAS]
    regions = partition(3)
    words = "everywhere" if bool(right.all()) else f"in {100 * share:.1f} % of the picture"
    picture = Panel(
        title="Orange: in a wrong cell",
        xlabel="edges: the network’s regions",
        alt=f"At γ = {gamma:g} one power diagram with {len(regions)} centroids has the network’s regions {words}.",
        traces=[
            heatmap("in a wrong cell", PLANE.means((~right).double()), PLANE.x, PLANE.y, palette.ORANGE),
            *_edges(regions, 3),
        ],
        layout=PLANE.layout((-2, 0, 2), (-2, 0, 2)),
        aspect=PLANE.aspect,
    )
    curve = Panel(
        title="Share of the picture in its own cell",
        xlabel="γ",
        alt="The share grows as γ falls and reaches 100 %.",
        traces=[
            line("correctly assigned, %", list(GAMMAS), shares, palette.BLUE, width=4.5, label=""),
            dots("this γ", [gamma], [100 * share], palette.BLUE, size=13, label=f"{100 * share:.0f} %"),
        ],
        layout=layout(axis(0, 1.03, (0, 0.5, 1), ("0", "½", "1")), axis(0, 104, (0, 25, 50, 75, 100))),
    )
    readout = f"γ = {gamma:g}: {int(right.sum()):,} of {len(right):,} points are in the cell of their region."
    return Frame([picture, curve], readout)


def depth_figure() -> InteractiveFigure:
    """Buttons for the depth, a slider for the input."""
    caption = (
        "Left: the regions after so many layers; the edges that a layer made are the thinner the later it came. The "
        "thick outline is the region that the layers before leave around x. Right: how the last layer cuts it, with "
        "its lines drawn on beyond the outline. Inside the outline the two pictures agree. Outside, the lines go "
        "straight on where the edges turn. Move x over the outline, and the right picture jumps."
    )
    depth = choice("depth", "Depth", tuple(DEPTHS), start="two layers")
    along = sliding("along", "x₁ of the input", -2.8, 2.8, 0.2, start=-1.2, say=saying("x₁"))
    return InteractiveFigure("deep-cells", depth_frame, [depth, along], caption=caption)


def one_diagram_figure() -> InteractiveFigure:
    """A slider for the weight of later layers."""
    named: dict[Value, str] = {1.0: "all alike", 0.5: "each half", 0.1: "a tenth"}
    gamma = Axis("gamma", "γ, weight of the next layer", GAMMAS[::-1], 1.0, named, say=lambda g: f"γ = {g:g}")
    caption = (
        "Every region has one centroid: the slope there of the sum of all outputs, each layer weighed γ times as much "
        "as the one before. Orange: points that this power diagram puts into the cell of another region. Make γ "
        "smaller, and the orange goes."
    )
    return InteractiveFigure("one-diagram", one_diagram_frame, [gamma], caption=caption)
