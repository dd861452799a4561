"""The atlas as a whole: looked up by name, walked through, shown as a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from html import escape

from . import words
from .entry import Entry

COLUMNS: dict[str, Callable[[Entry], str]] = {
    "Name": lambda entry: entry.name,
    "Function": lambda entry: entry.counterpart,
    "Pieces": words.pieces,
    "Selection": lambda entry: words.selection(entry.coordinates),
    "β": lambda entry: words.beta(entry.coordinates),
    "Read-out": words.readout,
    "Largest error": lambda entry: words.error(entry.error),
    "Why": lambda entry: " ".join(filter(None, (entry.misfit, entry.derivation))),
}
CODE, LONG = "Function", "Why"  # the columns of program text and of sentences


class Atlas:
    """Nonlinearities and their coordinates.

    Iterable; ``ATLAS["GELU"]`` is one entry, ``ATLAS.exact`` and ``ATLAS.inexact`` are parts that are again an atlas,
    and each shows itself as a table in a notebook.

    Args:
        entries: with different names.
        title: what the table is called, above it.

    Raises:
        ValueError: two entries of one name.
    """

    def __init__(self, entries: Iterable[Entry], title: str = "Atlas of nonlinearities") -> None:
        self.title = title
        self._entries: dict[str, Entry] = {}
        for entry in entries:
            if entry.name in self._entries:
                raise ValueError(f"entries must have different names, got {entry.name!r} twice")
            self._entries[entry.name] = entry

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, name: str) -> Entry:
        """The entry of this name.

        Raises:
            KeyError: there is none; the names that there are.
        """
        if name not in self._entries:
            raise KeyError(f"{name!r} is not in the atlas; it has {', '.join(self._entries)}")
        return self._entries[name]

    @property
    def exact(self) -> Atlas:
        """The entries whose coordinates are the function itself."""
        return Atlas(entry for entry in self if entry.is_exact)

    @property
    def inexact(self) -> Atlas:
        """The entries that are only the closest there is."""
        return Atlas(entry for entry in self if not entry.is_exact)

    def choose(self, *names: str) -> Atlas:
        """Some of the entries, in the order given."""
        return Atlas(self[name] for name in names)

    def __repr__(self) -> str:
        exact = len(self.exact)
        return f"Atlas of {len(self)} nonlinearities: {exact} exact, {len(self) - exact} as close as can be"

    def _repr_html_(self) -> str:
        wide = ' style="min-width: 18em"'
        head = "".join(f'<th scope="col"{wide if column == LONG else ""}>{escape(column)}</th>' for column in COLUMNS)
        rows = "".join(f"<tr>{self._cells(entry)}</tr>" for entry in self)
        title = escape(self.title)
        # It is wider than most screens: it scrolls in its own box, by keyboard too.
        box = f'class="pst-scrollable-table-container" style="overflow-x: auto" role="group" aria-label="{title}"'
        caption = f'<caption style="caption-side: top">{title}</caption>'
        table = f'<table class="table hts-atlas">{caption}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
        return f'<div {box} tabindex="0">{table}</div>'

    def _repr_markdown_(self) -> str:
        def row(cells: Iterable[str]) -> str:
            return f"| {' | '.join(cells)} |"

        lines = [row(COLUMNS), row("---" for _ in COLUMNS)]
        for entry in self:
            shown = {column: text(entry).replace("|", "\\|") for column, text in COLUMNS.items()}
            shown[CODE] = f"`{shown[CODE]}`"
            lines.append(row(shown.values()))
        return "\n".join(lines)

    @staticmethod
    def _cells(entry: Entry) -> str:
        cells = []
        for column, text in COLUMNS.items():
            shown = escape(text(entry))
            if column == "Name":
                cells.append(f'<th scope="row">{shown}</th>')
            else:
                cells.append(f"<td>{f'<code>{shown}</code>' if column == CODE else shown}</td>")
        return "".join(cells)
