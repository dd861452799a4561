"""A figure as HTML: panels, sliders and caption, and for a built page the table of states."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from typing import Any, Protocol

from . import placeholder
from .axes import Axis
from .frames import Frame, Panel, Trace, dots, line
from .marks import marked
from .numbers import short
from .states import State
from .vectors import Vector

_PLAY = (
    '<svg viewBox="0 0 20 20" aria-hidden="true"><path class="play-start" d="M4.5 1.6v16.8L18 10z"/>'
    '<path class="play-pause" d="M4 2h4.4v16H4zM11.6 2H16v16h-4.4z"/></svg>'
)


class Answers(Protocol):
    """What a page shows for the values of a figure's axes: states that Python made, or a program that makes them."""

    @property
    def settings(self) -> dict[str, Any]:
        """Ready for JSON."""

    @property
    def packed(self) -> str:
        """Base64 text of the compressed rest."""


def page_figure(
    name: str,
    axes: Sequence[Axis | Vector],
    frame: Frame,
    start: State,
    answers: Answers,
    caption: str,
    *,
    hero: bool = False,
) -> str:
    """The ``<figure>`` of a built page: it shows ``frame`` until a reader asks for one of ``answers``."""
    link = f'<a class="hts-link" href="#{name}">Link to this state</a>'
    static = "<noscript><p>Without JavaScript this figure shows one state only.</p></noscript>"
    settings = {**axes_config(axes), **answers.settings}
    data = (
        f'<script type="application/json" class="hts-config">{_json(settings)}</script>'
        f'<script type="text/plain" class="hts-states" data-figure="{name}">{answers.packed}</script>'
    )
    return _figure(name, axes, frame, start, caption, hero, "traced" in settings, tools=link, after=static + data)


def notebook_figure(
    name: str, axes: Sequence[Axis | Vector], frame: Frame, start: State, caption: str, *, hero: bool
) -> str:
    """The ``<figure>`` of a notebook: its numbers come from a kernel."""
    return _figure(name, axes, frame, start, caption, hero, True)


def axes_config(axes: Sequence[Axis | Vector]) -> dict[str, Any]:
    """What the figures' script needs to know of the axes."""
    return {"axes": [axis.settings for axis in axes]}


def play_button(kind: str, label: str) -> str:
    """What plays a sweep (play.js), as a button of class ``kind``."""
    return f'<button type="button" class="{kind}" aria-pressed="false" aria-label="{escape(label)}">{_PLAY}</button>'


def _figure(
    name: str,
    axes: Sequence[Axis | Vector],
    frame: Frame,
    start: State,
    caption: str,
    hero: bool,
    free: bool,
    tools: str = "",
    after: str = "",
) -> str:
    panels = "".join(_panel(name, index, panel) for index, panel in enumerate(frame.panels))
    _check_handles(axes, frame)
    controls = "".join(_control(name, axis, start, free) for axis in axes)
    kind = "hts-figure hero" if hero else "hts-figure"
    titles = " ".join(_title(name, index) for index in range(len(frame.panels)))
    shown = f"<figcaption>{caption}</figcaption>" if caption else ""
    return (
        f'<figure class="{kind}" id="{name}" data-panels="{len(frame.panels)}" aria-labelledby="{titles}">'
        f'<div class="hts-panels">{panels}</div>'
        f'<div class="hts-rail"><fieldset class="hts-controls" role="none" disabled>{controls}</fieldset>'
        f'<p class="hts-readout" id="{name}-readout">{marked(frame.readout)}</p>{_legend(frame.panels)}'
        f'<p class="hts-tools"><button type="button" class="hts-reset">Reset</button>{tools}</p></div>'
        f'{shown}<p class="hts-trouble" role="status"></p>{after}</figure>'
    )


def _panel(name: str, index: int, panel: Panel) -> str:
    title, label = _title(name, index), f"{name}-alt-{index}"
    size = " data-large" if panel.large else ""
    shape = "" if panel.aspect is None else f' data-shaped{size} style="--aspect:{panel.aspect:g}"'
    return (
        f'<div class="hts-panel" role="group" aria-labelledby="{title}" aria-describedby="{label}">'
        f'<p class="hts-title" id="{title}">{escape(panel.title)}</p>'
        f'<div class="hts-plot"{shape}>{placeholder.plot(panel)}'
        '<div class="hts-plotly" aria-hidden="true"></div></div>'
        f'<p class="hts-xlabel">{escape(panel.xlabel)}</p>'
        f'<p class="hts-alt" id="{label}">{escape(panel.alt)}</p></div>'
    )


def _title(name: str, index: int) -> str:
    """The id of a panel's title; the titles together name the figure, which its long caption would do otherwise."""
    return f"{name}-title-{index}"


def _legend(panels: Sequence[Panel]) -> str:
    shown: dict[str, Trace] = {}
    for trace in (trace for panel in panels for trace in panel.traces):
        for sample in _samples(trace):
            shown.setdefault(sample["name"], sample)
    items = "".join(f"<li>{placeholder.swatch(trace)}{escape(name)}</li>" for name, trace in shown.items())
    return f'<ul class="hts-legend">{items}</ul>' if items else ""


def _samples(trace: Trace) -> list[Trace]:
    """What of a trace is shown in the legend, as lines and dots."""
    if trace["type"] == "polygons" and trace.get("showlegend", True):
        fills = [dots(name, [], [], colour, symbol="square", size=12) for name, colour in trace["key"]]
        widths = ((stroke, max(stroke["width"], 1.0)) for stroke in trace["strokes"])  # thinner ones pale in a legend
        return fills + [line(stroke["name"], [], [], stroke["color"], width=width) for stroke, width in widths]
    told = "label" in trace or not trace.get("showlegend", True)
    return [trace] if trace["type"] == "scatter" and not told else []


def _boxes(name: str, axis: Vector, start: State) -> str:
    """Labelled number boxes, and the place for what is wrong with an entry."""
    control = f"{name}-{axis.name}"
    boxes = "".join(
        f"<label><span>{escape(label)}</span>"
        f"{_box(control, i, f'{axis.label}: {label}', (low, high), axis.step, number)}</label>"
        for i, (label, low, high, number) in enumerate(
            zip(axis.labels, axis.low, axis.high, start[axis.name], strict=True)
        )
    )
    return (
        f'<div class="hts-numbers" data-axis="{axis.name}" role="group" aria-labelledby="{control}-label">'
        f'<span class="hts-label" id="{control}-label">{escape(axis.label)}</span>{boxes}{_note(control)}</div>'
    )


def _box(control: str, index: int, said: str, bounds: tuple[float, float], step: float, number: float) -> str:
    """A number box; the script takes what is within its bounds and refuses the rest in the note beside it."""
    return (
        f'<input type="number" class="hts-number" id="{control}-{index}" min="{bounds[0]:g}" max="{bounds[1]:g}"'
        f' step="any" data-step="{step:.6g}" value="{number:.6g}" autocomplete="off" aria-label="{escape(said)}"'
        f' aria-describedby="{control}-note">'
    )


def _note(control: str) -> str:
    return f'<p class="hts-note" id="{control}-note" role="status"></p>'


def _slider_box(control: str, axis: Axis, start: State) -> str:
    """Beside a slider that may stand anywhere, a box for its number."""
    low, *_, high = numbers = sorted(map(float, axis.values))
    step = (high - low) / (len(numbers) - 1)
    return _box(control, 0, f"{axis.label}, as a number", (low, high), step, float(start[axis.name])) + _note(control)


def _told(axis: Vector, start: State) -> str:
    """Where a page cannot compute what a reader would type: the numbers in words."""
    words = f"{axis.label}: {axis.words(start[axis.name])}. In a notebook you can change them."
    return f'<p class="hts-elsewhere" data-axis="{axis.name}">{escape(words)}</p>'


def _control(name: str, axis: Axis | Vector, start: State, free: bool) -> str:
    if isinstance(axis, Vector):
        return _boxes(name, axis, start) if free else _told(axis, start)
    control = f"{name}-{axis.name}"
    index = axis.values.index(start[axis.name])
    if axis.is_choice:
        label = f'<span class="hts-label" id="{control}-label">{escape(axis.label)}</span>'
        options = "".join(
            f'<label><input type="radio" name="{control}" value="{i}"{" checked" if i == index else ""}>'
            f"<span>{escape(str(value))}</span></label>"
            for i, value in enumerate(axis.values)
        )
        group = f'role="radiogroup" aria-labelledby="{control}-label"'
        return f'<div class="hts-choice" data-axis="{axis.name}" {group}>{label}{options}</div>'
    named = "".join(_stop(axis, axis.values.index(value), text) for value, text in axis.named.items())
    words = escape(axis.words(start[axis.name]))
    play = play_button("hts-play", f"Play: {axis.label}, from end to end") if axis.plays else ""
    return (
        f'<div class="hts-slider" data-axis="{axis.name}"><label for="{control}">{escape(axis.label)}</label>'
        f'<output for="{control}" aria-live="off">{words}</output>{play}'
        f'<input type="range" id="{control}" min="0" max="{len(axis.values) - 1}" step="1" value="{index}"'
        f' autocomplete="off" aria-valuetext="{words}" aria-describedby="{name}-readout">'
        f'{_slider_box(control, axis, start) if free else ""}<div class="hts-stops">{named}</div></div>'
    )


def _check_handles(axes: Sequence[Axis | Vector], frame: Frame) -> None:
    """A handle without a place would stand nowhere, and nobody would see it.

    Raises:
        ValueError: a panel that is not there, or no trace of the name.
    """
    for axis in axes:
        if (panel := axis.panel) is None:
            continue
        if not 0 <= panel < len(frame.panels):
            raise ValueError(f"axis {axis.name!r}: panel must be one of {len(frame.panels)}, got {panel}")
        beside = axis.handle.beside if isinstance(axis, Axis) and axis.handle else 0.0
        names = [trace["name"] for trace in frame.panels[panel].traces]
        if isinstance(beside, str) and beside not in names:
            raise ValueError(f"axis {axis.name!r}: beside must be a trace of panel {panel}, got {beside!r}")


def _stop(axis: Axis, index: int, text: str) -> str:
    place = index / max(1, len(axis.values) - 1)
    value = axis.values[index]
    mark = {0.25: "¼", 0.5: "½"}.get(float(value), short(value))
    return (
        f'<button type="button" data-index="{index}" style="--at:{place:.4f}"'
        f' aria-label="{escape(axis.words(value))}"><b>{mark}</b><span> {escape(text)}</span></button>'
    )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).replace("</", "<\\/")
