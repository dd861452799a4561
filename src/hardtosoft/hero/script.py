"""The script of the landing page's figure: what Python emits for the network, and the driver behind it."""

from __future__ import annotations

import json
from importlib.resources import files

from ..drawing.moons import BOX, moons_partition
from ..interactive.axes import beta_axis
from ..interactive.driver import player_script
from ..results.networks import load_two_moons, two_moons_test_set
from . import picture
from .program import SCRIPT_FUNCTIONS

INPUTS, HEIGHTS = (-4.0, 4.0), (-2.42, 4.42)
STEPS = 100
#: Where the boundary's name stands: at this height, between these two places.
NAMED_AT = {"y": 1.02, "x": (0.9, 2.55)}
_RGB = ("red", "green", "blue")
_STRIP = ("shownR", "shownG", "shownB")


def accuracy(beta: float) -> float:
    """Share of new points that the network classifies correctly at β."""
    return load_two_moons().accuracy(*two_moons_test_set(), beta)


def right(beta: float) -> str:
    """The same in words."""
    return f"{100 * accuracy(beta):.0f} % of new points classified right"


def alt(beta: float) -> str:
    """What the plane shows at β."""
    if beta == 1:
        count = len(moons_partition())
        return f"The plane of the two moons falls into {count} flat polygons; the boundary bends at their edges."
    if beta == 0:
        return "The plane has one shade for each class, and one straight boundary, which cannot part the moons."
    return "The polygons melt into each other, and the boundary between the moons is a smooth curve."


def fragment_shader() -> str:
    """The plane as a WebGL fragment shader."""
    program = picture.plane_program(load_two_moons())
    uniforms = [name for name in program.inputs if name not in picture.MOVING]
    return (
        f"precision highp float;\nuniform float left, bottom, {', '.join(uniforms)};\nvoid main() {{\n"
        "float x = left + gl_FragCoord.x * pixel;\nfloat y = bottom + gl_FragCoord.y * pixel;\n"
        f"{program.glsl(_RGB)}gl_FragColor = vec4(red, green, blue, 255.0) / 255.0;\n}}\n"
    )


def settings() -> dict[str, object]:
    """The numbers and words that the driver needs beside the programs."""
    axis = beta_axis(1 / STEPS, start=1.0)
    betas = [step / STEPS for step in range(STEPS + 1)]
    return {
        "box": {"x": BOX.x, "y": BOX.y},
        "inputs": INPUTS,
        "heights": HEIGHTS,
        "label": NAMED_AT,
        "looks": {name: picture.look(dark) for name, dark in (("light", False), ("dark", True))},
        "words": [axis.words(beta) for beta in betas],
        "right": [right(beta) for beta in betas],
        "alts": [alt(beta) for beta in (0.0, 0.5, 1.0)],
    }


def script() -> str:
    """The whole of it: one classic script for a page."""
    plane, unit = picture.plane_program(load_two_moons()), picture.unit_program()
    programs = {
        "eta": picture.eta_program().javascript(["eta"], ["beta"]),
        "value": unit.javascript(["value"], ["u"]),
        "strip": unit.javascript(_STRIP, ["u"]),
        "logit": plane.javascript(["logit", "across", "up"], picture.MOVING),
        "plane": plane.javascript(_RGB, picture.MOVING),
        "fragment": _json(fragment_shader()),
    }
    emitted = ",\n".join(f"{name}: {text}" for name, text in programs.items())
    driver = (files(__package__) / "hero.js").read_text(encoding="utf-8")
    return (
        f"(() => {{\n'use strict';\n{SCRIPT_FUNCTIONS}const program = {{\n{emitted}\n}};\n"
        f"const config = {_json(settings())};\n{player_script()}{driver}}})();\n"
    )


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
