"""The benchmark as plain figures, in HTML that needs no script: nothing in them can be moved.

A row is one operator beside one rival, a mark in it one input: the dot is the median ratio, the line beside it the
range of the middle half of the rounds. Rows share a logarithmic scale. Marks lie at percentages of the row's width, so
that the figure fits a phone as it fits a page; sizes of inputs differ in height and shape, not in colour alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from math import ceil, floor, log2

from ...interactive.numbers import raised
from ...results.measured import PASSES, Benchmark, Ratio, Verdict

SHAPES = ("circle", "square", "diamond", "ring")
FRACTIONS = {-1: "½", -2: "¼", -3: "⅛", -4: "1⁄16", -5: "1⁄32"}


class Scale:
    """A logarithmic axis between two powers of two, 1 among them."""

    def __init__(self, ratios: Iterable[float]) -> None:
        exponents = [log2(ratio) for ratio in ratios]
        self.low, self.high = min(-1, floor(min(exponents))), max(1, ceil(max(exponents)))

    def place(self, ratio: float) -> float:
        """Where a ratio lies, from 0 to 1; what is outside goes to the end."""
        return min(1.0, max(0.0, (log2(ratio) - self.low) / (self.high - self.low)))

    def ticks(self) -> list[tuple[float, str]]:
        """The powers of two that are labelled, at most seven."""
        step = ceil((self.high - self.low) / 7)
        exponents = [e for e in range(self.low, self.high + 1) if e % step == 0]
        return [(self.place(2.0**e), f"{2**e}" if e >= 0 else FRACTIONS.get(e, f"1⁄{2**-e}")) for e in exponents]


def ratio_figure(benchmark: Benchmark, group: str) -> str:
    """The ratios of a group, forward alone and with backward, with the limits that hold for them.

    Raises:
        ValueError: no such group.
    """
    found = benchmark.of(group)
    limits = [limit for limit in benchmark.limits if limit.passes in PASSES]
    scale = Scale(ratio.median for ratio in found)
    sizes = list(dict.fromkeys(ratio.size for ratio in found))
    parts = []
    for passes, title in PASSES.items():
        rows = _rows([ratio for ratio in found if ratio.passes == passes])
        shown = "".join(_row(row, sizes, scale, limits) for row in rows)
        parts.append(f'<p class="ratio-title">{title}</p>{_axis(scale)}<ul>{shown}</ul>')
    keys = "".join(
        f'<li><span class="ratio-dot {_shape(index)}"></span>{escape(_words(size))}</li>'
        for index, size in enumerate(sizes)
    )
    return (
        f'<figure class="ratios" id="ratios-{group}">{"".join(parts)}<ul class="ratio-keys">{keys}'
        '<li><span class="ratio-limit"></span>limit</li></ul>'
        f"<figcaption>{escape(conclusion(found))}</figcaption></figure>"
    )


def conclusion(found: Sequence[Ratio]) -> str:
    """What the picture shows, in words."""
    rows = _rows(found)
    slower = sum(min(ratio.median for ratio in row) > 1 for row in rows)
    faster = sum(max(ratio.median for ratio in row) <= 1 for row in rows)
    return (
        f"Time over the rival’s time; to the right of 1 the rival is faster. Of {len(rows)} rows, {slower} lie to the "
        f"right of 1 for every input, {faster} at 1 or left of it for every input."
    )


def ratio_table(found: Sequence[Ratio]) -> str:
    """Every number of a group, folded."""
    head = ("operator", "instead of", "input", "passes", "ratio", "middle half", "ms", "ms of the rival")
    rows = (
        (
            *(ratio.operator, ratio.rival, _words(ratio.size), ratio.passes),
            *(_short(ratio.median), f"{_short(ratio.low)}–{_short(ratio.high)}"),
            *(f"{ratio.milliseconds:.3f}", f"{ratio.rival_milliseconds:.3f}"),
        )
        for ratio in found
    )
    cells = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    heads = "".join(f'<th scope="col">{name}</th>' for name in head)
    return (
        '<details class="ratio-table"><summary>All numbers</summary>'
        f'<div tabindex="0" role="region" aria-label="All numbers: {found[0].group}">'
        f"<table><thead><tr>{heads}</tr></thead><tbody>{cells}</tbody></table></div></details>"
    )


def limit_list(limits: Iterable[Verdict]) -> str:
    """The limits, each with the worst that was seen."""
    items = []
    for limit in limits:
        name = f"<code>{escape(limit.operator)}</code> ÷ <code>{escape(limit.rival)}</code>, {escape(limit.passes)}"
        if limit.rival == "the input":  # no time, but memory
            name = f"<code>{escape(limit.operator)}</code>, saved for backward in units of the input"
        asked = f"at most {limit.limit:.4g}" + ("" if limit.stretch is None else f", at best {limit.stretch:g}")
        where = f" ({escape(_words(limit.size))})" if limit.size else ""
        seen = "not measured" if limit.seen is None else f"seen {_short(limit.seen)}: "
        outcome = "" if limit.met is None else f"<strong>{'met' if limit.met else 'missed'}</strong>"
        items.append(f"<li>{name}{where}: {asked}; {seen}{outcome}.</li>")
    return f'<ul class="ratio-limits">{"".join(items)}</ul>'


def origin_list(benchmark: Benchmark) -> str:
    """When and on what it was measured, and who could not take part."""
    machine = benchmark.machine
    versions = ", ".join(f"{name} {number}" for name, number in benchmark.versions.items())
    lines = {
        "Date": benchmark.date,
        "Machine": f"{machine['processor']}, {machine['system']}, {machine['threads']} of {machine['cores']} cores",
        "Versions": versions,
        "Rounds": str(benchmark.rounds),
    }
    if benchmark.left_out:
        lines["Left out"] = "; ".join(f"{name}: {reason}" for name, reason in benchmark.left_out.items())
    return f"<ul>{''.join(f'<li><strong>{name}:</strong> {escape(text)}</li>' for name, text in lines.items())}</ul>"


def _rows(found: Iterable[Ratio]) -> list[list[Ratio]]:
    rows: dict[tuple[str, str, str], list[Ratio]] = {}
    for ratio in found:
        rows.setdefault((ratio.operator, ratio.rival, ratio.passes), []).append(ratio)
    return list(rows.values())


def _row(row: list[Ratio], sizes: list[str], scale: Scale, limits: list[Verdict]) -> str:
    first = row[0]
    medians = [_short(pick(ratio.median for ratio in row)) for pick in (min, max)]
    span = medians[0] if medians[0] == medians[1] else f"{medians[0]} to {medians[1]}"
    names = (first.operator, first.rival, first.passes)
    held = [limit for limit in limits if (limit.operator, limit.rival, limit.passes) == names]
    marks = ""
    for ratio in row:
        index = sizes.index(ratio.size)
        marks += "".join(_limit(limit, index, len(sizes), scale) for limit in held if ratio.size in limit.covers)
        marks += _mark(ratio, index, len(sizes), scale)
    return (
        f"<li><p><span><code>{escape(first.operator)}</code> ÷ <code>{escape(first.rival)}</code></span>"
        f"<span>{span}</span></p>"
        f'<div class="ratio-track" aria-hidden="true">{_lines(scale)}{marks}</div></li>'
    )


def _limit(limit: Verdict, index: int, count: int, scale: Scale) -> str:
    place = f"left:{scale.place(limit.limit):.2%};top:{index / count:.0%};height:{1 / count:.0%}"
    return f'<span class="ratio-limit" style="{place}"></span>'


def _mark(ratio: Ratio, index: int, count: int, scale: Scale) -> str:
    left, right, height = scale.place(ratio.low), scale.place(ratio.high), (index + 0.5) / count
    line = f'<span class="ratio-range" style="left:{left:.2%};width:{right - left:.2%};top:{height:.0%}"></span>'
    dot = f"left:{scale.place(ratio.median):.2%};top:{height:.0%}"
    return f'{line}<span class="ratio-dot {_shape(index)}" style="{dot}"></span>'


def _axis(scale: Scale) -> str:
    labels = "".join(f'<span style="left:{place:.2%}">{label}</span>' for place, label in scale.ticks())
    return f'<div class="ratio-axis" aria-hidden="true">{labels}</div>'


def _lines(scale: Scale) -> str:
    return "".join(
        f'<span class="{"ratio-one" if label == "1" else "ratio-line"}" style="left:{place:.2%}"></span>'
        for place, label in scale.ticks()
    )


def _shape(index: int) -> str:
    return SHAPES[index % len(SHAPES)]


def _short(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:.1f}" if ratio < 100 else f"{ratio:.0f}"


def _words(size: str) -> str:
    """An input's name for readers: ``2^16`` with its exponent raised."""
    if not size.startswith("2^"):
        return size
    power, _, rest = size.removeprefix("2^").partition(",")
    return f"2{raised(power)} numbers{',' + rest if rest else ''}"
