"""Pytest plugin: which tests share a process under xdist, and what comes first.

A file's tests share a process, and what their fixtures make. So do the tests of one visit to a page, whatever their
file: the page is opened once for all of them. What takes long comes first, so that at the end no process is left alone
with it. Without xdist the order is the same.
"""

from __future__ import annotations

import pytest

FIRST = ("tests/browser", "book", "tests/project", "tests/site")
GROUP = pytest.StashKey[str]()


def group(item: pytest.Item) -> str:
    """The name that a test shares with those that run in its process."""
    visited = getattr(item, "callspec", None) and item.callspec.params.get("visit")
    return f"visit {visited[0]} {visited[1]}" if visited else item.nodeid.partition("::")[0]


def rank(name: str) -> int:
    """How early a group comes."""
    if name.startswith("visit "):
        return 0
    return next((i for i, folder in enumerate(FIRST) if name.startswith(folder)), len(FIRST))


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]):
    """Name the groups before xdist reads them; put them together after pytest has sorted tests by their fixtures."""
    collected = {item: place for place, item in enumerate(items)}
    first: dict[str, int] = {}
    for item in items:
        item.stash[GROUP] = group(item)
        item.add_marker(pytest.mark.xdist_group(item.stash[GROUP]))
        first.setdefault(item.stash[GROUP], collected[item])
    yield
    sorted_by_pytest = {item: place for place, item in enumerate(items)}

    def key(item: pytest.Item) -> tuple[int, int, int]:
        name = item.stash[GROUP]
        places = collected if name.startswith("visit ") else sorted_by_pytest
        return rank(name), first[name], places[item]

    items.sort(key=key)
