"""Moves of a live widget as a browser asks for them, and what a view then shows."""

import numpy as np


def received(widget):
    """What a view shows: the opening's arrays and texts, and over them the last answer's."""
    shown = {}
    for message in (widget.opening, widget.answer):
        for described, data in zip(message["arrays"], message["data"], strict=True):
            kind = "u1" if len(described["shape"]) == 2 else "<f8"
            numbers = np.frombuffer(data, kind).reshape(described["shape"])
            shown[tuple(described["path"])] = numbers / 255 if kind == "u1" else numbers
        shown |= {tuple(path): value for path, value in message["texts"]}
    return shown


def ask(widget, turn, /, **values):
    """A move as it comes from a browser."""
    widget.set_state({"asked": {"turn": turn, "values": values}})


def first_text(widget, path):
    node = widget.opening["config"]["frame"]
    for key in path:
        node = node[key]
    return node
