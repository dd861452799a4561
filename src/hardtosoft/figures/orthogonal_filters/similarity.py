"""The filters that were learned: their pictures, their cosines, and what is left of these between shifted windows."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ...drawing.looks import even_ticks
from ...interactive import palette
from ...interactive.axes import check_option, choice
from ...interactive.figure import InteractiveFigure
from ...interactive.frames import Frame, Panel, axis, dots, heatmap, layout, line, picture
from ...interactive.overlays import texts
from ...results.filter_runs import ACTIVATIONS, CONSTRAINTS, filter_runs

RELU, SWISH = "ReLU", "swish, β = ½"
FREE, PENALISED, ORTHOGONAL = "free", "penalised", "orthogonal"
UNITS = dict(zip((RELU, SWISH), ACTIVATIONS, strict=True))
KINDS = dict(zip((FREE, PENALISED, ORTHOGONAL), CONSTRAINTS, strict=True))
LOOKS = {FREE: (palette.GREEN, "dash"), PENALISED: (palette.ORANGE, "solid"), ORTHOGONAL: (palette.PURPLE, "dot")}
BRIGHTNESS = "brightness"
PARTS = (BRIGHTNESS, "red", "green", "blue")
TILES = (4, 8)
BAR = 4  # columns right of the cosines: a gap and the scale


def learned(unit: str, kind: str) -> Tensor:
    """Filters of the first convolution of the first seed, ``(K, height, width, C)``, by their names in the figures.

    Raises:
        ValueError: another unit or kind.
    """
    for name, value, names in (("unit", unit, UNITS), ("kind", kind, KINDS)):
        check_option(name, value, names)
    return filter_runs("images").filters[UNITS[unit], KINDS[kind]]


def cosines(filters: Tensor) -> Tensor:
    """Of each two filters, ``(K, K)``."""
    rows = F.normalize(filters.flatten(1), dim=1)
    return rows @ rows.T


def shifted_cosines(filters: Tensor) -> Tensor:
    """Mean \\|cosine\\| of two filters, one of them moved: ``(2h − 1, 2w − 1)``, the centre for those not moved.

    The inner product runs over the pixels that both cover, the lengths over all. Where nothing is moved no filter is
    held against itself.
    """
    count, height, width, _ = filters.shape
    rows = F.normalize(filters.flatten(1), dim=1).reshape(filters.shape).permute(0, 3, 1, 2)
    products = F.conv2d(rows, rows, padding=(height - 1, width - 1)).abs()
    means = products.mean((0, 1))
    centre = products[:, :, height - 1, width - 1]
    means[height - 1, width - 1] = (centre.sum() - centre.trace()) / (count * (count - 1))
    return means


def tiles(filters: Tensor, part: str) -> Tensor:
    """Pictures of all filters in rows of eight: ½ where a weight is 0, each in shares of its own largest weight."""
    numbers = filters.mean(-1) if part == BRIGHTNESS else filters[..., PARTS.index(part) - 1]
    shares = numbers / numbers.abs().amax((1, 2), keepdim=True).clamp_min(1e-12)
    # A line of paper around each.
    framed = F.pad((1 + shares) / 2, (1, 0, 1, 0), value=0.5)
    rows, columns = TILES
    _, height, width = framed.shape
    grid = framed.reshape(rows, columns, height, width).permute(0, 2, 1, 3).reshape(rows * height, columns * width)
    return F.pad(grid, (0, 1, 0, 1), value=0.5)


def filters_frame(unit: str, kind: str, part: str) -> Frame:
    """The filters as pictures, and the cosine of each two."""
    filters = learned(unit, kind)
    shown, table = tiles(filters, part), cosines(filters)
    count = len(filters)
    apart = table[~torch.eye(count, dtype=torch.bool)].abs()
    mean, largest = apart.mean().item(), apart.max().item()
    rows, columns = shown.shape
    empty = axis(0, 1, (), grid=False)
    pictures = Panel(
        title=f"{count} filters, {kind}",
        xlabel="blue: negative; orange: positive",
        alt=f"Filters of the first layer, {kind}: edges, bars and spots, some of them noisy.",
        traces=[picture("filters", shown, (0, 1), (0, 1)) | {"colorscale": palette.SIGNED_SCALE}],
        layout=layout(empty, empty),
        aspect=columns / rows,
    )
    sheet, (left, right) = _beside(cosines(learned(unit, FREE)), table), (0.0, count + BAR)
    told = [f"{FREE}: above", f"{kind}: below", "1", "0", "−1"]
    across = [0.72 * count, 0.28 * count, *[count + BAR - 0.5] * 3]
    up = [0.86 * count, 0.14 * count, count - 1, count / 2, 1]
    products = Panel(
        title="Cosine of each two filters",
        xlabel="blue: against each other; orange: alike",
        alt=f"Off the diagonal the cosines of {kind} filters are {mean:.2f} on average and {largest:.2f} at most.",
        traces=[
            picture("cosine", sheet, (left, right), (0.0, count)) | {"colorscale": palette.SIGNED_SCALE},
            texts(told, across, up),
        ],
        layout=layout(axis(left, right, (), grid=False), axis(0, count, (), grid=False)),
        aspect=right / count,
    )
    return Frame([pictures, products], f"|cosine| of two filters: {mean:.3f} on average, {largest:.3f} at most.")


def _beside(above: Tensor, below: Tensor) -> Tensor:
    """Cosines of free filters above the diagonal and of others below it, and the scale, as places on it in [0, 1]."""
    count = len(above)
    both = torch.triu(above, 1) + torch.tril(below, -1)
    bar = torch.linspace(1, -1, count, dtype=both.dtype)[:, None].expand(-1, BAR - 2)
    return ((1 + torch.cat([both, both.new_zeros(count, 2), bar], 1)) / 2).clamp(0, 1)


def filters_figure() -> InteractiveFigure:
    """Two activations, three ways to treat filters, and the colours one by one."""
    axes = [
        choice("kind", "Filters", tuple(KINDS), start=ORTHOGONAL),
        choice("unit", "Unit", tuple(UNITS), start=RELU),
        choice("part", "Shown", PARTS, start=BRIGHTNESS),
    ]
    caption = (
        "Look at the right first: above the diagonal are the free filters, below it the chosen ones. Go from free "
        "over penalised to orthogonal: the lower half empties but for the rounding of the stored filters. Then look "
        "at the left: could you have told from the pictures?"
    )
    return InteractiveFigure("learned-filters", filters_frame, axes, caption=caption)


def shifts_frame(unit: str, kind: str) -> Frame:
    """What orthogonality says nothing of: filters at windows that overlap."""
    maps = {name: shifted_cosines(learned(unit, name)) for name in KINDS}
    height, width = maps[kind].shape
    middle, reach = height // 2, width // 2
    # One scale for both units.
    top = max(shifted_cosines(learned(one, name)).max().item() for one in UNITS for name in KINDS)
    places = (-reach, 1)
    over = Panel(
        title="Mean |cosine|, moved sideways",
        xlabel="pixels between the two windows",
        alt=f"Orthogonal filters have cosine {maps[ORTHOGONAL][middle, reach]:.2f} at the same window, but "
        f"{maps[ORTHOGONAL][middle, reach + 1]:.2f} on average one pixel beside it; free filters have "
        f"{maps[FREE][middle, reach + 1]:.2f} there.",
        traces=[
            *(
                line(name, places, each[middle], LOOKS[name][0], dash=LOOKS[name][1], label=True)
                for name, each in maps.items()
            ),
            dots("same window, these filters", [0], [maps[kind][middle, reach]], LOOKS[kind][0], size=10, label=""),
        ],
        layout=layout(
            axis(-reach - 0.2, reach + 0.2, range(-reach, reach + 1, 2)),
            axis(-0.03 * top, 1.08 * top, even_ticks(0, top)),
        ),
    )
    around = Panel(
        title=f"In both directions, {kind}",
        xlabel="pixels between the two windows",
        alt=f"The mean cosine of {kind} filters over all shifts: highest near the middle, fading outwards.",
        traces=[
            heatmap(
                "|cosine|, in shares of the largest",
                maps[kind] / top,
                (-reach - 0.5, reach + 0.5),
                (-middle - 0.5, middle + 0.5),
            )
            | {"colorscale": [[0.0, "var(--hts-map-low)"], [1.0, palette.BLUE]]}
        ],
        layout=layout(*(axis(-reach - 0.5, reach + 0.5, range(-reach, reach + 1, 2), grid=False) for _ in "xy")),
        aspect=1.0,
    )
    at, beside = (maps[kind][middle, reach + shift].item() for shift in (0, 1))
    return Frame([over, around], f"{kind}: {at:.3f} at the same window, {beside:.3f} one pixel beside it.")


def shifts_figure() -> InteractiveFigure:
    """The same filters at windows some pixels apart."""
    axes = [
        choice("kind", "Filters", tuple(KINDS), start=ORTHOGONAL),
        choice("unit", "Unit", tuple(UNITS), start=RELU),
    ]
    caption = (
        "The orthogonal filters have a hole in the middle: at one and the same window their cosines are 0, but for "
        "the rounding of the stored filters. One pixel to the side they are not, for nothing asked them to be. "
        "Compare with the free filters."
    )
    return InteractiveFigure("shifted-filters", shifts_frame, axes, caption=caption)
