"""Marks: words of a readout in the colour of the line they speak of, ``[t1|0.73]``; figure.css knows the colours."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

from .numbers import number

_MARK = re.compile(r"\[([a-z]+\d?)\|([^\[\]]*)\]")


def pieces(text: str) -> list[tuple[str, str]]:
    """Role and words of what is marked, and between them, without a role, what is not: it opens and ends the list."""
    parts = _MARK.split(text)  # text, role, words, text, ...
    found = [("", parts[0])]
    for role, words, after in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        found += [(role, words), ("", after)]
    return found


def weighed(weights: Iterable[float], digits: int = 3) -> str:
    """The weights of pieces, in parentheses, those of the first three in their colours."""
    shown = [number(weight, digits) for weight in weights]
    return f"({', '.join(f'[t{r}|{text}]' if r < 4 else text for r, text in enumerate(shown, start=1))})"


def marked(text: str) -> str:
    """HTML of ``text``, an element for each piece; ``figure.js`` writes later texts into them."""
    elements = (
        f'<b class="{role}">{escape(words)}</b>' if role else f"<span>{escape(words)}</span>"
        for role, words in pieces(text)
    )
    return "".join(elements)


def unmarked(text: str) -> str:
    """``text`` as it is read, without its marks."""
    return "".join(words for _, words in pieces(text))
