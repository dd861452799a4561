"""A second try for tests in JupyterLab, whose page on a busy machine is not always in time."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Error as PlaywrightError


def once_more(test: Callable[..., None]) -> Callable[..., None]:
    """Let a test that fails run once more, from the start and in a new window."""

    @functools.wraps(test)
    def tried(*args: object, **keywords: Any) -> None:
        try:
            test(*args, **keywords)
        except (AssertionError, PlaywrightError) as error:
            print(f"The first try failed: {error}")
            keywords["open_notebook"].renew()
            test(*args, **keywords)

    return tried
