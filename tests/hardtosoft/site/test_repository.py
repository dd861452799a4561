"""Where the project stands: every spelling of a remote gives one public address, and that gives the right links."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from hardtosoft.site import repository
from hardtosoft.site.repository import Repository, public_address

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    "remote",
    [
        "https://github.com/owner/a-book",
        "https://github.com/owner/a-book/",
        "https://github.com/owner/a-book/tree/main/book",
        "https://github.com/owner/a-book.git/",
        "https://github.com/owner/a-book.git\n",
        "https://someone:secret@github.com/owner/a-book.git",
        "https://secret@github.com/owner/a-book",
        "http://github.com/owner/a-book.git",
        "HTTPS://GitHub.com/owner/a-book",
        "git://github.com/owner/a-book.git",
        "git@github.com:owner/a-book.git",
        "git@github.com:/owner/a-book.git",
        "github.com:owner/a-book",
        "ssh://git@github.com/owner/a-book.git",
        "ssh://git@github.com:22/owner/a-book.git",
        "git+ssh://git@github.com/owner/a-book",
    ],
)
def test_every_spelling_of_a_remote_gives_one_address(remote: str) -> None:
    assert public_address(remote) == "https://github.com/owner/a-book"


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("git@gitlab.com:group/sub/book.git", "https://gitlab.com/group/sub/book"),
        ("https://token@git.example.org:8443/owner/book.git", "https://git.example.org:8443/owner/book"),
        ("ssh://git@git.example.org:2222/owner/book.git", "https://git.example.org/owner/book"),
        ("https://github.com/owner/book.git.js", "https://github.com/owner/book.git.js"),
    ],
)
def test_other_hosts_keep_what_leads_there(remote: str, address: str) -> None:
    assert public_address(remote) == address


@pytest.mark.parametrize(
    "remote",
    [
        *(
            "",
            "  \n",
            "/srv/git/book.git",
            "../book",
            "./a:b/c",
            "file:///srv/git/book.git",
            "C:\\git\\book",
            "C:/git/b",
        ),
        *("https://localhost:8080/owner/book", "http://someone:secret@127.0.0.1:3000/owner/book.git"),
        *("git@192.168.0.2:owner/book.git", "http://[::1]/owner/book", "git@work-laptop:owner/book.git"),
        *("https://github.com", "https://github.com/owner", "https://github.com:port/owner/book", "helper::a/b"),
    ],
)
def test_what_no_reader_can_open_gives_no_address(remote: str) -> None:
    assert public_address(remote) == ""


def tree(folder: Path, url: str = "", origin: str | None = None) -> Path:
    """A source tree with this address in its configuration and, where it is given, this git remote."""
    folder.mkdir(exist_ok=True)
    text = f"title: x\nrepository:\n  url: {url!r}\n  path_to_book: book\n  branch: main\n"
    (folder / "_config.yml").write_text(text)
    if origin is not None:
        for command in (["init", "--quiet"], ["remote", "add", "origin", origin]):
            subprocess.run(["git", *command], cwd=folder, check=True, env=without_git(os.environ))
    return folder


def without_git(environment: object) -> dict[str, str]:
    """An environment without what git sets for its hooks, which may be running this test."""
    return {name: value for name, value in dict(environment).items() if not name.startswith("GIT_")}


def test_the_remote_comes_first_then_the_configuration(tmp_path: Path) -> None:
    written, remote = "https://github.com/owner/written", "git@github.com:owner/remote.git"
    assert (
        repository.read_repository(tree(tmp_path / "a", written, remote)).address == "https://github.com/owner/remote"
    )
    assert repository.read_repository(tree(tmp_path / "b", written)).address == written
    assert repository.read_repository(tree(tmp_path / "c", written, str(tmp_path / "a"))).address == written
    assert repository.read_repository(tree(tmp_path / "d", origin="/srv/git/book.git")).address == ""
    assert repository.read_repository(tree(tmp_path / "e")) == Repository("", "main", "book")


def test_a_tree_inside_another_repository_has_not_its_remote(tmp_path: Path) -> None:
    outer = tree(tmp_path / "outer", origin="git@github.com:owner/outer.git")
    assert repository.read_repository(tree(outer / "inner")).address == ""


def test_git_of_a_hook_does_not_answer_for_the_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tree(tmp_path / "other", origin="git@github.com:owner/other.git")
    mine = tree(tmp_path / "mine", origin="git@github.com:owner/mine.git")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    assert repository.read_repository(mine).address == "https://github.com/owner/mine"


def test_without_git_the_configuration_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tree(tmp_path, "https://github.com/owner/written", "git@github.com:owner/remote.git")
    monkeypatch.setenv("PATH", "")
    assert repository.read_repository(folder).address == "https://github.com/owner/written"


def test_a_configured_address_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"repository\.url.*got 'owner/book'"):
        repository.read_repository(tree(tmp_path, "owner/book"))


@pytest.mark.parametrize(
    ("address", "github"),
    [
        ("https://github.com/owner/a.book_1", "owner/a.book_1"),
        ("https://gitlab.com/owner/book", ""),
        ("https://github.com.example.org/owner/book", ""),
        ("https://github.com/owner/book/tree", ""),
        ("", ""),
    ],
)
def test_binder_and_colab_open_github_alone(address: str, github: str) -> None:
    place = Repository(address, "main", "book")
    assert place.github == github
    if not github:
        for link in (place.binder, place.colab):
            with pytest.raises(ValueError, match="address must be"):
                link("a.ipynb")


def test_links_open_the_notebook() -> None:
    place = Repository("https://github.com/owner/book", "main", "book")
    assert place.binder("beta-vq.ipynb") == (
        "https://mybinder.org/v2/gh/owner/book/main?urlpath=lab/tree/book/beta-vq.ipynb"
    )
    assert place.colab("beta-vq.ipynb") == (
        "https://colab.research.google.com/github/owner/book/blob/main/book/beta-vq.ipynb"
    )
    assert Repository(place.address, "main", "").binder("a.ipynb").endswith("?urlpath=lab/tree/a.ipynb")


def test_links_survive_names_that_need_quoting() -> None:
    place = Repository("https://github.com/owner/book", "new/figures", "the book")
    parts = urlsplit(place.binder("a & b?.ipynb"))
    assert parts.path == "/v2/gh/owner/book/new%2Ffigures"
    # Binder takes the value out of the query and opens it as an address, which is unquoted once more.
    (inner,) = parse_qs(parts.query)["urlpath"]
    assert unquote(urlsplit(inner).path) == "lab/tree/the book/a & b?.ipynb"
    assert unquote(urlsplit(place.colab("a & b?.ipynb")).path).endswith("/blob/new/figures/the book/a & b?.ipynb")
