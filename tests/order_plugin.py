"""Pytest plugin: which tests share a process under xdist, and what comes first.

A file's tests share a process, and what their fixtures make. So do the tests of one visit to a page, whatever their
file: the page is opened once for all of them, and the tables of its figures are made once. What takes long comes
first, so that at the end no process is left alone with it. Without xdist the order is the same.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest
from xdist.scheduler import LoadScopeScheduling

FIRST = ("visit ", "tests/browser", "book", "tests/project", "tests/experiments", "tests/site")


def group(nodeid: str) -> str:
    """The name that a test shares with those that run in its process."""
    visit = re.search(r"\[([\w-]+\.html)-(360)?", nodeid)
    return f"visit {visit[1]} {visit[2] or ''}" if visit else nodeid.partition("::")[0]


def rank(name: str) -> int:
    """How early a group comes."""
    return next((i for i, start in enumerate(FIRST) if name.startswith(start)), len(FIRST))


class ByGroup(LoadScopeScheduling):
    """Gives each process one group after another."""

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)


def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are cores: browsers and kernels make tests wait."""
    return 1 + (os.cpu_count() or 1)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByGroup:
    """Take the groups above, whatever ``--dist`` says."""
    return ByGroup(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Put groups together after pytest has sorted tests by their fixtures; a visit's tests stay as they were found."""
    collected = {item: place for place, item in enumerate(items)}
    first: dict[str, int] = {}
    for item, place in collected.items():
        first.setdefault(group(item.nodeid), place)
    yield
    sorted_by_pytest = {item: place for place, item in enumerate(items)}

    def key(item: pytest.Item) -> tuple[int, int, int]:
        name = group(item.nodeid)
        places = collected if name.startswith("visit ") else sorted_by_pytest
        return rank(name), first[name], places[item]

    items.sort(key=key)
