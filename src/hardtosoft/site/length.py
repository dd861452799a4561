"""How long chapters are: words, formulas, cells, figures, exercises, and the minutes that these make.

``python -m hardtosoft.site.length`` prints a line a chapter. The line above a chapter's title and the landing page
take their minutes from here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

from ..tree import source_tree

WORDS_A_MINUTE = 200
#: Of a figure with its question, and of an exercise beyond reading it.
FIGURE_MINUTES, EXERCISE_MINUTES = 1, 2

FORMULA = re.compile(r"\$\$.+?\$\$|\$[^$\n]+\$", re.DOTALL)
FRAME = re.compile(r"^:::.*$|^:class:.*$|^\|[-|: ]+\|$|<[^>]+>|\]\([^)\s]*\)", re.MULTILINE)
WORD = re.compile(r"[^\W_](?:[\w’'.,/-]*\w)?")
EXERCISE = re.compile(r"^:::\{(?:admonition|dropdown)\} Exercise", re.MULTILINE)
FIGURE = "Interactive figure “"


@dataclass(frozen=True)
class Length:
    """What a chapter asks of its reader: words with the folded answers, formulas, cells, figures, exercises."""

    words: int
    formulas: int
    cells: int
    figures: int
    exercises: int

    @property
    def minutes(self) -> int:
        """Reading at 200 words a minute, a minute for each figure, two for each exercise; rounded up."""
        return ceil(self.words / WORDS_A_MINUTE + FIGURE_MINUTES * self.figures + EXERCISE_MINUTES * self.exercises)


def length(notebook: Mapping[str, Any]) -> Length:
    """Measure a notebook that has been run. A formula counts as a word; the cell for Colab does not count."""
    text = "\n\n".join(_source(cell) for cell in notebook["cells"] if cell["cell_type"] == "markdown")
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code" and cell.get("id") != "colab"]
    prose = FRAME.sub(" ", FORMULA.sub(" formula ", text))
    return Length(
        words=len(WORD.findall(prose)),
        formulas=len(FORMULA.findall(text)),
        cells=len(code),
        figures=sum(FIGURE in str(cell["outputs"]) for cell in code),
        exercises=len(EXERCISE.findall(text)),
    )


def _source(cell: Mapping[str, Any]) -> str:
    return "".join(cell["source"])


def main() -> None:
    """Print the lengths of all chapters."""
    from .chapters import read_contents

    tree = source_tree()
    if tree is None:
        raise SystemExit("the source tree is needed, and this package is not in one")
    print(f"{'chapter':22} words formulas cells figures exercises minutes")
    for chapter in read_contents(tree / "book").chapters:
        path = tree / "book" / f"{chapter.file}.ipynb"
        found = length(json.loads(Path(path).read_text(encoding="utf-8")))
        print(
            f"{chapter.file:22} {found.words:5} {found.formulas:8} {found.cells:5} {found.figures:7} "
            f"{found.exercises:9} {found.minutes:7}"
        )


if __name__ == "__main__":
    main()
