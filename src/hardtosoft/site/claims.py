"""What the book claims of its papers, what it found of each, where it shows it, and which tests check it.

A test says which claim it checks with ``@pytest.mark.claim("C7")``; `hardtosoft.site.marked_tests` finds them. The
numbers of what was measured come from the result files (`hardtosoft.site.evidence`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from . import evidence

Verdict = Literal["proved", "checked numerically", "measured: agrees", "measured: undecided", "measured: disagrees"]


@dataclass(frozen=True)
class Claim:
    """One claim of a paper.

    Attributes:
        id: C1 to C11 of the paper that the book follows, S, P, I, R and T of its siblings.
        statement: the claim, in plain words.
        figures: where the book shows it, as addresses of figures, ``beta-vq#simplex``: the chapter and in it the
            figure's id. Without any the claim is not covered.
        verdict: what the book found of it.
        evidence: of what is measured, numbers with n and interval, made from the result files; of the rest how it was
            checked.
        source: the paper, by its key in ``references.bib``.

    Raises:
        ValueError: an address without its chapter or its figure.
    """

    id: str
    statement: str
    figures: tuple[str, ...] = ()
    verdict: Verdict = "checked numerically"
    evidence: Callable[[], str] = lambda: ""
    source: str = "balestriero2019hard"

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
        verdict="proved",
        evidence=evidence.said("By writing the slopes and offsets down; compared with PyTorch’s layers by tests."),
    ),
    Claim(
        "C2",
        "Selecting the largest piece quantizes the input: each piece owns a cell. If every offset is −½ "
        "times the squared length of its slope, the cell of an input is that of the nearest slope, as in K-means.",
        figures=("vector-quantization#power-cells", "vector-quantization#k-means"),
        verdict="proved",
        evidence=evidence.said("By completing the square; compared with nearest centroids and K-means by tests."),
    ),
    Claim(
        "C3",
        "Behind the unit stands a Gaussian mixture with one component a piece; for a suitable prior its most "
        "probable component is the piece that the unit selects.",
        figures=("gaussian-mixtures#posterior", "gaussian-mixtures#prior"),
        verdict="proved",
        evidence=evidence.said(
            "By Bayes’ rule; the prior needs a factor 1/σ² inside. Compared with densities by tests."
        ),
    ),
    Claim(
        "C4",
        "Replace the one selected piece by the probabilities of all components, and the hard units turn into "
        "soft ones: ReLU into SiLU, |u| into u·tanh u, max-pooling into pooling with softmax weights.",
        figures=("relu-to-swish#relu-to-swish", "gaussian-mixtures#posterior", "pooling#photograph"),
        verdict="proved",
        evidence=evidence.said("By Bayes’ rule; compared with PyTorch’s functions by tests."),
    ),
    Claim(
        "C5",
        "Sigmoid, tanh and softmax are the soft selection itself: they put out the code instead of the value "
        "it selects.",
        figures=("gaussian-mixtures#gates",),
        verdict="proved",
        evidence=evidence.said("By writing the read-outs down; compared with PyTorch’s functions by tests."),
    ),
    Claim(
        "C6",
        "Weighing the expected score by β against the entropy of the selection by 1 − β gives one problem "
        "for all hardnesses. Its solution is the softmax of η = β/(1 − β) times the scores: a hard choice at "
        "β = 1, softmax probabilities at β = ½, and at β = 0 equal shares, which leave the unit affine.",
        figures=("relu-to-swish#beta-code", "beta-vq#simplex", "beta-vq#tangent", "beta-vq#undecided"),
        verdict="proved",
        evidence=evidence.said("By a relative entropy, never negative; compared with a numerical optimum by tests."),
    ),
    Claim(
        "C7",
        "Swish is what ReLU becomes under this selection: u/2 at β = 0, SiLU at β = ½, ReLU at β = 1, its "
        "slope known in closed form, and never further than 0.2785/η below ReLU.",
        figures=("relu-to-swish#relu-to-swish", "relu-to-swish#hard-soft-gap"),
        verdict="proved",
        evidence=evidence.said(
            "The gap by the Lambert function, attained; compared with PyTorch’s SiLU and ReLU by tests."
        ),
    ),
    Claim(
        "C8",
        "β is a parameter like any other: it can be learned, for a whole layer or for every channel.",
        figures=("learning-beta#who-moves-beta", "learning-beta#learn-hardness", "learning-beta#where-beta-goes"),
        verdict="measured: agrees",
        evidence=evidence.learned_beta,
    ),
    Claim(
        "C9",
        "Selecting for all units of a layer together takes a search that grows exponentially with their "
        "number; if their filters are orthogonal, selecting for every unit alone is already the exact answer.",
        figures=("joint-inference#two-units", "joint-inference#wrong-codes"),
        verdict="proved",
        evidence=evidence.said(
            "The second half, by splitting the posterior; compared with an exhaustive search by tests. That no search "
            "is faster for other filters is not shown."
        ),
    ),
    Claim(
        "C10",
        "Networks with orthogonal filters classify images better, in the paper's experiments significantly so.",
        figures=("orthogonal-filters#gains", "orthogonal-filters#learned-filters"),
        verdict="measured: agrees",
        evidence=evidence.orthogonal_filters,
    ),
    Claim(
        "C11",
        "Swish is a nonlinearity of state-of-the-art performance, as the abstract calls it.",
        figures=("orthogonal-filters#gains",),
        verdict="measured: disagrees",
        evidence=evidence.swish_minus_relu,
    ),
    Claim(
        "S1",
        "On every region a network is an affine map of its input, and a logit is a matched filter: the inner product "
        "of the input with a template that the input has chosen, plus a bias.",
        figures=("templates#on-the-way",),
        verdict="proved",
        evidence=evidence.said("By the chain rule; compared with the network and its Jacobian by tests."),
        source="balestriero2018spline",
    ),
    Claim(
        "S2",
        "A penalty that asks for orthogonal templates improves classification.",
        figures=("templates#neighbours",),
        verdict="measured: undecided",
        evidence=evidence.template_penalty,
        source="balestriero2018spline",
    ),
    Claim(
        "P1",
        "The cells of a layer are those of a power diagram, whose centroids and radii follow from slopes and offsets, "
        "and each layer subdivides the cells of the layers before it.",
        figures=("power-diagrams#layer-cells",),
        verdict="proved",
        evidence=evidence.said(
            "By completing the square, layer by layer; compared with the network’s codes by tests."
        ),
        source="balestriero2019geometry",
    ),
    Claim(
        "I1",
        "Any network can be run backwards by one backward pass: the transposed local map rebuilds an input from what "
        "the network puts out.",
        figures=("inversion#rebuilt",),
        verdict="proved",
        evidence=evidence.said(
            "As a gradient; exact where slopes keep lengths, elsewhere as good as training makes it. Compared with "
            "the explicit product by tests."
        ),
        source="balestriero2017inversion",
    ),
    Claim(
        "I2",
        "Rebuilding inputs that have no labels, at several scales and without a further number to choose, helps a "
        "network of any topology to learn from few labels.",
        figures=("inversion#few-labels",),
        verdict="measured: agrees",
        evidence=evidence.few_labels_gains,
        source="balestriero2018multiscale",
    ),
    Claim(
        "R1",
        "The slopes of a network, locally and bounded by the product of its layers’ norms, measure its risk of "
        "adversarial attacks.",
        figures=("risk-and-flatness#radius", "risk-and-flatness#slope-penalty"),
        verdict="measured: agrees",
        evidence=evidence.attacks,
        source="balestriero2017deep",
    ),
    Claim(
        "R2",
        "In a flat minimum slopes are small, and so is the risk of attacks.",
        figures=("risk-and-flatness#slope-penalty",),
        verdict="measured: disagrees",
        evidence=evidence.flat_minima,
        source="balestriero2017deep",
    ),
    Claim(
        "H1",
        "The regions and the decision boundary of a trained network on a plane can be found exactly.",
        figures=("partitions#many-regions", "decision-boundaries#border"),
        verdict="checked numerically",
        evidence=evidence.said("Every region’s map, code and neighbours compared with the network by tests."),
        source="humayun2023splinecam",
    ),
    Claim(
        "T1",
        "One number that softens a trained network makes it more robust to attacks.",
        figures=("softening-networks#softened-robustness",),
        verdict="measured: undecided",
        evidence=evidence.softened_attacks,
        source="hu2025curvature",
    ),
)
