"""Coordinates in words: what a table says of pieces, selection and read-out."""

from __future__ import annotations

from ..interactive.numbers import raised, short
from .coordinates import Affine, Coordinates
from .entry import Entry

NAMES = {1: "u", 2: "ab"}
FRACTIONS = {0.0: "0", 0.25: "¼", 1 / 3: "⅓", 0.5: "½", 2 / 3: "⅔", 1.0: "1"}
SPACE = "\N{NO-BREAK SPACE}"  # within a formula


def pieces(entry: Entry) -> str:
    """The scores."""
    return entry.pieces or listed(entry.coordinates.pieces)


def selection(coordinates: Coordinates) -> str:
    """What selects; at β = 1 all entropies and noises do the same, and with one piece there is nothing to select."""
    if len(coordinates.pieces) == 1:
        return "none"
    if coordinates.beta == 1:
        return "hard"
    if coordinates.beta == 0 and not coordinates.is_noise:
        return "even"
    what = "noise" if coordinates.is_noise else "entropy"
    return f"{_proper(coordinates.selection)} {what}"


def beta(coordinates: Coordinates) -> str:
    """β, as a fraction where it is a plain one."""
    for value, text in FRACTIONS.items():
        if abs(coordinates.beta - value) < 1e-12:
            return text
    return short(coordinates.beta, 4)


def readout(entry: Entry) -> str:
    """What is averaged under the code, and how much of the free energy comes to it."""
    c = entry.coordinates
    free_energy = "expected maximum" if c.is_noise else "free energy"
    if entry.readout:
        return entry.readout
    read = "value" if c.readouts is None else " and ".join(listed(row) for row in c.readouts)
    if not c.energy:
        return read
    sign, size = ("−" if c.energy < 0 else ""), abs(c.energy)
    share = sign + ("" if size == 1 else f"{short(size, 4)} × ") + free_energy
    return f"{share}, plus {read}" if read else share


def listed(functions: tuple[Affine, ...]) -> str:
    """Affine functions, one after the other."""
    return ", ".join(affine(function) for function in functions)


def affine(function: Affine) -> str:
    """``2u − 6``, which does not break."""
    inputs = len(function.slopes)
    names = NAMES.get(inputs) or [f"x{chr(0x2081 + i)}" for i in range(inputs)]
    terms = [(slope, name) for slope, name in zip(function.slopes, names, strict=True) if slope]
    if function.offset or not terms:
        terms.append((function.offset, ""))
    return "".join(_term(factor, name, first=index == 0) for index, (factor, name) in enumerate(terms))


def error(value: float) -> str:
    """An error to two digits, as 0.00043 or 4 × 10⁻¹⁵."""
    if value == 0:
        return "0"
    if value >= 1e-4:
        return f"{value:.2g}"
    mantissa, _, exponent = f"{value:.0e}".partition("e")
    return f"{mantissa}{SPACE}×{SPACE}10{raised(int(exponent))}"


def _term(factor: float, name: str, *, first: bool) -> str:
    size = short(abs(factor), 4) if not name or abs(factor) != 1 else ""
    sign = "−" if factor < 0 else ("" if first else "+")
    return (sign if first else f"{SPACE}{sign}{SPACE}") + size + name


def _proper(word: str) -> str:
    """Adjectives that are somebody's name have a capital."""
    return word.capitalize() if word in ("shannon", "gaussian", "lomax") else word
