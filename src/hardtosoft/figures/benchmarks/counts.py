"""What operators cost on an accelerator by counts, as a table."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from ...results.counted import Count, Counted

HEAD = ("operator", "forward: kernels", "moved", "backward: kernels", "moved", "saved")


def count_table(counts: Iterable[Counted]) -> str:
    """Every operator's kernels over the input, numbers moved and numbers saved."""
    rows = (
        (each.operator, *_pass(each.forward), *_pass(each.backward), f"{each.saved:.2f}".removesuffix(".00"))
        for each in counts
    )
    cells = "".join(
        f'<tr><th scope="row"><code>{escape(name)}</code></th>{"".join(f"<td>{cell}</td>" for cell in rest)}</tr>'
        for name, *rest in rows
    )
    heads = "".join(f'<th scope="col">{name}</th>' for name in HEAD)
    return (
        '<div class="ratio-table"><div tabindex="0" role="region" aria-label="Kernels and traffic of every operator">'
        f"<table><thead><tr>{heads}</tr></thead><tbody>{cells}</tbody></table></div></div>"
    )


def _pass(count: Count) -> tuple[str, str]:
    return str(count.big), f"{count.moved:.1f}"
