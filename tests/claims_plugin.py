"""Pytest plugin: a claim that the book lists as covered needs a test that passes.

A skip or an expected failure is no pass. A claim none of whose tests was selected is not judged, so that a
part of the suite can be run. Works with and without xdist: what a report knows of its claims travels with it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from hardtosoft.site.claims import CLAIMS
from hardtosoft.site.marked_tests import collect_file

COVERED = {claim.id for claim in CLAIMS if claim.covered}


def pytest_configure(config: pytest.Config) -> None:
    """Judge in the process that sees all reports: the only one, or the one that leads xdist's workers."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(ClaimJudge(config), "claim-judge")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Put the claims of a test where its reports carry them."""
    for mark in item.iter_markers("claim"):
        item.user_properties.append(("claim", str(mark.args[0])))


class ClaimJudge:
    """Collects which claims were tried and which of them have a test that passed."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.tried: set[str] = set()
        self.called: dict[str, set[str]] = {}
        self.spoiled: set[str] = set()

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that skips itself takes its tests along, and they report nothing."""
        path = Path(self.config.rootpath, report.nodeid)
        if report.skipped and path.is_file() and path.suffix == ".py":
            self.tried.update(test.claim_id for test in collect_file(path, path.parent))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a test's outcome: it passes if its call does and neither set-up nor tear-down fails."""
        claims = {str(value) for name, value in report.user_properties if name == "claim"}
        self.tried |= claims
        if not report.passed or hasattr(report, "wasxfail"):
            self.spoiled.add(report.nodeid)
        elif report.when == "call":
            self.called[report.nodeid] = claims

    def unproven(self) -> list[str]:
        """Covered claims that were tried, and of which no test passed."""
        passed = (claims for test, claims in self.called.items() if test not in self.spoiled)
        return sorted((self.tried & COVERED).difference(*passed))

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Fail a run that would otherwise count as good."""
        if exitstatus == pytest.ExitCode.OK and self.unproven():
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say which claim is at fault."""
        for claim_id in self.unproven():
            terminalreporter.write_line(
                f"FAILED claim {claim_id}: the book lists it as covered, but none of its tests passed",
                red=True,
            )
