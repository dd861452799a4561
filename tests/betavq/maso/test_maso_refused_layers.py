"""MASO.from_layers: layers and sizes that it refuses, and its limits."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from layer_examples import assert_same, prelu
from torch import nn

import betavq
from betavq import MASO
from betavq.nn import BetaLeakyReLU, BetaReLU

pytestmark = pytest.mark.usefixtures("float64_and_a_seed")

LINEAR, CONV = nn.Linear(4, 6), nn.Conv2d(2, 6, 3)
IMAGE = {"input_size": (2, 8, 8)}


@pytest.mark.parametrize(
    ("layer", "options", "error", "message"),
    [
        (nn.Flatten(), {}, TypeError, "layer must be an nn.Linear, nn.Conv1d or nn.Conv2d, got Flatten"),
        (LINEAR, {"input_size": (4,)}, ValueError, r"input_size must be None where layer is an nn.Linear, got \(4,\)"),
        (CONV, {}, ValueError, r"input_size must be \(C, H, W\) with C = 2 for layer, an nn.Conv2d, got None"),
        (CONV, {"input_size": (2, 8)}, ValueError, r"\(C, H, W\) with C = 2 .*, got \(2, 8\)"),
        (CONV, {"input_size": (3, 8, 8)}, ValueError, r"C = 2 for layer, an nn.Conv2d, got \(3, 8, 8\)"),
        (CONV, {"input_size": (2, 8, 0)}, ValueError, "input_size's entries must be at least 1, got 0"),
        (CONV, {"input_size": (2, 8.0, 8)}, TypeError, "input_size's entries must be an integer, got 8.0"),
        (CONV, {"input_size": (2, 2, 8)}, ValueError, r"input_size must be large enough for layer, got \(2, 2, 8\)"),
        (LINEAR, {"batchnorm": nn.BatchNorm1d(6)}, ValueError, "batchnorm must be in eval mode, got .* training"),
        (
            LINEAR,
            {"batchnorm": nn.BatchNorm1d(6, track_running_stats=False).eval()},
            ValueError,
            "batchnorm must keep running statistics",
        ),
        (LINEAR, {"batchnorm": nn.BatchNorm1d(5).eval()}, ValueError, "batchnorm must have 6 features, got 5"),
        (LINEAR, {"batchnorm": nn.BatchNorm2d(6).eval()}, TypeError, "batchnorm must be an nn.BatchNorm1d .*2d"),
        (CONV, IMAGE | {"batchnorm": nn.LayerNorm(6)}, TypeError, "must be an nn.BatchNorm2d .*, got LayerNorm"),
        (LINEAR, {"activation": nn.Tanh()}, TypeError, "activation must be None, nn.ReLU, .*, got Tanh"),
        (LINEAR, {"activation": torch.tanh}, TypeError, "activation must be None, nn.ReLU, .*, got tanh"),
        (LINEAR, {"activation": nn.ReLU}, TypeError, "activation must be None, nn.ReLU, .*, got ReLU"),
        (LINEAR, {"activation": nn.LeakyReLU(1.5)}, ValueError, r"slopes up to 1, got 1.5: .* no MASO"),
        (LINEAR, {"activation": prelu(0, 1, 2, 3, 0, 0)}, ValueError, "slopes up to 1, got 2: "),
        (LINEAR, {"activation": prelu(0, 1)}, ValueError, "activation must have 1 or 6 slopes, got 2"),
        (LINEAR, {"activation": BetaReLU(0.5)}, ValueError, "activation must have beta = 1, got 0.5"),
        (
            LINEAR,
            {"activation": BetaLeakyReLU(1.0, negative_slope=torch.zeros(6), channel_dim=0)},
            ValueError,
            "channels at channel_dim=1, got 0",
        ),
        (
            LINEAR,
            {"maxout": 4},
            ValueError,
            r"maxout must divide the number of outputs \(channels\) of layer, 6, got 4",
        ),
        (LINEAR, {"maxout": 0}, ValueError, "maxout must be at least 1, got 0"),
        (LINEAR, {"maxout": True}, TypeError, "maxout must be an integer, got True"),
        (LINEAR, {"maxout": 2, "activation": nn.ReLU()}, ValueError, "maxout must be None where an activation is"),
        (LINEAR, {"skip": True}, ValueError, r"skip=True must add .* same shape, got \(4,\) and \(6,\)"),
        (LINEAR, {"skip": torch.zeros(4, 6)}, ValueError, r"skip must be a matrix of shape \(6, 4\), .* got \(4, 6\)"),
        (LINEAR, {"skip": torch.zeros(6, 4, dtype=torch.int)}, TypeError, "skip must be float16"),
        (LINEAR, {"skip": nn.Linear(4, 5)}, ValueError, r"skip must have outputs \(6,\) of 4 inputs, got \(5,\) of 4"),
        (LINEAR, {"skip": nn.Linear(3, 6)}, ValueError, r"skip must have outputs \(6,\) of 4 inputs, got \(6,\) of 3"),
        (LINEAR, {"skip": nn.ReLU()}, TypeError, "skip must be an nn.Linear, nn.Conv1d or nn.Conv2d, got ReLU"),
        (LINEAR, {"skip": 1.0}, TypeError, "skip must be True, a layer, a matrix or None, got float"),
        (CONV, IMAGE | {"skip": nn.Conv2d(2, 6, 5)}, ValueError, r"skip must have outputs \(6, 6, 6\) of 128 inputs"),
        (LINEAR, {"pool": nn.MaxPool2d(2)}, TypeError, "pool must be an nn.MaxPool1d or nn.AvgPool1d .*MaxPool2d"),
        (CONV, IMAGE | {"pool": nn.AdaptiveAvgPool2d(1)}, TypeError, "pool must be .* got AdaptiveAvgPool2d"),
        (CONV, IMAGE | {"pool": nn.MaxPool2d(2, return_indices=True)}, ValueError, "return_indices=False"),
        (CONV, IMAGE | {"pool": nn.MaxPool2d(9)}, ValueError, r"pool must fit outputs of shape \(6, 6, 6\)"),
        (
            CONV,
            IMAGE | {"activation": nn.ReLU(), "pool": nn.AvgPool2d(2, divisor_override=-1)},
            ValueError,
            "pool must have a positive divisor_override",
        ),
        (
            CONV,
            IMAGE | {"activation": nn.ReLU(), "pool": nn.AvgPool2d(4)},
            ValueError,
            r"max_pieces must allow for 2\*\*16 = 65536 pieces, .* got 1024",
        ),
        (CONV, IMAGE | {"max_pieces": 0, "pool": nn.AvgPool2d(2)}, ValueError, "max_pieces must be at least 1, got 0"),
    ],
)
def test_bad_layers_are_named(layer: Any, options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        MASO.from_layers(layer, **options)


@pytest.mark.parametrize(
    "layers",
    [
        (nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2)),
        (nn.Linear(2, 2), nn.ReLU(), nn.BatchNorm1d(2).eval()),
        (nn.Linear(2, 2), nn.MaxPool1d(2), nn.ReLU()),
        (nn.Linear(2, 2), nn.ReLU(), nn.ReLU()),
        (),
    ],
)
def test_sequences_without_a_clear_meaning_are_refused_with_help(layers: tuple[Any, ...]) -> None:
    words = (
        r"at most a BatchNorm, an activation and a pool, in this order, got (Linear, .*|none): one MASO is one such"
    )
    with pytest.raises(TypeError, match=words):
        MASO.from_layers(list(layers))
    with pytest.raises(TypeError, match=words):
        MASO.from_layers(nn.Sequential(*layers))


def test_what_stands_in_a_sequence_is_not_given_once_more() -> None:
    with pytest.raises(
        ValueError, match=r"activation must be None where it stands in the sequence already, got ReLU\(\)"
    ):
        MASO.from_layers([nn.Linear(2, 2), nn.ReLU()], activation=nn.ReLU())
    with pytest.raises(TypeError, match=r"activation must be None, nn\.ReLU, .*, got GELU"):
        MASO.from_layers([nn.Linear(2, 2), nn.GELU()])
    with pytest.raises(ValueError, match=r"is softened at β = 0\.5"):
        MASO.from_layers(betavq.soften(nn.Sequential(nn.Linear(2, 2), nn.ReLU()), 0.5))


def test_limit_of_pieces_can_be_raised() -> None:
    layer, pool = nn.Linear(3, 11), nn.AvgPool1d(11)
    with pytest.raises(ValueError, match=r"2\*\*11 = 2048 pieces"):
        MASO.from_layers(layer, activation=nn.ReLU(), pool=pool, max_pieces=2047)
    maso = MASO.from_layers(layer, activation=nn.ReLU(), pool=pool, max_pieces=2048)
    assert_same(lambda x: pool(layer(x).relu()), maso, 3)
    with pytest.raises(ValueError, match=r"2\*\*196 pieces"):
        MASO.from_layers(nn.Linear(3, 196), activation=nn.ReLU(), pool=nn.AvgPool1d(196))


def test_slopes_beyond_any_memory_are_refused_before_they_are_made() -> None:
    with pytest.raises(
        ValueError, match=r"\(K, R, D\) = \(3154176, 1, 150528\), .* 3,798,334,439,424 bytes, got 1,073,741,824"
    ):
        MASO.from_layers(nn.Conv2d(3, 64, 3), input_size=(3, 224, 224))


@pytest.mark.parametrize(
    ("options", "pieces", "units"),
    [
        ({}, 1, 4 * 64),
        ({"activation": nn.ReLU()}, 2, 4 * 64),
        ({"pool": nn.MaxPool2d(3, 1, 1)}, 9, 4 * 64),
        ({"activation": nn.ReLU(), "pool": nn.MaxPool2d(3, 1, 1)}, 10, 4 * 64),
        ({"activation": nn.ReLU(), "pool": nn.AvgPool2d(2, 1)}, 16, 4 * 49),
    ],
)
def test_limit_of_bytes_is_exact(options: dict[str, Any], pieces: int, units: int) -> None:
    layer, size = nn.Conv2d(2, 4, 3, padding=1), (2, 8, 8)
    needed = units * pieces * 128 * 8
    maso = MASO.from_layers(layer, input_size=size, max_bytes=needed, **options)
    assert maso.slopes.numel() * maso.slopes.element_size() == needed
    message = f"max_bytes must allow for slopes of shape .* = .{units}, {pieces}, 128., which take {needed:,} bytes"
    with pytest.raises(ValueError, match=message):
        MASO.from_layers(layer, input_size=size, max_bytes=needed - 1, **options)


@pytest.mark.parametrize("activation", [[nn.ReLU()], {}, "relu", nn.ReLU])
def test_what_is_no_activation_is_refused_by_name(activation: Any) -> None:
    with pytest.raises(TypeError, match=r"activation must be None, .* got"):
        betavq.MASO.from_layers(nn.Linear(2, 3), activation=activation)
