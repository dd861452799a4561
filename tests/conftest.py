"""What holds for every test run, and what it says at its end."""

from __future__ import annotations

import os

import pytest

# Notebooks run by nbval are a reader's: their figures live, and torch has one thread, as on Binder.
os.environ.pop("HARDTOSOFT_STATIC", None)
os.environ["OMP_NUM_THREADS"] = "1"

pytest_plugins = ["chapters_plugin", "claims_plugin", "order_plugin", "values_plugin"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """State plainly that browser tests did not run, and how to get them to, where that is so."""
    reasons = [
        report.longrepr[2].removeprefix("Skipped: ")
        for report in terminalreporter.getreports("skipped")
        if isinstance(report.longrepr, tuple)
    ]
    without = [reason for reason in reasons if reason.startswith("no Chromium found")]
    if without:
        terminalreporter.section("browser tests")
        terminalreporter.write_line(f"{len(without)} browser tests were skipped: {without[0]}.", yellow=True)
