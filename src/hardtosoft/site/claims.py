"""What the book claims of its paper, where it shows it, and which tests check it.

The claims are those of Balestriero & Baraniuk (2018), "From Hard to Soft", arXiv 1810.09274, in our own
words. A test says which claim it checks with ``@pytest.mark.claim("C7")``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Claim:
    """One claim of the paper.

    Attributes:
        id: C1 to C10.
        statement: the claim, in plain words.
        figures: where the book shows it, as addresses of figures, ``beta-vq#simplex``: the chapter and in it the
            figure's id. Without any the claim is not covered.

    Raises:
        ValueError: an address without its chapter or its figure.
    """

    id: str
    statement: str
    figures: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for address in self.figures:
            if not all(address.partition("#")):
                raise ValueError(f"figures of {self.id} must be addresses, chapter#figure, got {address!r}")

    @property
    def covered(self) -> bool:
        """Whether a chapter shows it, so that a test has to check it."""
        return bool(self.figures)

    @property
    def places(self) -> list[tuple[str, str]]:
        """Chapter and figure of each address."""
        return [(chapter, figure) for chapter, _, figure in (address.partition("#") for address in self.figures)]


CLAIMS = (
    Claim(
        "C1",
        "A layer whose units are each the largest of a few affine functions is a max-affine spline operator. "
        "ReLU, leaky ReLU, |u|, max-pooling and plain affine or convolutional layers are examples, and their "
        "slopes and offsets can be written down.",
        figures=("max-affine-splines#lines", "max-affine-splines#layer-pieces"),
    ),
    Claim(
        "C2",
        "Selecting the largest piece quantizes the input: each piece owns a cell. If every offset is −½ "
        "times the squared length of its slope, the cell of an input is that of the nearest slope, as in K-means.",
        figures=("vector-quantization#power-cells", "vector-quantization#k-means"),
    ),
    Claim(
        "C3",
        "Behind the unit stands a Gaussian mixture with one component a piece; for a suitable prior its most "
        "probable component is the piece that the unit selects.",
        figures=("gaussian-mixtures#posterior", "gaussian-mixtures#prior"),
    ),
    Claim(
        "C4",
        "Replace the one selected piece by the probabilities of all components, and the hard units turn into "
        "soft ones: ReLU into SiLU, |u| into u·tanh u, max-pooling into pooling with softmax weights.",
        figures=("relu-to-swish#relu-to-swish", "gaussian-mixtures#posterior", "pooling#photograph"),
    ),
    Claim(
        "C5",
        "Sigmoid, tanh and softmax are the soft selection itself: they put out the code instead of the value "
        "it selects.",
        figures=("gaussian-mixtures#gates",),
    ),
    Claim(
        "C6",
        "Weighing the expected score by β against the entropy of the selection by 1 − β gives one problem "
        "for all hardnesses. Its solution is the softmax of η = β/(1 − β) times the scores: a hard choice at "
        "β = 1, softmax probabilities at β = ½, and at β = 0 equal shares, which leave the unit affine.",
        figures=("relu-to-swish#beta-code", "beta-vq#simplex", "beta-vq#tangent", "beta-vq#undecided"),
    ),
    Claim(
        "C7",
        "Swish is what ReLU becomes under this selection: u/2 at β = 0, SiLU at β = ½, ReLU at β = 1, its "
        "slope known in closed form, and never further than 0.2785/η below ReLU.",
        figures=("relu-to-swish#relu-to-swish", "relu-to-swish#hard-soft-gap"),
    ),
    Claim(
        "C8",
        "β is a parameter like any other: it can be learned, for a whole layer or for every channel.",
        figures=("learning-beta#who-moves-beta", "learning-beta#learn-hardness", "learning-beta#where-beta-goes"),
    ),
    Claim(
        "C9",
        "Selecting for all units of a layer together takes a search that grows exponentially with their "
        "number; if their filters are orthogonal, selecting for every unit alone is already the exact answer.",
        figures=("joint-inference#two-units", "joint-inference#wrong-codes"),
    ),
    Claim(
        "C10",
        "In the paper's experiments networks with orthogonal filters classify images better. In the book's own "
        "experiment a small network does so too on ten thousand photographs, with ReLU and with swish, and does not "
        "on a hundred handwritten digits. Filters that a penalty makes as orthogonal gain about half as much.",
        figures=("orthogonal-filters#gains", "orthogonal-filters#learned-filters"),
    ),
)


@dataclass(frozen=True)
class MarkedTest:
    """A test that checks a claim.

    Attributes:
        claim_id: the claim.
        path: file of the test, relative to the folder of the tests, with forward slashes.
        name: the test as pytest names it, ``Class::function`` inside a class.
        summary: first line of its docstring, empty without one.
    """

    claim_id: str
    path: str
    name: str
    summary: str


def collect(tests_dir: Path) -> list[MarkedTest]:
    """Find the tests marked with a claim, by reading their source; nothing is imported or run.

    Marks on a function, on a class around it and in a module's or class's ``pytestmark`` count; names follow
    pytest's rules (``test_*.py``, ``test*``, ``Test*``), so that a test pytest would not run is not listed.

    Raises:
        ValueError: a mark without an id written out as a string.
    """
    return [test for path in test_files(tests_dir) for test in collect_file(path, tests_dir)]


def test_files(tests_dir: Path) -> list[Path]:
    """The files in which pytest looks for tests, in alphabetical order."""
    return sorted(tests_dir.rglob("test_*.py"))


def collect_file(path: Path, tests_dir: Path) -> list[MarkedTest]:
    """The same as `collect` for one file."""
    module = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    relative = path.relative_to(tests_dir).as_posix()
    return [MarkedTest(claim_id, relative, name, summary) for claim_id, name, summary in _tests(module, "", ())]


def _tests(scope: ast.Module | ast.ClassDef, prefix: str, outer: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    """Claim, name and summary of every marked test in a module or class, given the ids marked around it."""
    around = (*outer, *_ids(_pytestmark(scope)))
    for node in scope.body:
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            yield from _tests(node, f"{prefix}{node.name}::", (*around, *_ids(node.decorator_list)))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"):
            summary = (ast.get_docstring(node) or "").partition("\n")[0]
            for claim_id in dict.fromkeys((*around, *_ids(node.decorator_list))):
                yield claim_id, prefix + node.name, summary


def _pytestmark(scope: ast.Module | ast.ClassDef) -> list[ast.expr]:
    """The marks that a module or class gives to all it holds."""
    marks: list[ast.expr] = []
    for node in scope.body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["pytestmark"]:
            marks.extend(node.value.elts if isinstance(node.value, ast.List | ast.Tuple) else [node.value])
    return marks


def _ids(marks: Iterable[ast.expr]) -> list[str]:
    """Ids in those of the marks that are ``pytest.mark.claim(...)``."""
    ids = []
    for mark in marks:
        if not isinstance(mark, ast.Call) or ast.unparse(mark.func) not in (
            "pytest.mark.claim",
            "mark.claim",
        ):
            continue
        match mark:
            case ast.Call(args=[ast.Constant(value=str(claim_id))], keywords=[]):
                ids.append(claim_id)
            case _:
                raise ValueError(f"a claim mark must hold one id as a string, got {ast.unparse(mark)}")
    return ids
