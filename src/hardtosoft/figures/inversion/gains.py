"""Accuracy after learning from few labels, and what rebuilding the other inputs adds."""

from __future__ import annotations

from collections.abc import Iterator

from ...drawing.looks import even_ticks
from ...drawing.strokes import upright
from ...interactive import palette
from ...interactive.axes import choice
from ...interactive.figure import InteractiveFigure
from ...interactive.frames import Frame, Panel, Trace, axis, dots, layout, line, path
from ...interactive.numbers import number
from ...interactive.overlays import area
from ...results import few_labels
from ...results.few_labels import DIGITS, LOSSES, MNIST
from ...results.stored import Band

DATA = {"digits": ("digits", DIGITS), "MNIST at 8 × 8": ("mnist", MNIST)}
COUNTS = (1, 2, 5, 10)
NAMES = dict(zip(LOSSES, ("labels alone", "rebuilding", "three scales", "surer guesses"), strict=True))
LOOKS = dict(
    zip(
        LOSSES,
        ((palette.GREY, "dot"), (palette.BLUE, "solid"), (palette.ORANGE, "dash"), (palette.PURPLE, "dashdot")),
        strict=True,
    )
)
ASIDE = 0.14  # between the marks of one count


def accuracies(data: str) -> dict[str, list[Band]]:
    """By loss, one band a count of labels."""
    file, name = DATA[data]
    own = [each for each in few_labels.runs(file) if (each.data, each.unit) == (name, "relu")]
    found = {(each.loss, each.labels): each.accuracy for each in own}
    return {loss: [found[loss, count] for count in COUNTS] for loss in LOSSES}


def gains(data: str) -> dict[str, list[Band]]:
    """The same of the differences from labels alone."""
    file, name = DATA[data]
    found = {
        (loss, labels): gain
        for own, unit, labels, loss, gain in few_labels.gains(file)
        if (own, unit) == (name, "relu")
    }
    return {loss: [found[loss, count] for count in COUNTS] for loss in LOSSES[1:]}


def few_labels_frame(data: str) -> Frame:
    """Levels on the left, differences within splits on the right."""
    levels, more = accuracies(data), gains(data)
    five = COUNTS.index(5)
    ticks = [str(count) for count in COUNTS]
    places = list(range(len(COUNTS)))
    left = Panel(
        title="Right on test images, %",
        xlabel="labels a class",
        alt=f"With 5 labels a class, labels alone reach {100 * levels['labels'][five].mean:.1f} %, with rebuilding at "
        f"three scales {100 * levels['multiscale'][five].mean:.1f} %.",
        traces=[
            *(_interval(loss, levels[loss], places) for loss in ("labels", "multiscale")),
            *(
                line(
                    NAMES[loss],
                    places,
                    [100 * band.mean for band in bands],
                    LOOKS[loss][0],
                    dash=LOOKS[loss][1],
                    label=True,
                )
                for loss, bands in levels.items()
            ),
        ],
        layout=layout(axis(-0.15, 3.15, places, ticks), axis(0, 100, (0, 25, 50, 75, 100))),
    )
    reach = [
        100 * float(end)
        for own in DATA
        for bands in gains(own).values()
        for band in bands
        for end in (band.low, band.high)
    ]
    low, high = min(reach) - 2, max(reach) + 2
    right = Panel(
        title="More than labels alone, points",
        xlabel="labels a class",
        alt=" ".join(
            f"{NAMES[loss].capitalize()}, 5 labels: {said(bands[five])} points." for loss, bands in more.items()
        ),
        traces=[
            line("as labels alone", [-0.4, 3.4], [0, 0], palette.GREY, dash="dot", width=1.5, label=""),
            *(trace for number_, loss in enumerate(more) for trace in _marks(loss, more[loss], (number_ - 1) * ASIDE)),
        ],
        layout=layout(axis(-0.4, 3.4, places, ticks, grid=False), axis(low, high, even_ticks(low, high))),
    )
    words = "; ".join(f"{NAMES[loss]} {said(bands[five])}" for loss, bands in more.items())
    return Frame([left, right], f"5 labels a class, points more than labels alone: {words}.")


def _interval(loss: str, bands: list[Band], places: list[int]) -> Trace:
    low, high = ([100 * float(getattr(band, end)) for band in bands] for end in ("low", "high"))
    return area(f"{NAMES[loss]}, 95 % interval", places, low, high, LOOKS[loss][0], opacity=0.12)


def _marks(loss: str, bands: list[Band], aside: float) -> Iterator[Trace]:
    colour = LOOKS[loss][0]
    places = [place + aside for place in range(len(bands))]
    low, mean, high = ([100 * float(getattr(band, end)) for band in bands] for end in ("low", "mean", "high"))
    yield path(f"{NAMES[loss]}, 95 % interval", upright(places, low, high), colour, width=2, label="")
    yield dots(NAMES[loss], places, mean, colour, symbol="square" if aside else "circle", size=9, label="")


def said(band: Band) -> str:
    """``+5.2 ± 1.0``."""
    return f"{number(100 * band.mean, 1, signed=True)} ± {number(100 * band.half_width, 1)}"


def few_labels_figure() -> InteractiveFigure:
    """Digits or MNIST."""
    caption = (
        "On the left the mean over ten splits, in the colours of the right; the veils are 95 % intervals. On the "
        "right each is compared with labels alone in the same split: the mean of the differences with its interval. "
        "Where an interval holds 0, we cannot tell. Then choose MNIST: does the order stay?"
    )
    axes = [choice("data", "Images", tuple(DATA), start="digits")]
    return InteractiveFigure("few-labels", few_labels_frame, axes, caption=caption)
