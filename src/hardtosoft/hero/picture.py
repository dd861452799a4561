"""What the landing page draws: the one definition of a β-ReLU, of a network of them, and of their colours.

Everything is computed for one pixel from the network's value and gradient there. No edge is drawn sharper than a
pixel, so that the hard network is anti-aliased by the same formula that softens it.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot
from typing import Any

import numpy as np
from torch import Tensor

from ..interactive import palette
from ..results.networks import Network
from .program import Program, number

#: η at which a unit counts as hard: the most that single precision can tell apart here.
HARDEST = 1e6
#: η·|u| over one pixel at which an edge is as sharp as the pixel grid shows.
SHARPEST = 3.2
#: How far each unit moves the lightness of its facets, so that neighbours differ.
PULLS = (1.0, -1.0, 0.8, -0.7, 0.9, -1.0, 1.0, -0.8, 0.7, -0.9, 0.8, -1.0)
INK = (1.0, 0.8)  # of the edges that a layer draws
LAMP = (-0.55, 0.60, 0.58)
STEEPNESS = 0.22  # of the surface under the lamp, for a gradient of 1
#: What moves from pixel to pixel; all else stands still while one frame is drawn.
MOVING = ("x", "y")
#: Names of a value and of its gradient across and up.
Signal = tuple[str, str, str]

_TO_CONE = ((1.0, 0.3963377774, 0.2158037573), (1.0, -0.1055613458, -0.0638541728), (1.0, -0.0894841775, -1.291485548))
_TO_LIGHT = (
    (4.0767416621, -3.3077115913, 0.2309699292),
    (-1.2684380046, 2.6097574011, -0.3413193965),
    (-0.0041960863, -0.7034186147, 1.707614701),
)


def eta_program() -> Program:
    """η = β/(1 − β) as the page uses it."""
    program = Program(("beta",))
    program.let("eta", f"beta / max(1.0 - beta, {number(1 / HARDEST)})")
    return program


def unit_program() -> Program:
    """One unit with the pieces 0 and u: its value, and the colour of the strip behind its curve."""
    program = Program(("u", "eta", "pixel", "edge", *_channels("paper", "low", "high")))
    share, _, edge = _selection(program, "unit", "u", "1.0", "0.0")
    program.let("value", f"{share} * u")
    for channel in "RGB":
        between = f"mix(low{channel}, high{channel}, {share})"
        program.let(f"shown{channel}", f"255.0 * mix({between}, paper{channel}, {edge} * edge)")
    return program


def plane_program(network: Network) -> Program:
    """A network of β-ReLUs over its two inputs: ``logit``, its gradient, and the pixel ``red, green, blue`` (0–255).

    Raises:
        ValueError: a network that has not two inputs and one logit.
    """
    if network.weights[0].shape[1] != 2 or len(network.weights[-1]) != 1:
        raise ValueError("network must have two inputs and one logit")
    colours = _channels("paper", "line", "halo")
    shades = tuple(f"{side}{axis}" for side in ("first", "second") for axis in "Lab")
    program = Program((*MOVING, "eta", "pixel", "width", "facet", "lamp", "edge", *shades, *colours))
    below: list[Signal] = [("x", "1.0", "0.0"), ("y", "0.0", "1.0")]
    pulls, relief, clear = iter(PULLS), [], []
    for layer, (weight, bias) in enumerate(zip(network.weights[:-1], network.biases[:-1], strict=True)):
        above = []
        for k, (row, b) in enumerate(zip(weight, bias, strict=True)):
            key = f"{layer}{k}"
            u, across, up = _affine(program, f"u{key}", row, b, below)
            share, drawn, edge = _selection(program, key, u, across, up)
            value = program.let(f"v{key}", f"{share} * {u}")
            slope = program.let(f"s{key}", f"{share} + eta * {u} * {share} * (1.0 - {share})")
            steps = program.let(f"v{key}x", f"{slope} * {across}"), program.let(f"v{key}y", f"{slope} * {up}")
            above.append((value, *steps))
            relief.append(f"{number(next(pulls))} * ({drawn} - 0.5)")
            clear.append(f"(1.0 - {number(INK[layer])} * {edge})")
        below = above
    logit, across, up = _affine(program, "f", network.weights[-1][0], network.biases[-1][0], below)
    for name, found in (("logit", logit), ("across", across), ("up", up)):
        program.let(name, found)
    program.let("lift", f"clamp(0.62 * ({' + '.join(relief)}), -2.0, 2.0)")
    program.let("ink", f"1.0 - {' * '.join(clear)}")
    _colour(program)
    return program


def _affine(program: Program, name: str, weights: Tensor, bias: Tensor, inputs: Sequence[Signal]) -> Signal:
    """A sum of inputs and its gradient across and up."""

    def total(which: int) -> str:
        return " + ".join(f"{number(w)} * {one[which]}" for w, one in zip(weights.tolist(), inputs, strict=True))

    return (
        program.let(name, f"{total(0)} + {number(float(bias))}"),
        program.let(f"{name}x", total(1)),
        program.let(f"{name}y", total(2)),
    )


def _selection(program: Program, key: str, u: str, across: str, up: str) -> tuple[str, str, str]:
    """How much a unit selects its piece u over 0, the same no sharper than a pixel, and the ink of its edge."""
    change = program.let(f"c{key}", f"max(sqrt({across} * {across} + {up} * {up}) * pixel, 1e-9)")
    blunt = program.let(f"e{key}", f"min(eta, {SHARPEST} / {change})")
    share = program.let(f"t{key}", f"1.0 / (1.0 + exp(-clamp(eta * {u}, -60.0, 60.0)))")
    drawn = program.let(f"p{key}", f"1.0 / (1.0 + exp(-clamp({blunt} * {u}, -60.0, 60.0)))")
    # A hairline where the edge is a pixel wide; the wider it is, the paler.
    pale = f"pow(min({blunt} * {change} / {SHARPEST}, 1.0), 0.58)"
    return share, drawn, program.let(f"i{key}", f"4.0 * {drawn} * (1.0 - {drawn}) * {pale}")


def _colour(program: Program) -> None:
    """From logit, gradient, lift and ink to a pixel: class, facets, light, edges, and the boundary's line."""
    let = program.let
    let("away", "logit / max(sqrt(across * across + up * up) * pixel, 1e-9)")
    let("side", "clamp(away + 0.5, 0.0, 1.0)")
    tilt, lamp = number(STEEPNESS), [number(part / hypot(*LAMP)) for part in LAMP]
    let("normal", f"1.0 / sqrt(1.0 + {tilt} * {tilt} * (across * across + up * up))")
    let("lit", f"normal * ({lamp[2]} - {tilt} * ({lamp[0]} * across + {lamp[1]} * up))")
    for axis in "Lab":
        let(f"plain{axis}", f"mix(first{axis}, second{axis}, side)")
    let("turn", "0.16 * lift")
    let("bright", "plainL + facet * lift + 2.0 * lamp * (lit - 0.58)")
    let("hueA", "cos(turn) * plaina - sin(turn) * plainb")
    let("hueB", "sin(turn) * plaina + cos(turn) * plainb")
    for cone, row in zip("lms", _TO_CONE, strict=True):
        let(
            f"root{cone}",
            " + ".join(f"{number(w)} * {v}" for w, v in zip(row, ("bright", "hueA", "hueB"), strict=True)),
        )
        let(f"cone{cone}", f"root{cone} * root{cone} * root{cone}")
    let("edged", "clamp(ink, 0.0, 1.0) * edge")
    let("haloed", "0.85 * (1.0 - smoothstep(1.9 * width - 0.5, 1.9 * width + 0.7, abs(away)))")
    let("lined", "1.0 - smoothstep(width - 0.5, width + 0.5, abs(away))")
    for channel, name, row in zip("RGB", ("red", "green", "blue"), _TO_LIGHT, strict=True):
        light = " + ".join(f"{number(w)} * cone{cone}" for w, cone in zip(row, "lms", strict=True))
        let(f"light{channel}", f"clamp({light}, 0.0, 1.0)")
        curve = f"1.055 * pow(light{channel}, 0.4166667) - 0.055"
        let(f"face{channel}", f"mix(12.92 * light{channel}, {curve}, step(0.0031308, light{channel}))")
        paper = f"mix(face{channel}, paper{channel}, edged)"
        let(name, f"255.0 * mix(mix({paper}, halo{channel}, haloed), line{channel}, lined)")


def _channels(*names: str) -> tuple[str, ...]:
    return tuple(f"{name}{channel}" for name in names for channel in "RGB")


def look(dark: bool) -> dict[str, float]:
    """The inputs of both programs that say how a theme looks."""
    chosen = {
        "paper": "plane-edge",
        "line": "plane-line",
        "halo": "plane-halo",
        "low": "unit-low",
        "high": "unit-high",
    }
    found = {"facet": 0.040 if dark else 0.066, "lamp": 0.055 if dark else 0.060, "edge": 0.42 if dark else 0.92}
    for name, colour in chosen.items():
        found |= zip(_channels(name), palette.channels(palette.COLOURS[colour][dark]), strict=True)
    for side in ("first", "second"):
        values = palette.oklab(palette.COLOURS[f"plane-{side}"][dark])
        found |= {f"{side}{axis}": round(float(value), 4) for axis, value in zip("Lab", values, strict=True)}
    return found


def resting(beta: float, dark: bool = False, **inputs: float) -> dict[str, float]:
    """All inputs of the plane but the place, at β: what :meth:`Program.run` wants."""
    eta = float(eta_program().run(["eta"], beta=beta)[0])
    return {**look(dark), "eta": eta, "pixel": 4.2 / 700, "width": 1.55, **inputs}


def hexadecimal(red: Any, green: Any, blue: Any) -> list[str]:
    """Pixels as the page writes colours."""
    pixels = np.stack([red, green, blue], -1).round().astype(int).reshape(-1, 3)
    return ["#{:02x}{:02x}{:02x}".format(*pixel) for pixel in pixels]
