"""MASO: values, codes and selections against enumeration; convexity, limits, derivatives, memory, errors."""

from __future__ import annotations

import copy
import itertools
import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

import betavq
from betavq import MASO

# PyTorch's own, when it first needs forward-mode derivatives.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")

BETAS = [0.0, 1e-15, 1e-9, 0.2, 0.5, 0.9, 1 - 1e-9, 1.0]
betas = pytest.mark.parametrize("beta", BETAS)


def random(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def random_maso(
    units: int = 3, pieces: int = 4, inputs: int = 2, *, padded: bool = False, dtype: torch.dtype = torch.float64
) -> MASO:
    """Normal slopes and offsets; ``padded`` excludes the last piece of every unit but the first."""
    offsets = random(units, pieces, seed=2, dtype=dtype)
    if padded:
        offsets[1:, -1] = -math.inf
    return MASO(random(units, pieces, inputs, seed=1, dtype=dtype), offsets)


def enumerated(maso: MASO, x: Tensor) -> list[list[list[float]]]:
    """Scores of rows x by loops over Python numbers."""
    slopes, offsets = maso.slopes.tolist(), maso.offsets.tolist()
    return [
        [
            [sum(a * b for a, b in zip(slope, row, strict=True)) + offset for slope, offset in zip(*unit, strict=True)]
            for unit in zip(slopes, offsets, strict=True)
        ]
        for row in x.tolist()
    ]


@pytest.mark.parametrize("padded", [False, True])
def test_scores_are_affine(padded: bool) -> None:
    maso, x = random_maso(padded=padded), random(5, 2)
    torch.testing.assert_close(maso.scores(x), torch.tensor(enumerated(maso, x), dtype=x.dtype), rtol=0, atol=1e-14)


@pytest.mark.claim("C2")
@pytest.mark.parametrize("padded", [False, True])
def test_selection_is_the_largest_score(padded: bool) -> None:
    """The piece that each unit selects, found by comparing all scores one by one."""
    maso, x = random_maso(padded=padded), random(200, 2)
    expected = [[max(range(4), key=unit.__getitem__) for unit in row] for row in enumerated(maso, x)]
    selection = maso.selection(x)
    assert selection.tolist() == expected
    assert selection.dtype == torch.int64
    assert torch.equal(maso.code(x).argmax(-1), selection)
    assert set(selection.flatten().tolist()) == {0, 1, 2, 3}  # every piece has its inputs


@pytest.mark.claim("C2")
@pytest.mark.parametrize("shape", [(1, 2, 1), (1, 10, 64), (7, 5, 3)])
def test_kmeans_assignment(shape: tuple[int, int, int]) -> None:
    """With offsets of −½ times the slope's squared length each unit selects the nearest slope, as K-means does."""
    centroids, x = random(*shape, seed=3), random(500, shape[2])
    maso = MASO(centroids, -0.5 * centroids.square().sum(-1))
    distances = (x[:, None, None] - centroids).square().sum(-1)
    assert torch.equal(maso.selection(x), distances.argmin(-1))


@pytest.mark.claim("C2")
def test_kmeans_assignment_of_scikit_learn() -> None:
    """The centroids that scikit-learn fitted, as slopes, sort points into the clusters that it predicts."""
    kmeans = pytest.importorskip("sklearn.cluster").KMeans(6, n_init=1, random_state=0).fit(random(300, 2).numpy())
    centroids = torch.as_tensor(kmeans.cluster_centers_)[None]
    x = random(1000, 2, seed=5)
    selection = MASO(centroids, -0.5 * centroids.square().sum(-1)).selection(x)
    assert selection.squeeze(1).tolist() == kmeans.predict(x.numpy()).tolist()


@pytest.mark.claim("C2")
def test_offsets_move_cells_of_a_power_diagram() -> None:
    """With any offsets the selected piece has the least ‖x − A‖² − (‖A‖² + 2B)."""
    maso, x = random_maso(), random(500, 2)
    radii = maso.slopes.square().sum(-1) + 2 * maso.offsets
    powers = (x[:, None, None] - maso.slopes).square().sum(-1) - radii
    assert torch.equal(maso.selection(x), powers.argmin(-1))


def test_the_first_of_tied_pieces_is_selected_and_has_the_gradient() -> None:
    maso = MASO(torch.tensor([[[0.0], [1.0], [-1.0], [1.0]], [[-2.0], [2.0], [2.0], [0.0]]]), torch.zeros(2, 4))
    x = torch.tensor([[0.0], [3.0], [-3.0]], requires_grad=True)
    assert maso.selection(x).tolist() == [[0, 0], [1, 1], [2, 0]]
    y = maso(x)
    assert y.tolist() == [[0, 0], [3, 6], [3, 6]]
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[-2], [3], [-3]]
    assert maso.offsets.grad is not None
    assert maso.offsets.grad.tolist() == [[1, 1, 1, 0], [2, 1, 0, 0]]


@betas
@pytest.mark.parametrize("padded", [False, True])
def test_value_code_and_gradients_are_those_of_the_scores(beta: float, padded: bool) -> None:
    maso, x = random_maso(padded=padded), random(50, 2).requires_grad_()
    operands = [x, maso.slopes, maso.offsets]
    scores, weight = maso.scores(x), random(50, 3, seed=7)
    torch.testing.assert_close(maso.code(x, beta), betavq.code(scores, beta), rtol=0, atol=0)
    expected = betavq.value(scores, beta)
    y = maso(x, beta)
    torch.testing.assert_close(y, expected, rtol=1e-13, atol=1e-13)
    gradients = torch.autograd.grad((y * weight).sum(), operands)
    torch.testing.assert_close(
        gradients, torch.autograd.grad((expected * weight).sum(), operands), rtol=1e-7, atol=1e-10
    )
    assert all(gradient.isfinite().all() for gradient in gradients)
    if padded:
        assert not gradients[1][1:, -1].any()
        assert not gradients[2][1:, -1].any()


@betas
def test_excluded_pieces_change_nothing(beta: float) -> None:
    maso, x = random_maso(), random(40, 2)
    wide = MASO(
        torch.cat((random(3, 2, 2, seed=9), maso.slopes.detach()), 1),
        torch.cat((torch.full((3, 2), -math.inf), maso.offsets.detach()), 1),
    )
    torch.testing.assert_close(wide(x, beta), maso(x, beta), rtol=1e-13, atol=1e-13)
    torch.testing.assert_close(wide.code(x, beta)[..., 2:], maso.code(x, beta), rtol=0, atol=1e-14)
    assert torch.equal(wide.selection(x), maso.selection(x) + 2)


def test_tensor_beta_broadcasts_against_the_units_and_learns() -> None:
    maso, x = random_maso(), random(6, 2)
    beta = torch.tensor([0.0, 0.4, 1.0], dtype=x.dtype, requires_grad=True)
    y = maso(x, beta)
    for unit, number in enumerate(beta.tolist()):
        torch.testing.assert_close(y[:, unit], maso(x, number)[:, unit], rtol=1e-13, atol=1e-13)
    y.sum().backward()
    assert beta.grad is not None
    t = maso.code(x, 0.4)[:, 1]
    z = maso.scores(x)[:, 1]
    variance = (t * z.square()).sum(-1) - (t * z).sum(-1).square()
    torch.testing.assert_close(beta.grad[1], (variance / 0.6**2).sum(), rtol=1e-12, atol=0)


@pytest.mark.claim("C1")
def test_units_are_convex_when_hard() -> None:
    """No output at the middle of two inputs lies above the mean of the outputs at both."""
    maso, a, b = random_maso(6, 5, 3, padded=True), random(2000, 3, seed=3), random(2000, 3, seed=4)
    excess = maso((a + b) / 2) - (maso(a) + maso(b)) / 2
    assert excess.max().item() <= 1e-14
    assert excess.min().item() < -0.1  # and most are not affine between them


def test_beta_to_one_is_the_maximum_within_the_known_gap() -> None:
    maso, x = random_maso(pieces=4), random(3000, 2)
    for beta in (0.9, 0.999, 1 - 1e-9):
        gap = maso(x) - maso(x, beta)
        assert gap.min().item() >= -1e-14
        assert gap.max().item() <= 0.603546 * (1 - beta) / beta + 1e-14  # W(3/e)/η


def test_beta_zero_is_the_mean_of_the_pieces_on_offer() -> None:
    maso, x = random_maso(padded=True), random(20, 2)
    z = maso.scores(x)
    torch.testing.assert_close(maso(x, 0.0)[:, 0], z[:, 0].mean(-1))
    torch.testing.assert_close(maso(x, 0.0)[:, 1:], z[:, 1:, :-1].mean(-1))


def function_of(maso: MASO, beta: float) -> Any:
    def call(x: Tensor, slopes: Tensor, offsets: Tensor) -> Tensor:
        return torch.func.functional_call(maso, {"slopes": slopes, "offsets": offsets}, (x, beta))

    return call


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9, 1.0])
def test_derivatives(beta: float) -> None:
    maso = random_maso(2, 3, 2)
    operands = [t.detach().clone().requires_grad_() for t in (random(4, 2), maso.slopes, maso.offsets)]
    call = function_of(maso, beta)
    assert torch.autograd.gradcheck(call, operands, check_forward_ad=True, check_batched_grad=True)
    assert torch.autograd.gradgradcheck(call, operands)


@pytest.mark.parametrize("beta", [0.5, 1.0])
@pytest.mark.parametrize("needed", [0, 1, 2])
def test_derivative_in_one_operand_alone(beta: float, needed: int) -> None:
    maso = random_maso(2, 3, 2)
    operands = [random(4, 2), maso.slopes.detach(), maso.offsets.detach()]
    operands[needed] = operands[needed].clone().requires_grad_()
    assert torch.autograd.gradcheck(function_of(maso, beta), operands)


@pytest.mark.parametrize("beta", [0.5, 1.0])
def test_transforms(beta: float) -> None:
    maso, x = random_maso(), random(5, 2)
    torch.testing.assert_close(torch.vmap(lambda row: maso(row, beta))(x), maso(x, beta))
    jacobian = torch.func.vmap(torch.func.jacrev(lambda row: maso(row, beta)))(x)
    torch.testing.assert_close(torch.func.vmap(torch.func.jacfwd(lambda row: maso(row, beta)))(x), jacobian)
    if beta == 1:
        chosen = maso.slopes[torch.arange(3), maso.selection(x)]
        torch.testing.assert_close(jacobian, chosen)


@pytest.mark.parametrize("shape", [(), (4,), (2, 3), (0,), (2, 0, 3)])
@betas
def test_batch_shapes(shape: tuple[int, ...], beta: float) -> None:
    maso, x = random_maso(), random(*shape, 2)
    assert maso(x, beta).shape == (*shape, 3)
    assert maso.selection(x).shape == (*shape, 3)
    assert maso.scores(x).shape == maso.code(x, beta).shape == (*shape, 3, 4)
    rows = [maso(row, beta) for row in x.reshape(-1, 2)]
    if rows:
        torch.testing.assert_close(maso(x, beta).view(-1, 3), torch.stack(rows))


def test_strided_inputs() -> None:
    maso = random_maso()
    for x in (random(3, 2, 5).mT, random(5, 4)[:, ::2], random(1, 2).expand(4, 2)):
        for beta in (0.0, 0.5, 1.0):
            torch.testing.assert_close(maso(x, beta), maso(x.contiguous(), beta))


@betas
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_dtypes(dtype: torch.dtype, beta: float) -> None:
    maso, x = random_maso(padded=True, dtype=dtype), random(30, 2, dtype=dtype)
    y = maso(x, beta)
    assert y.dtype == maso.code(x, beta).dtype == maso.scores(x).dtype == dtype
    eps = torch.finfo(dtype).eps
    torch.testing.assert_close(y, betavq.value(maso.scores(x), beta), rtol=8 * eps, atol=8 * eps)
    y.sum().backward()
    assert maso.slopes.grad is not None
    assert maso.slopes.grad.dtype == dtype
    assert maso.slopes.grad.isfinite().all()


@betas
def test_scores_too_large_to_subtract(beta: float) -> None:
    largest = torch.finfo(torch.float32).max
    maso = MASO(torch.tensor([[[1.0], [-1.0], [0.0]]]), torch.zeros(1, 3))
    x = torch.tensor([[largest], [-largest]], requires_grad=True)
    y = maso(x, beta)
    torch.testing.assert_close(y, betavq.value(maso.scores(x), beta))
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()


@pytest.mark.parametrize("beta", [0.5, 1.0])
def test_overflown_scores_give_infinite_values_and_nan_gives_nan(beta: float) -> None:
    maso = MASO(torch.tensor([[[3.0], [0.0]], [[3.0], [3.0]]]), torch.tensor([[0.0, -math.inf], [1.0, 2.0]]))
    y = maso(torch.tensor([[3e38], [-3e38], [math.nan]]), beta)
    assert y[:2].tolist() == [[math.inf] * 2, [-math.inf] * 2]
    assert y[2].isnan().all()


def test_autocast() -> None:
    maso, x = random_maso(dtype=torch.float32), random(30, 2, dtype=torch.float32).requires_grad_()
    for beta in (0.0, 0.5, 1.0):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            y = maso(x, beta)
            expected = betavq.value(maso.scores(x), beta)
        assert y.dtype == torch.bfloat16
        torch.testing.assert_close(y, expected, rtol=0.02, atol=0.02)
        (gradient,) = torch.autograd.grad(y.sum(), x)
        assert gradient.dtype == torch.float32
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert random_maso()(random(2, 2), beta).dtype == torch.float64


class LargestTensor(TorchDispatchMode):
    """Remembers the number of elements of the largest tensor that an operator made."""

    elements = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for tensor in out if isinstance(out, tuple | list) else [out]:
            if isinstance(tensor, Tensor) and not func.is_view:
                self.elements = max(self.elements, tensor.numel())
        return out


@pytest.mark.parametrize("sizes", [(5, 16, 3), (1, 10, 40)])
def test_memory_when_hard_is_that_of_the_output(sizes: tuple[int, int, int]) -> None:
    units, pieces, inputs = sizes
    maso, x = random_maso(*sizes), random(200, inputs)
    with torch.no_grad(), LargestTensor() as largest:
        maso(x)
        maso.selection(x)
    assert largest.elements == 200 * units
    with LargestTensor() as largest:
        maso(x)  # what is kept for a backward pass is no more
    assert largest.elements == 200 * units
    with LargestTensor() as largest:
        maso(x, 0.5)
    assert largest.elements == 200 * units * pieces  # the measure sees what it should


@pytest.mark.parametrize("count", [0, 1, 3, 50])
def test_few_units_of_many_inputs(count: int) -> None:
    maso, x = random_maso(2, 5, 40, padded=True), random(count, 40).requires_grad_()
    operands = [x, maso.slopes, maso.offsets]
    expected = betavq.value(maso.scores(x), 1.0)
    torch.testing.assert_close(maso(x), expected, rtol=1e-13, atol=1e-13)
    assert torch.equal(maso.selection(x), maso.scores(x).argmax(-1))
    gradients = torch.autograd.grad(maso(x).square().sum(), operands)
    torch.testing.assert_close(gradients, torch.autograd.grad(expected.square().sum(), operands))


def test_more_pieces_than_a_byte_counts() -> None:
    slopes = torch.linspace(-1, 1, 300).view(1, 300, 1)
    maso = MASO(slopes, -0.5 * slopes.square().sum(-1))
    assert maso.selection(slopes[0]).flatten().tolist() == list(range(300))


def test_parameters_and_sizes() -> None:
    slopes, offsets = random(3, 4, 2), random(3, 4)
    maso = MASO(slopes, offsets)
    assert [name for name, _ in maso.named_parameters()] == ["slopes", "offsets"]
    assert (maso.num_units, maso.num_pieces, maso.num_inputs) == (3, 4, 2)
    assert repr(maso) == "MASO(num_units=3, num_pieces=4, num_inputs=2)"
    slopes.zero_()
    assert maso.slopes.all()  # a copy
    kept = nn.Parameter(random(3, 4, 2), requires_grad=False)
    assert MASO(kept, offsets).slopes is kept
    assert MASO(slopes.half(), offsets.half()).slopes.dtype == torch.float16
    assert MASO(slopes.to("meta"), offsets.to("meta")).slopes.is_meta


def test_state_and_copies() -> None:
    maso, other = random_maso(padded=True), MASO(random(3, 4, 2, seed=8), random(3, 4, seed=9))
    x = random(10, 2)
    copied = copy.deepcopy(maso)
    assert copied.slopes is not maso.slopes
    assert torch.equal(copied(x), maso(x))
    assert list(maso.state_dict()) == ["slopes", "offsets"]
    other.load_state_dict(maso.state_dict())
    assert torch.equal(other(x), maso(x))


def test_a_unit_learns_a_convex_function() -> None:
    torch.manual_seed(0)
    x = torch.linspace(-2, 2, 101, dtype=torch.float64)[:, None]
    target = x.square()
    maso = MASO(random(1, 6, 1), random(1, 6, seed=1))
    optimiser = torch.optim.Adam(maso.parameters(), lr=0.05)
    for _ in range(300):
        optimiser.zero_grad()
        (maso(x) - target).square().mean().backward()
        optimiser.step()
    assert (maso(x) - target).square().mean().item() < 0.01


A, B = torch.zeros(2, 3, 4), torch.zeros(2, 3)


@pytest.mark.parametrize(
    ("slopes", "offsets", "error", "message"),
    [
        ([[1.0]], B, TypeError, "slopes must be a tensor, got list"),
        (A.int(), B, TypeError, "slopes must be float16, bfloat16, float32 or float64, got torch.int32"),
        (A, B.long(), TypeError, "offsets must be float16"),
        (B, B, ValueError, r"slopes must be of shape \(K, R, D\) with K, R, D at least 1, got \(2, 3\)"),
        (A[:0], B[:0], ValueError, r"at least 1, got \(0, 3, 4\)"),
        (A[:, :0], B[:, :0], ValueError, r"at least 1, got \(2, 0, 4\)"),
        (A[..., :0], B, ValueError, r"at least 1, got \(2, 3, 0\)"),
        (A, B.t(), ValueError, r"offsets must be of shape \(K, R\) = \(2, 3\), that of .*, got \(3, 2\)"),
        (A, B.double(), TypeError, "offsets must have the dtype of slopes, torch.float32, got torch.float64"),
        (A, B.to("meta"), ValueError, "offsets must be on the device of slopes, cpu, got meta"),
        (A * math.nan, B, ValueError, "slopes must be finite, got nan"),
        (A - math.inf, B, ValueError, "slopes must be finite, got -inf"),
        (A, B + math.inf, ValueError, "offsets must be finite or -inf, got inf"),
        (A, B * math.nan, ValueError, "offsets must be finite or -inf, got nan"),
        (A, B - math.inf, ValueError, "offsets must leave a piece to every unit, got only -inf for unit 0"),
    ],
)
def test_bad_pieces_are_named(slopes: Any, offsets: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        MASO(slopes, offsets)


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (3.0, TypeError, "x must be a tensor, got float"),
        (torch.zeros(2, dtype=torch.long), TypeError, "x must be float16"),
        (torch.zeros(5, 3), ValueError, r"x must be of shape \(..., D\) with D = 2, got \(5, 3\)"),
        (torch.tensor(1.0), ValueError, r"with D = 2, got \(\)"),
        (torch.zeros(2), TypeError, "x must have the dtype of the slopes, torch.float64, got torch.float32"),
    ],
)
def test_bad_inputs_are_named(x: Any, error: type[Exception], message: str) -> None:
    maso = random_maso()
    for call, beta in itertools.product((maso.forward, maso.code), (0.0, 0.5, 1.0)):
        with pytest.raises(error, match=message):
            call(x, beta)
    for method in (maso.scores, maso.selection):
        with pytest.raises(error, match=message):
            method(x)


@pytest.mark.parametrize("beta", [1.2, -0.1, math.nan])
def test_bad_beta_is_named(beta: float) -> None:
    with pytest.raises(ValueError, match=r"beta must be in \[0, 1\], got"):
        random_maso()(random(3, 2), beta)
    with pytest.raises(ValueError, match="beta of shape"):
        random_maso()(random(3, 2), torch.tensor([0.1, 0.2]))
