"""GaussianMixture for those who come from scikit-learn: arrays in, predict, and errors that show the way."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from mixture_examples import random, random_mixture
from torch import Tensor

import betavq
from betavq import GaussianMixture

METHODS = ["log_joint", "responsibilities", "map_code", "predict", "log_prob"]
methods = pytest.mark.parametrize("method", METHODS)


class Frame:
    """What turns into an array, as a data frame does."""

    def __init__(self, array: np.ndarray[Any, Any]) -> None:
        self.array = array

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray[Any, Any]:
        return self.array


def read_only(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    array = array[::-1][::-1]
    array.flags.writeable = False
    return array


FORMS: dict[str, Callable[[np.ndarray[Any, Any]], Any]] = {
    "array": lambda x: x,
    "read only": read_only,
    "columns first": np.asfortranarray,
    "other byte order": lambda x: x.astype(x.dtype.newbyteorder()),
    "list": lambda x: x.tolist(),
    "frame": Frame,
}
forms = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)


def test_it_is_at_the_top_level() -> None:
    assert betavq.GaussianMixture is betavq.mixture.GaussianMixture


@methods
@forms
@pytest.mark.parametrize("units", [1, 3])
def test_inputs_may_be_arrays(method: str, form: Callable[..., Any], units: int) -> None:
    mixture, x = random_mixture(units), random(20, 4)
    call = getattr(mixture, method)
    found = call(form(x.numpy()))
    assert isinstance(found, Tensor)
    assert torch.equal(found, call(x))


@methods
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.int64, np.uint8, np.bool_])
def test_an_array_takes_the_dtype_of_the_means(method: str, dtype: Any) -> None:
    mixture, x = random_mixture().float(), np.array([[0, 1, 1, 0], [1, 1, 0, 0]], dtype=dtype)
    expected = getattr(mixture, method)(torch.tensor(x.tolist()).float())
    found = getattr(mixture, method)(x)
    assert found.dtype == expected.dtype
    assert torch.equal(found, expected)


def test_tensors_are_as_strict_as_before() -> None:
    with pytest.raises(TypeError, match=r"x must have the dtype of the means, torch\.float64, got torch\.float32"):
        random_mixture().predict(random(5, 4).float())


@forms
@pytest.mark.parametrize(("dtype", "kept"), [(np.float64, torch.float64), (np.float32, torch.float32)])
def test_a_fit_of_arrays_is_that_of_tensors(form: Callable[..., Any], dtype: Any, kept: torch.dtype) -> None:
    x = random(60, 2).numpy().astype(dtype)
    if form is FORMS["list"]:
        kept = torch.float64
    mixture, same = (
        GaussianMixture.from_data(given, 3, generator=torch.Generator().manual_seed(0))
        for given in (form(x), torch.tensor(x).to(kept))
    )
    assert mixture.means.dtype == kept
    result, expected = mixture.fit(form(x)), same.fit(torch.tensor(x).to(kept))
    assert torch.equal(result.objective, expected.objective)
    assert torch.equal(mixture.means, same.means)
    labels = mixture.predict(form(x))
    assert (labels.dtype, labels.shape) == (torch.int64, (60,))
    assert torch.equal(labels, mixture.responsibilities(form(x)).argmax(-1)[:, 0])


def test_whole_numbers_are_computed_in_float64() -> None:
    x = np.arange(12).reshape(6, 2)
    mixture = GaussianMixture.from_data(x, 2, generator=torch.Generator().manual_seed(0))
    mixture.fit(x)
    assert mixture.means.dtype == torch.float64
    assert sorted(mixture.predict(x).bincount().tolist()) == [3, 3]


def test_predict_has_no_dimension_for_a_single_unit() -> None:
    x = random(2, 5, 4)
    one, three = random_mixture(1), random_mixture(3)
    assert torch.equal(one.predict(x), one.map_code(x)[..., 0])
    assert one.predict(x).shape == (2, 5)
    assert torch.equal(three.predict(x), three.map_code(x))
    assert three.predict(x).shape == (2, 5, 3)


def test_predict_is_that_of_scikit_learn() -> None:
    sklearn = pytest.importorskip("sklearn.mixture")
    x = np.random.default_rng(0).normal(size=(200, 3))
    learned = sklearn.GaussianMixture(4, covariance_type="spherical", random_state=0).fit(x)
    mixture = GaussianMixture.from_sklearn(learned)
    assert mixture.predict(x).tolist() == learned.predict(x).tolist()
    np.testing.assert_allclose(mixture.responsibilities(x)[:, 0].numpy(), learned.predict_proba(x), atol=1e-10)
    np.testing.assert_allclose(mixture.log_prob(x)[:, 0].numpy(), learned.score_samples(x), rtol=1e-10)


@pytest.mark.parametrize("make", [GaussianMixture, GaussianMixture.from_log_weights])
def test_parameters_may_be_arrays(make: Callable[..., GaussianMixture]) -> None:
    mixture = random_mixture(shared=False)
    weights = mixture.weights if make is GaussianMixture else mixture.log_weights
    made = make(mixture.means.numpy(), weights.numpy(), mixture.variance.numpy())
    for name, buffer in mixture.named_buffers():
        torch.testing.assert_close(made.get_buffer(name), buffer)
    single = make(mixture.means.float().numpy(), weights.numpy())  # in the dtype of the means
    assert {buffer.dtype for buffer in single.buffers()} == {torch.float32}


def test_arrays_in_the_joint_model() -> None:
    mixture, x = random_mixture(3), random(7, 4)
    code = betavq.mixture.joint_map(mixture, x.numpy())
    assert torch.equal(code, betavq.mixture.joint_map(mixture, x))
    assert torch.equal(betavq.mixture.unitwise_map(mixture, x.numpy()), mixture.map_code(x))
    found = betavq.mixture.joint_log_prob(mixture, x.numpy(), code)
    assert torch.equal(found, betavq.mixture.joint_log_prob(mixture, x, code))
    assert betavq.mixture.disagreement(mixture, x.numpy()) == betavq.mixture.disagreement(mixture, x)


def test_the_mixture_does_not_share_memory_with_arrays() -> None:
    means, x = random(1, 4, 2).numpy(), random(9, 2).numpy()
    mixture = GaussianMixture(means, np.full((1, 4), 0.25))
    found = mixture.responsibilities(x)
    before = found.clone()
    means[:], x[:] = 9, 9
    assert torch.equal(found, before)
    assert not bool((mixture.means == 9).any())


NO_NUMBERS = [[["a", "b", "c", "d"]], np.array([[None] * 4]), [[1, 2], [3]], np.zeros((2, 4), complex)]


@pytest.mark.parametrize("x", NO_NUMBERS, ids=str)
def test_what_holds_no_numbers_is_refused(x: Any) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        random_mixture().predict(x)
    assert "x must be" in str(caught.value)


FROM_DATA = r"start with GaussianMixture\.from_data\(x, num_components\), and call fit\(x\)"


@pytest.mark.parametrize(("call", "message"), [
    (lambda: GaussianMixture(4), rf"GaussianMixture\(\): missing a required argument: 'weights'\. .*{FROM_DATA}"),
    (lambda: GaussianMixture(n_components=4), rf"GaussianMixture\(\): .*{FROM_DATA}"),
    (lambda: GaussianMixture(4, covariance_type="spherical"), rf"GaussianMixture\(\): .*{FROM_DATA}"),
    (lambda: GaussianMixture(4, random_state=0), FROM_DATA),
    (lambda: GaussianMixture(), FROM_DATA),
    (lambda: GaussianMixture(4, np.full((1, 4), 0.25)), rf"means must be a tensor or an array .* 4\. .*{FROM_DATA}"),
    (lambda: random_mixture(1).fit(random(9, 4), 4), rf"GaussianMixture\.fit\(\): too many positional .*{FROM_DATA}"),
    (lambda: random_mixture(1).fit(random(9, 4), n_components=4), FROM_DATA),
    (lambda: GaussianMixture.from_data(random(9, 4), n_components=4), "n_components is num_components here"),
    (lambda: GaussianMixture.from_data(random(9, 4), 4, random_state=0), "a torch.Generator as generator"),
])  # fmt: skip
def test_calls_in_the_manner_of_scikit_learn_are_told_what_to_do(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        call()


def test_signatures_are_shown_as_they_are() -> None:
    assert list(inspect.signature(GaussianMixture).parameters) == ["means", "weights", "variance", "log_normalizer"]
    assert list(inspect.signature(GaussianMixture.fit).parameters)[:3] == ["self", "x", "method"]
    assert list(inspect.signature(GaussianMixture.from_data).parameters)[:2] == ["x", "num_components"]


def test_nan_has_no_label() -> None:
    x = random(5, 4)
    x[2, 1] = float("nan")
    with pytest.raises(ValueError, match="x must be free of NaN, which has no most probable component"):
        random_mixture().predict(x)
