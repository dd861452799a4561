"""What holds for every test run, and what it says at its end."""

from __future__ import annotations

import gc
import os

import pytest

# Notebooks run by nbval are a reader's: their figures live, and torch has one thread, as on Binder.
os.environ.pop("HARDTOSOFT_STATIC", None)
os.environ["OMP_NUM_THREADS"] = "1"

pytest_plugins = ["chapters_plugin", "claims_plugin", "order_plugin", "values_plugin"]


# Looking for cycles among millions of objects takes a tenth of the time. While tests are collected there are none to
# find, and what is there when they begin (torch, its compilers, the tests) stays to the end.
def pytest_configure() -> None:
    """Look for no cycles while tests are collected."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Look for cycles among what tests make, and less often."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


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
