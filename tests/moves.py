"""Moves of a live widget as a browser asks for them, and what a view then shows."""

import numpy as np


def received(widget):
    """What a view shows: the opening's arrays and texts, and over them the last answer's."""
    shown = {}
    for message in (widget.opening, widget.answer):
        for described, data in zip(message["arrays"], message["data"], strict=True):
            numbers = np.frombuffer(data, f"<{described['type']}").reshape(described["shape"])
            step = 2 * half_step(described)
            shown[tuple(described["path"])] = described["low"] + step * numbers if step else numbers
        shown |= {tuple(path): value for path, value in message["texts"]}
    return shown


def half_step(described):
    """How far numbers that travel as steps may be from those meant."""
    steps = {"u1": 255, "u2": 65535}.get(described["type"])
    return (described["high"] - described["low"]) / steps / 2 if "high" in described else 0.0


def half_steps(widget):
    """The same for each array that a view shows."""
    described = [*widget.opening["arrays"], *widget.answer["arrays"]]
    return {tuple(one["path"]): half_step(one) for one in described}


def ask(widget, turn, /, **values):
    """A move as it comes from a browser."""
    widget.set_state({"asked": {"turn": turn, "values": values}})


def first_text(widget, path):
    node = widget.opening["config"]["frame"]
    for key in path:
        node = node[key]
    return node
