"""Networks as others publish them, softened: at β = 1 the original bit for bit, at ½ another, nothing missed."""

import warnings

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

import betavq
from betavq._softening import state

pytestmark = [pytest.mark.rare, pytest.mark.filterwarnings("ignore")]

# Each with the width of an image that it takes.
TORCHVISION = {
    "alexnet": 64,
    "vgg11_bn": 32,
    "resnet18": 64,
    "resnet50": 64,
    "squeezenet1_1": 64,
    "densenet121": 64,
    "googlenet": 64,
    "inception_v3": 299,
    "mobilenet_v2": 64,
    "mobilenet_v3_small": 64,
    "shufflenet_v2_x0_5": 64,
    "efficientnet_b0": 64,
    "mnasnet0_5": 64,
    "regnet_y_400mf": 64,
    "convnext_tiny": 64,
    "swin_t": 64,
    "vit_b_32": 224,
}
TIMM = {
    "resnet18d": 64,
    "seresnext26d_32x4d": 64,
    "resnetv2_50": 64,
    "efficientnet_b0": 64,
    "mobilenetv3_small_050": 64,
    "convnext_atto": 64,
    "vit_tiny_patch16_224": 224,
    "mixer_s32_224": 224,
    "dla34": 64,
    "regnetx_002": 64,
    "ghostnet_050": 64,
    "hrnet_w18_small": 64,
    "cspdarknet53": 64,
    "repvgg_a0": 64,
    "levit_128s": 224,
    "xcit_nano_12_p16_224": 64,
    "selecsls42": 64,
}
# What an operator that PyTorch runs is called in a report.
KINDS = {
    "relu": "relu",
    "leaky_relu": "leaky_relu",
    "_prelu_kernel": "prelu",
    "abs": "abs",
    "max_pool2d_with_indices": "max_pool2d",
    "hardtanh": "relu6 hardtanh",
    "hardswish": "hardswish",
    "hardsigmoid": "hardsigmoid",
    "gelu": "gelu",
    "silu": "silu",
    "sigmoid": "sigmoid silu",
    "tanh": "tanh",
    "elu": "elu",
    "_softmax": "softmax multi_head_attention_forward scaled_dot_product_attention",
    "_scaled_dot_product_flash_attention_for_cpu": "multi_head_attention_forward scaled_dot_product_attention",
    "native_layer_norm": "layer_norm",
    "native_group_norm": "group_norm",
    "clamp": "clamp normalize",
    "clamp_min": "clamp clamp_min normalize",
    "where": "where",
}
REPLACED = ("relu", "leaky_relu", "_prelu_kernel", "abs", "max_pool2d_with_indices")


class Operators(TorchDispatchMode):
    """Counts the operators that PyTorch runs, by name."""

    def __init__(self):
        super().__init__()
        self.counts = {}

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func._schema.name.removeprefix("aten::").rstrip("_")
        self.counts[name] = self.counts.get(name, 0) + 1
        return func(*args, **(kwargs or {}))


def model_of(name, library):
    if library == "timm":
        return pytest.importorskip("timm", reason="needs timm").create_model(name, pretrained=False)
    models = pytest.importorskip("torchvision.models", reason="needs torchvision", exc_type=ImportError)
    options = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    return models.get_model(name, weights=None, **options)


@pytest.mark.parametrize(
    ("library", "name", "width"),
    [
        *(("torchvision", name, width) for name, width in TORCHVISION.items()),
        *(("timm", name, width) for name, width in TIMM.items()),
    ],
)
def test_a_published_network_is_softened(library, name, width, monkeypatch, record_property):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = model_of(name, library).eval()
        x = torch.randn(2, 3, width, width)
    soft = betavq.soften(net, 1.0, example_inputs=x)
    report = betavq.report(soft)
    assert report.note == ""
    assert torch.equal(soft(x), net(x))
    assert all(type(one) is type(other) for one, other in zip(net.modules(), soft.modules(), strict=True))

    softened, made = state.softened, []
    monkeypatch.setattr(state, "softened", lambda kind, *a, **k: made.append(kind) or softened(kind, *a, **k))
    with torch.no_grad():
        with Operators() as operators:
            hard = net(x)
        half = betavq.set_beta(soft, 0.5)(x)
    assert half.isfinite().all()
    assert betavq.report(soft).sites == report.sites
    assert sum(operators.counts.get(kind, 0) for kind in REPLACED) == len(made)
    assert torch.equal(half, hard) == (made == [])
    listed = {site.what for site in report.sites}
    for operator, kinds in KINDS.items():
        assert operator not in operators.counts or listed & set(kinds.split()), operator
    left = {site.what for site in report.left_alone}
    record_property(
        "row", f"{library} {name}: {len(report.replaced)} replaced, {len(left)} kinds left: {sorted(left)}"
    )


def test_training_of_a_published_network_reaches_beta():
    net = model_of("resnet18", "torchvision")
    soft = betavq.soften(net, 0.5, learnable=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        soft.train()(torch.randn(2, 3, 64, 64)).square().mean().backward()
    assert betavq.betas(soft)["softening_beta"].grad.abs() > 0
