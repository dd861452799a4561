"""The directive ``{benchmark}``: parts of the page of benchmarks, made from the stored measurements.

Its argument says which: ``origin``, ``limits``, ``counts``, or a group of operators (``units``, ``selections``,
``pools``).
"""

from __future__ import annotations

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from hardtosoft.figures.benchmarks import ratios
from hardtosoft.figures.benchmarks.counts import count_table
from hardtosoft.results.counted import load_counts
from hardtosoft.results.measured import GROUPS, Benchmark, load_benchmark


def part(benchmark: Benchmark, name: str) -> str:
    """The HTML of one part.

    Raises:
        ValueError: no such part.
    """
    if name == "origin":
        return ratios.origin_list(benchmark)
    if name == "limits":
        return ratios.limit_list(benchmark.limits)
    if name == "counts":
        return count_table(load_counts())
    if name in GROUPS:
        return ratios.ratio_figure(benchmark, name) + ratios.ratio_table(benchmark.of(name))
    raise ValueError(f"a part of the benchmark must be origin, limits, counts, {', '.join(GROUPS)}; got {name!r}")


class BenchmarkPart(SphinxDirective):
    """Puts one part of the benchmark on the page. Every build reads the page again: the numbers may be new."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Make it."""
        self.env.note_reread()
        try:
            html = part(load_benchmark(), self.arguments[0])
        except ValueError as error:
            raise self.error(str(error)) from error
        return [nodes.raw("", html, format="html")]
