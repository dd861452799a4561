"""The landing page's figure as HTML: what stands without a script is exact, at β = 1."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from importlib.resources import files

import numpy as np

from betavq.geometry import Region

from ..drawing.moons import BOX, moons_boundary, moons_partition
from ..interactive.frames import Array
from ..interactive.markup import play_button
from ..results.networks import load_two_moons, two_moons_training_set
from . import picture, script
from .script import HEIGHTS, INPUTS, STEPS

ONION = (0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9)
#: Named curves: β, name, input at which the name stands, and how far beside it, in pixels.
NAMED = ((1.0, "ReLU", -4.0, "12px -28px"), (0.5, "swish", -2.2, "0px 6px"), (0.0, "u/2", -3.1, "6px 5px"))
STOPS = ((0.0, "0", "linear"), (0.5, "½", "soft"), (1.0, "1", "hard"))
PLAY = "Play: β from 1 to 0 and back"


def page(name: str, caption: str) -> str:
    """The ``<figure>`` of the built page with its style and its script."""
    style = (files(__package__) / "hero.css").read_text(encoding="utf-8")
    return (
        f'<figure class="hero" id="{name}"><style>{style}</style>'
        f'<div class="hero-pictures">{_unit()}{_plane()}</div>{_controls()}'
        f'<figcaption>{caption} <a class="hero-link" href="#{name}.beta=1">Link to this state</a>'
        "<noscript> Without JavaScript it stays at β = 1.</noscript></figcaption>"
        f"<script>{script.script()}</script></figure>"
    )


def _unit() -> str:
    program = picture.unit_program()

    def curve(beta: float, count: int) -> str:
        inputs = np.linspace(*INPUTS, count)
        (values,) = program.run(["value"], u=inputs, eta=picture.resting(beta)["eta"])
        return _path(zip((inputs - INPUTS[0]) / (INPUTS[1] - INPUTS[0]), _height(values), strict=True), 1000)

    onion = "".join(curve(beta, 41) for beta in ONION)
    named = "".join(curve(beta, 81) for beta in (0.0, 0.5, 1.0))
    labels = "".join(_label(*one) for one in NAMED)
    zero = f"M0 {1000 * _height(0.0):.0f}H1000"
    picks = "".join(f'<span class="hero-pick">{text}</span>' for text in ("picks 0", "averages the two", "picks u"))
    alt = "One unit: at β = 1 it is ReLU, at β = ½ swish, at β = 0 the line u/2."
    return (
        f'<div class="hero-picture hero-unit" role="img" aria-label="{alt}">'
        '<canvas class="hero-strip" height="1"></canvas>'
        f'<svg viewBox="0 0 1000 1000" preserveAspectRatio="none"><path class="hero-axis" d="{zero}"/>'
        f'<path class="hero-onion" d="{onion}"/><path class="hero-named" d="{named}"/>'
        f'<path class="hero-curve" d="{curve(1.0, 3)}"/></svg><p class="hero-name">One unit</p>{labels}{picks}</div>'
    )


def _label(beta: float, text: str, u: float, shift: str) -> str:
    (value,) = picture.unit_program().run(["value"], u=u, eta=picture.resting(beta)["eta"])
    across, down = (u - INPUTS[0]) / (INPUTS[1] - INPUTS[0]), float(_height(value))
    place = f"left:{across:.1%};top:{down:.1%};translate:{shift}"
    here = " data-here" if beta == 1 else ""
    return f'<span class="hero-label" data-beta="{beta:g}"{here} style="{place}">{text}</span>'


def _plane() -> str:
    width, height = BOX.x[1] - BOX.x[0], BOX.y[1] - BOX.y[0]
    frame = f'viewBox="0 0 {100 * width:.0f} {100 * height:.0f}" preserveAspectRatio="xMidYMid slice"'
    points, classes = two_moons_training_set()
    moons = "".join(
        f'<path class="hero-edge hero-{kind}" d="{dots}"/><path class="hero-dots hero-{kind}" d="{dots}"/>'
        for kind, dots in (
            (kind, "".join(f"M{x:.0f} {y:.0f}h0" for x, y in _place(points[classes == label].numpy())))
            for label, kind in enumerate(("first", "second"))
        )
    )
    edge = "".join(_path(_place(part.points), 1) for part in moons_boundary())
    names = "".join(
        f'<span class="hero-moon hero-{kind}" style="--x:{x};--y:{y}">{text}</span>'
        for kind, x, y, text in (("first", -1.5, 1.06, "upper moon"), ("second", 2.5, -0.55, "lower moon"))
    )
    return (
        f'<div class="hero-picture hero-plane" role="img" aria-label="{escape(script.alt(1.0))}">'
        f'<svg class="hero-exact" {frame}>{_polygons()}'
        f'<path class="hero-halo" d="{edge}"/><path class="hero-line" d="{edge}"/></svg>'
        f'<svg class="hero-points" {frame}>{moons}</svg><p class="hero-name">A network of twelve such units</p>'
        f'{names}<span class="hero-boundary" hidden><span>decision boundary</span></span></div>'
    )


def facets() -> list[Array]:
    """The exact regions, cut where the network decides: polygons in which every pixel has one colour."""
    halves = (_half(region, side) for region in moons_partition() for side in (-1.0, 1.0))
    return [half for half in halves if len(half)]


def _half(region: Region, side: float) -> Array:
    """The part of a region whose logit has this sign."""
    corners = region.polygon
    logit = side * (corners @ region.slopes[0] + region.offsets[0])
    kept = []
    for a, b, f, g in zip(corners, np.roll(corners, -1, 0), logit, np.roll(logit, -1), strict=True):
        if f >= 0:
            kept.append(a)
        if (f >= 0) != (g >= 0):
            kept.append(a + (b - a) * f / (f - g))
    return np.array(kept) if len(kept) > 2 else np.empty((0, 2))


def _polygons() -> str:
    """The facets, each in the colour that its pixels have."""
    parts = facets()
    centres = np.array([part.mean(0) for part in parts])
    still = picture.resting(1.0, edge=0.0, width=-1.0)  # neither edges nor line
    program = picture.plane_program(load_two_moons())
    fills = picture.hexadecimal(*program.run(["red", "green", "blue"], x=centres[:, 0], y=centres[:, 1], **still))
    drawn = zip(parts, fills, strict=True)
    return "".join(f'<path fill="{fill}" d="{_path(_place(part), 1)}z"/>' for part, fill in drawn)


def _controls() -> str:
    words = script.settings()["words"][STEPS]  # type: ignore[index]
    stops = "".join(
        f'<button type="button" data-beta="{beta:g}"{" data-here" if beta == 1 else ""} style="--at:{beta:g}"'
        f' aria-label="β = {beta:g}, {word}"><b>{short}</b> {word}</button>'
        for beta, short, word in STOPS
    )
    return (
        f'<div class="hero-controls">{play_button("hero-play", PLAY)}'
        f'<div class="hero-slider"><input type="range" min="0" max="{STEPS}" step="1" value="{STEPS}"'
        ' autocomplete="off"'
        f' aria-label="β, how hard units choose" aria-valuetext="{words}"><div class="hero-stops">{stops}</div></div>'
        '<p class="hero-read"><b class="hero-beta">β = 1.00</b> '
        f'<span class="hero-right">{escape(script.right(1.0))}</span></p></div>'
    )


def _height(value: float | Array) -> Array:
    return np.asarray((HEIGHTS[1] - value) / (HEIGHTS[1] - HEIGHTS[0]))


def _place(points: Array) -> Array:
    return np.stack([100 * (points[:, 0] - BOX.x[0]), 100 * (BOX.y[1] - points[:, 1])], -1)


def _path(points: Iterable[tuple[float, float]], scale: float) -> str:
    return "".join(f"{'L' if place else 'M'}{scale * x:.4g} {scale * y:.4g}" for place, (x, y) in enumerate(points))
