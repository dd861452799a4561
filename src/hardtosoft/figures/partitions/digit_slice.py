"""A plane through three handwritten digits, with the regions and the classes of a network that reads them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor, nn

from betavq.geometry import Partition, distance_to_border, partition

from ...drawing.looks import blank
from ...drawing.regions import Look, count_to, layer_names, rectangle, regions
from ...interactive import palette
from ...interactive.axes import Value, sliding
from ...interactive.figure import InteractiveFigure
from ...interactive.frames import Array, Frame, Panel, Trace, array, axis, dots, layout, path, picture
from ...interactive.overlays import texts
from ...results.networks import digits_test_set, load_digits_network, module_of

DIGITS = (1, 7, 9)
MARGIN = 0.6
#: Colour and symbol of each class on the plane; what else it may be read as has the last.
CLASSES = {1: (palette.BLUE, "circle"), 7: (palette.ORANGE, "square"), 9: (palette.PURPLE, "circle")}
OTHER = palette.GREEN
STOPS = 20  # on the way from one digit to the next
LAYERS: tuple[Look, ...] = (
    ("edges of layer 1", palette.INK, 1.1),
    ("edges of layer 2", palette.BLUE, 0.8),
    ("border", palette.INK, 3.2),
)


class Reader(nn.Module):
    """A network whose last unit is its largest logit: regions end where it is read otherwise, too."""

    def __init__(self, network: nn.Module, classes: int) -> None:
        super().__init__()
        self.network, self.largest = network, nn.MaxPool1d(classes)

    def forward(self, x: Tensor) -> Tensor:
        """``(N, D)`` → ``(N, 1)``."""
        largest: Tensor = self.largest(self.network(x).unsqueeze(1)).flatten(1)
        return largest


@dataclass(frozen=True)
class Slice:
    """The plane through three images, with coordinates in units of grey levels from 0 to 1.

    Attributes:
        plane: the middle of the images and two orthonormal directions, ``(64,)`` each.
        corners: where the images lie on it, ``(3, 2)``.
    """

    plane: tuple[Tensor, Tensor, Tensor]
    corners: Tensor

    def box(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """A box around the images with some margin: x and y, from where to where."""
        low, high = ((self.corners.amin(0) - MARGIN).tolist(), (self.corners.amax(0) + MARGIN).tolist())
        return (low[0], high[0]), (low[1], high[1])

    def image(self, place: Tensor) -> Tensor:
        """The image at a place on the plane."""
        middle, across, up = self.plane
        return middle + place[0] * across + place[1] * up


def slice_through(images: Tensor) -> Slice:
    """The plane through three images, ``(3, D)``."""
    middle = images.mean(0)
    across = images[1] - images[0]
    across = across / across.norm()
    up = images[2] - images[0]
    up = up - (up @ across) * across
    up = up / up.norm()
    return Slice((middle, across, up), (images - middle) @ torch.stack((across, up), dim=1))


@cache
def digits_slice() -> Slice:
    """The plane through the first test image of each of the three digits."""
    images, labels = digits_test_set()
    return slice_through(torch.stack([images[labels == digit][0] for digit in DIGITS]))


@cache
def slice_partition() -> Partition:
    """The regions of the digits network on the plane, cut where the network reads another digit."""
    reader = Reader(module_of(load_digits_network()), 10).eval()
    return partition(reader, rectangle(*digits_slice().box()), plane=digits_slice().plane)


def place_at(way: float) -> Tensor:
    """Where the walker stands after ``way`` sides of the triangle, from 0 to 3."""
    corners = digits_slice().corners
    side = min(int(way), 2)
    return torch.lerp(corners[side], corners[(side + 1) % 3], way - side)


def digit_slice_frame(way: float) -> Frame:
    """The slice, and the image where the walker stands."""
    place = place_at(min(max(way, 0.0), 3.0))
    image = digits_slice().image(place)
    network = module_of(load_digits_network())
    top = network(image[None])[0].detach().topk(2)
    read, margin = int(top.indices[0]), float(top.values[0] - top.values[1])
    distance = float(distance_to_border(network, image[None]))
    shown = Panel(
        title=f"The image there: read as {read}",
        xlabel="8 × 8 pixels",
        alt=f"The image at this place is read as {read}.",
        traces=[picture("image", image.reshape(8, 8).clamp(0, 1), (0, 8), (0, 8))],
        layout=blank(8, 8),
        aspect=1.0,
    )
    words = f"Read as {read}, ahead of {int(top.indices[1])} by {margin:.1f}. "
    return Frame([_plane(place), shown], f"{words}The next region is {distance:.3f} away, in all 64 dimensions.")


def _plane(place: Tensor) -> Panel:
    found, corners = slice_partition(), array(digits_slice().corners)
    x, y = digits_slice().box()
    way = np.concatenate([corners, corners[:1]])
    sampled = [
        dots(f"a {digit}", corners[i : i + 1, 0], corners[i : i + 1, 1], colour, symbol=symbol, size=11, label=True)
        for i, (digit, (colour, symbol)) in enumerate(CLASSES.items())
    ]
    ticks = (-2, -1, 0, 1, 2)
    return Panel(
        title="A plane through three images",
        xlabel="distances as between images",
        alt=f"The plane falls into {count_to(found, 2)} regions; broad borders part what is read as "
        f"{', '.join(map(str, DIGITS))} and another digit.",
        traces=[
            regions(found, 3, _class_fill(found), scale=_steps(), layers=LAYERS),
            path("the way", way, palette.GREY, dash="dash", width=1.5, label=""),
            *sampled,
            dots("where you are", place[:1], place[1:], palette.INK, size=9, label=""),
            _other_name(found),
            *layer_names(found, 3, LAYERS),
        ],
        layout=layout(
            axis(*x, [t for t in ticks if x[0] < t < x[1]], grid=False),
            axis(*y, [t for t in ticks if y[0] < t < y[1]], grid=False),
        ),
        aspect=(x[1] - x[0]) / (y[1] - y[0]),
    )


def _class_fill(found: Partition) -> Array:
    """The middle of the step of the colour scale that belongs to the class of each region."""
    order = {digit: place for place, digit in enumerate(CLASSES)}
    steps = np.array([order.get(int(digit), len(order)) for digit in found.codes[:, -1]])
    return (steps + 0.5) / (len(order) + 1)


def _steps() -> list[list[float | str]]:
    tints = [palette.TINTS[colour] for colour, _ in CLASSES.values()] + [palette.TINTS[OTHER]]
    return [[(k + end) / len(tints), tint] for k, tint in enumerate(tints) for end in (0, 1)]


def _other_name(found: Partition) -> Trace:
    """What the plane is read as where it is none of the three, in the largest such region."""
    others = ~np.isin(found.codes[:, -1], list(CLASSES))
    largest = int(np.where(others, found.areas, 0).argmax())
    x, y = found.centres[largest]
    return texts([f"read as {int(found.codes[largest, -1])}"], [x], [y], OTHER)


def digit_slice_figure() -> InteractiveFigure:
    """A walk around the triangle of three images."""
    caption = (
        "Walk from the 1 to the 7, on to the 9 and back. The image is a mixture of two digits on the way, and no "
        "digit that anyone wrote. Watch where the number in the title changes: at a broad border, never in between. "
        "Each side of the triangle crosses many more edges than borders. Some of the plane is read as a digit that is "
        "none of the three."
    )
    named: dict[Value, str] = {0.0: "the 1", 1.0: "the 7", 2.0: "the 9", 3.0: "back"}
    way = sliding("way", "Way around", 0, 3, 1 / STOPS, start=0.5, named=named, say=_say)
    return InteractiveFigure("digit-slice", digit_slice_frame, [way], caption=caption)


def _say(value: Value) -> str:
    side = min(int(float(value)), 2)
    share = float(value) - side
    if share in (0.0, 1.0):
        return f"at the {DIGITS[(side + round(share)) % 3]}"
    return f"{100 * share:.0f} % of the way from {DIGITS[side]} to {DIGITS[(side + 1) % 3]}"
