"""How the library is built: which room may import which, what an import brings along, and which names it offers."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import FunctionType, ModuleType
from typing import NamedTuple

import pytest

import betavq

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
LIBRARY = SOURCE / "betavq"

#: From the ground up. A room imports from itself and from lower floors; rooms of one floor do not know each other.
FLOORS = (
    ("_version", "_numerics"),
    ("_torch", "_inference", "_two_pieces", "_beta_module", "_noise", "_filters"),
    ("inference", "noise", "orthogonal"),
    ("_pooling", "_mixture"),
    ("pooling",),
    ("functional", "nn"),
    ("_maso",),
    ("maso",),
    ("mixture",),
    ("reference",),
    ("_softening",),
    ("softening",),
    ("geometry._networks",),
    ("geometry._plane",),
    ("geometry",),
    ("papers",),
    ("betavq",),
)
#: The one circle, which is the mathematics' own: a MASO is a mixture and back.
CIRCLE = {"betavq.maso", "betavq.mixture"}
BUILT_ON_IT = {"_softening", "softening", "geometry._networks", "geometry._plane", "geometry", "papers"}
FORBIDDEN = ("hardtosoft", "plotly", "sklearn", "scipy", "IPython", "matplotlib", "pandas")
#: What is there to be imported, but takes its time or is not for everybody.
LATER = ("betavq.papers", "betavq.geometry", "betavq._torch.call_table")


class Arrow(NamedTuple):
    """That a module imports another; ``later`` if only within a function, or for the type checker."""

    source: str
    target: str
    later: bool


def name_of(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in sorted(LIBRARY.rglob("*.py"))}


def room(module: str) -> str:
    """Where a module of the library stands in :data:`FLOORS`."""
    parts = module.split(".")[1:]
    inner = ".".join(parts[:2])
    return inner if inner in ("geometry._networks", "geometry._plane") else parts[0] if parts else "betavq"


def runs_later(node: ast.AST) -> bool:
    """Whether an import beneath is no part of importing the file."""
    is_for_types = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
    return is_for_types or isinstance(node, ast.FunctionDef)


def imported(path: Path) -> Iterator[tuple[str, bool]]:
    """Every name that a file imports, spelt out in full, and whether it is imported later."""
    tree = ast.parse(path.read_text())
    is_inside = path.is_relative_to(SOURCE)
    package = name_of(path).split(".") if is_inside else []
    if path.name != "__init__.py":
        package = package[:-1]
    later = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        or (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test))
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) in later) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            start = ".".join([*base, *([node.module] if node.module else [])])
            yield from ((f"{start}.{alias.name}", id(node) in later) for alias in node.names)


@cache
def arrows() -> tuple[Arrow, ...]:
    """Between the modules of the library: ``from .x import name`` leads to the module x, unless name is a module."""
    found = set()
    for source, path in MODULES.items():
        for name, later in imported(path):
            if name.split(".")[0] == "betavq":
                target = name if name in MODULES else name.rpartition(".")[0]
                found.add(Arrow(source, target, later))
    return tuple(sorted(found))


def circles(links: dict[str, set[str]]) -> list[set[str]]:
    """Modules that reach each other."""
    reach: dict[str, set[str]] = {}
    for start in links:
        seen, front = set(), {start}
        while front:
            front = {target for module in front for target in links.get(module, ())} - seen
            seen |= front
        reach[start] = seen
    return [
        {other for other in seen if start in reach.get(other, ())} | {start}
        for start, seen in reach.items()
        if start in seen
    ]


def test_every_arrow_is_read() -> None:
    """Those that the other tests rely on, each written in another way."""
    assert Arrow("betavq.maso", "betavq.mixture", True) in arrows()
    assert Arrow("betavq.mixture", "betavq.maso", False) in arrows()
    assert Arrow("betavq", "betavq.geometry", True) in arrows()
    assert Arrow("betavq._mixture.fit", "betavq._numerics.checks", False) in arrows()
    assert all(arrow.target in MODULES for arrow in arrows())


def test_every_room_has_its_floor() -> None:
    named = [room for floor in FLOORS for room in floor]
    assert sorted(named) == sorted({room(module) for module in MODULES})


def test_no_arrow_leads_up() -> None:
    floor = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
    up = [
        arrow
        for arrow in arrows()
        if room(arrow.source) != room(arrow.target)
        and floor[room(arrow.source)] <= floor[room(arrow.target)]
        and not {arrow.source, arrow.target} <= CIRCLE
    ]
    assert up == []


def test_the_core_knows_nothing_of_what_is_built_on_it() -> None:
    core = [arrow for arrow in arrows() if room(arrow.source) not in BUILT_ON_IT | {"betavq"}]
    assert [arrow for arrow in core if room(arrow.target) in BUILT_ON_IT | {"betavq"}] == []


def test_there_is_one_circle() -> None:
    links: dict[str, set[str]] = {}
    for source, target, _ in arrows():
        links.setdefault(source, set()).add(target)
    assert [sorted(circle) for circle in circles(links)] == [sorted(CIRCLE)] * 2


def test_circles_are_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [{"a", "b", "c"}] * 3
    assert circles({"a": {"b", "c"}, "b": {"c"}}) == []


def test_the_library_does_not_know_the_book() -> None:
    assert [m for m, path in MODULES.items() for name, _ in imported(path) if name.split(".")[0] == "hardtosoft"] == []


@pytest.mark.parametrize("folder", ["src/hardtosoft", "experiments", "benchmarks", "book/_ext"])
def test_who_uses_the_library_uses_public_modules(folder: str) -> None:
    private = [
        (path.name, name)
        for path in (ROOT / folder).rglob("*.py")
        for name, _ in imported(path)
        if name.split(".")[0] == "betavq" and any(part[0] == "_" != part[1] for part in name.split(".")[1:])
    ]
    assert private == []


def test_the_package_can_be_listed() -> None:
    """Public modules, folders and private files: few enough to take in at a glance; and no long file."""
    files = {path.stem for path in LIBRARY.glob("*.py")} - {"__init__"}
    private = {name for name in files if name.startswith("_")}
    folders = {path.parent for path in LIBRARY.glob("*/__init__.py")}
    assert len(files - private) <= 12
    assert len(private) <= 6
    assert len(folders) <= 10
    lines = {module: len(path.read_text().splitlines()) for module, path in MODULES.items()}
    assert {module: count for module, count in lines.items() if count >= 300} == {}


def test_import_needs_torch_and_numpy_alone() -> None:
    program = f"import sys, betavq; print([name for name in {FORBIDDEN + LATER!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_geometry_is_there_when_it_is_asked_for() -> None:
    program = "import betavq; print(betavq.geometry.partition.__name__, hasattr(betavq, 'geometri'))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["partition", "False"]


def test_import_adds_no_module_of_another_package_to_those_of_torch() -> None:
    program = (
        "import sys, torch; before = set(sys.modules); import betavq; "
        "print(sorted({name.partition('.')[0] for name in set(sys.modules) - before} - {'betavq', 'torch'}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def public_modules() -> list[ModuleType]:
    found = pkgutil.walk_packages(betavq.__path__, "betavq.")
    names = [module.name for module in found if "._" not in module.name]
    return [betavq, *(importlib.import_module(name) for name in names)]


every_public_module = pytest.mark.parametrize("module", public_modules(), ids=lambda module: module.__name__)


@every_public_module
def test_dir_lists_the_public_names_alone(module: ModuleType) -> None:
    """What tab completion shows."""
    assert dir(module) == sorted(module.__all__)
    assert len(set(module.__all__)) == len(module.__all__)


@every_public_module
def test_every_public_name_is_there_and_says_what_it_is(module: ModuleType) -> None:
    assert module.__doc__
    for name in module.__all__:
        public = getattr(module, name)
        assert not isinstance(public, type | FunctionType) or public.__doc__


@every_public_module
@pytest.mark.parametrize("wrong", [{"unexpected": 1}, {"n_components": 4, "inplace": 3}], ids=str)
def test_errors_of_constructors_are_those_of_public_classes(module: ModuleType, wrong: dict[str, int]) -> None:
    public = {name for other in public_modules() for name in other.__all__}
    for made in (getattr(module, name) for name in module.__all__):
        if isinstance(made, type):
            with pytest.raises(TypeError) as caught:
                made(**wrong)
            assert re.split(r"[.(]", str(caught.value))[0] in public, str(caught.value)


def test_public_names() -> None:
    assert set(betavq.__all__) == {
        "GaussianMixture",
        "MASO",
        "__version__",
        "beta_from_eta",
        "betas",
        "clamp_betas",
        "code",
        "eta_from_beta",
        "free_energy",
        "functional",
        "geometry",
        "harden",
        "match_moments",
        "mixture",
        "nn",
        "noise",
        "orthogonal",
        "reference",
        "report",
        "set_beta",
        "soften",
        "spread",
        "value",
    }
    units = ["beta_abs", "beta_leaky_relu", "beta_relu"]
    pools = ["beta_max_pool1d", "beta_max_pool2d", "beta_maxout"]
    assert sorted(betavq.functional.__all__) == sorted(units + pools)
    modules = ["BetaAbs", "BetaLeakyReLU", "BetaReLU", "BetaMaxPool1d", "BetaMaxPool2d", "BetaMaxout"]
    assert sorted(betavq.nn.__all__) == sorted(modules)


def test_help_begins_with_the_core_and_what_is_built_on_it() -> None:
    text = betavq.__doc__ or ""
    core, _, built = text.partition("Built on it:")
    assert "The core:" in core
    assert all(name in core for name in ("inference", "functional", "nn", "pooling", "MASO", "mixture"))
    assert all(name in built for name in ("soften", "geometry", "papers", "reference"))
