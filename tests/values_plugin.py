"""Pytest plugin: says at the end of a run how many values the property tests tried.

A test tells with ``record_property("values tried", count)``. It travels with the test's report, so it is counted under
xdist as well.
"""

from __future__ import annotations

import pytest

TRIED = "values tried"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Add up what the tests that passed have recorded."""
    counts = [
        int(value)
        for report in terminalreporter.getreports("passed")
        for name, value in report.user_properties
        if name == TRIED and report.when == "call"
    ]
    if counts:
        terminalreporter.write_line(f"{sum(counts):,} values tried by {len(counts)} property tests")
