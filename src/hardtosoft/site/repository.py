"""Where the project stands: its source tree here, its public address, and the links that open a notebook."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

BINDER = "https://mybinder.org"
COLAB = "https://colab.research.google.com"


@dataclass(frozen=True)
class Repository:
    """A public repository and where the book stands in it."""

    address: str
    """``https://host/owner/name``, or empty where there is none."""
    branch: str
    book: str
    """The book's folder, relative to the repository's root; empty for the root itself."""

    @property
    def github(self) -> str:
        """``owner/name`` on GitHub, which is what Binder and Colab open; empty for any other address."""
        found = re.fullmatch(r"https://(?:www\.)?github\.com/([\w.-]+/[\w.-]+)", self.address)
        return found[1] if found else ""

    def binder(self, notebook: str) -> str:
        """Address that opens a notebook of the book (``relu-to-swish.ipynb``) in JupyterLab on Binder.

        Raises:
            ValueError: the repository is not on GitHub.
        """
        # The path is part of an address inside an address, so that it is quoted for both.
        lab = quote(f"lab/tree/{quote(self._path(notebook))}", safe="/")
        return f"{BINDER}/v2/gh/{self._on_github()}/{quote(self.branch, safe='')}?urlpath={lab}"

    def colab(self, notebook: str) -> str:
        """Address that opens a notebook of the book on Colab.

        Raises:
            ValueError: the repository is not on GitHub.
        """
        return f"{COLAB}/github/{self._on_github()}/blob/{quote(self.branch)}/{quote(self._path(notebook))}"

    def _path(self, notebook: str) -> str:
        return f"{self.book}/{notebook}" if self.book else notebook

    def _on_github(self) -> str:
        if not self.github:
            raise ValueError(f"address must be https://github.com/owner/name, got {self.address!r}")
        return self.github


def read_repository(tree: Path) -> Repository:
    """Read where the project stands: git's remote ``origin`` where it is public, else ``_config.yml``.

    Args:
        tree: root of the source tree, which holds ``_config.yml``.

    Raises:
        ValueError: ``repository.url`` in ``_config.yml`` is set and is no public address.
    """
    import yaml  # type: ignore[import-untyped]

    settings = yaml.safe_load((tree / "_config.yml").read_text(encoding="utf-8")).get("repository") or {}
    written = settings.get("url") or ""
    address = public_address(_origin(tree)) or public_address(written)
    if written and not public_address(written):
        raise ValueError(
            f"repository.url in _config.yml must be empty or like https://github.com/owner/name, got {written!r}"
        )
    book = (settings.get("path_to_book") or "").strip("/")
    return Repository(address, settings.get("branch") or "main", book)


def public_address(remote: str) -> str:
    """Turn what git calls a remote into an address that a browser opens: no credentials, no ``.git``.

    Args:
        remote: ``https://…``, ``ssh://…``, ``git://…``, ``git@host:owner/name.git``, a path, or nothing.

    Returns:
        ``https://host/owner/name``; empty for paths and for hosts that only this machine or its network knows.
    """
    remote = remote.strip()
    if "://" not in remote:
        # git's short form of ssh. One letter before the colon is a drive of Windows, a slash there a path.
        short = re.fullmatch(r"(?:[^@/\s]+@)?([^:@/\s]{2,}):(?!//)/?(\S+)", remote)
        remote = f"ssh://{short[1]}/{short[2]}" if short else ""
    try:
        parts = urlsplit(remote)
        host, port = parts.hostname or "", parts.port
    except ValueError:  # a port that is no number
        return ""
    path = parts.path.strip("/")
    if host in ("github.com", "www.github.com"):  # an address out of a browser may lead into the repository
        path = "/".join(path.split("/")[:2])
    path = path.removesuffix(".git")
    # A name without a dot is a machine of this network, a number is no address to write into a book.
    public = re.fullmatch(r"(?:[a-z0-9-]+\.)+[a-z][a-z0-9-]*", host)
    if parts.scheme not in ("https", "http", "ssh", "git", "git+ssh") or not public or not re.search("./.", path):
        return ""
    # The port of ssh says nothing about where pages are.
    return f"https://{host}{f':{port}' if port and parts.scheme == 'https' else ''}/{path}"


def _origin(tree: Path) -> str:
    """What git calls ``origin`` in this very tree, or nothing."""
    # A tree without its own .git may lie inside another repository, whose origin is not its own.
    if not (tree / ".git").exists():
        return ""
    command = ["git", f"--git-dir={tree / '.git'}", "remote", "get-url", "origin"]
    try:
        return subprocess.run(command, cwd=tree, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):  # no git on this machine, or no such remote
        return ""
