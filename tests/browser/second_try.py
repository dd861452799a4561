"""A second try for tests in JupyterLab, whose page on a busy machine is not always in time."""

from __future__ import annotations

import functools
from collections.abc import Callable

from playwright.sync_api import Error as PlaywrightError


def once_more(test: Callable[..., None]) -> Callable[..., None]:
    """Let a test that fails run once more, from the start."""

    @functools.wraps(test)
    def tried(*args: object, **keywords: object) -> None:
        try:
            test(*args, **keywords)
        except (AssertionError, PlaywrightError) as error:
            print(f"The first try failed: {error}")
            test(*args, **keywords)

    return tried
