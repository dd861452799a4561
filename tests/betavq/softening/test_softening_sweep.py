"""No nonlinearity of PyTorch is missed: what its modules, functions and operators are called is softened or listed."""

import warnings

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import betavq
from betavq._softening.probe import MODULES
from betavq._torch.call_table import CALLS

# What is affine in its input, or passes it on, in eval mode; what measures it against a target; what holds others.
AFFINE = """
AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AlphaDropout AvgPool1d AvgPool2d AvgPool3d BatchNorm1d
BatchNorm2d BatchNorm3d Bilinear ChannelShuffle CircularPad1d CircularPad2d CircularPad3d ConstantPad1d
ConstantPad2d ConstantPad3d Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d Dropout Dropout1d
Dropout2d Dropout3d Embedding EmbeddingBag FeatureAlphaDropout Flatten Fold Identity Linear LazyBatchNorm1d
LazyBatchNorm2d LazyBatchNorm3d LazyConv1d LazyConv2d LazyConv3d LazyConvTranspose1d LazyConvTranspose2d
LazyConvTranspose3d LazyLinear MaxUnpool1d MaxUnpool2d MaxUnpool3d PixelShuffle PixelUnshuffle ReflectionPad1d
ReflectionPad2d ReflectionPad3d ReplicationPad1d ReplicationPad2d ReplicationPad3d SyncBatchNorm Unflatten Unfold
Upsample UpsamplingBilinear2d UpsamplingNearest2d ZeroPad1d ZeroPad2d ZeroPad3d
"""
HOLDERS = """
Container DataParallel Module ModuleDict ModuleList ParameterDict ParameterList RNNBase RNNCellBase Sequential
Transformer TransformerDecoder TransformerDecoderLayer TransformerEncoder TransformerEncoderLayer
"""
OTHER_FUNCTIONS = """
adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d affine_grid alpha_dropout assert_int_or_pair avg_pool1d
avg_pool2d avg_pool3d batch_norm bilinear boolean_dispatch channel_shuffle conv1d conv2d conv3d conv_tbc
conv_transpose1d conv_transpose2d conv_transpose3d dropout dropout1d dropout2d dropout3d embedding embedding_bag
feature_alpha_dropout fold grid_sample grouped_mm handle_torch_function has_torch_function has_torch_function_unary
has_torch_function_variadic interpolate linear max_unpool1d max_unpool2d max_unpool3d native_channel_shuffle
one_hot pad pixel_shuffle pixel_unshuffle scaled_grouped_mm scaled_mm unfold upsample upsample_bilinear
upsample_nearest binary_cross_entropy binary_cross_entropy_with_logits cross_entropy kl_div linear_cross_entropy
"""

MADE = {
    "AdaptiveLogSoftmaxWithLoss": (lambda m: m(6, 9, [3]), (4, 6)),
    "CrossMapLRN2d": (lambda m: m(3), (2, 4, 8, 8)),
    "CosineSimilarity": (lambda m: m(), (4, 6)),
    "PairwiseDistance": (lambda m: m(), (4, 6)),
    "FractionalMaxPool2d": (lambda m: m(2, output_size=3), (2, 4, 8, 8)),
    "FractionalMaxPool3d": (lambda m: m(2, output_size=3), (2, 4, 8, 8, 8)),
    "GLU": (lambda m: m(1), (2, 4, 8, 8)),
    "GroupNorm": (lambda m: m(2, 4), (2, 4, 8)),
    "LayerNorm": (lambda m: m(8), (2, 4, 8)),
    "RMSNorm": (lambda m: m(8), (2, 4, 8)),
    "LPPool1d": (lambda m: m(2, 2), (2, 4, 8)),
    "LPPool2d": (lambda m: m(2, 2), (2, 4, 8, 8)),
    "LPPool3d": (lambda m: m(2, 2), (2, 4, 8, 8, 8)),
    "LocalResponseNorm": (lambda m: m(2), (2, 4, 8)),
    "MultiheadAttention": (lambda m: m(8, 2), (2, 4, 8)),
    "Threshold": (lambda m: m(0.1, 0.2), (2, 4, 8)),
    **{name: (lambda m: m(6, 3), (4, 6)) for name in ("LSTMCell", "GRUCell", "RNNCell")},
    **{name: (lambda m: m(6, 3), (2, 4, 6)) for name in ("LSTM", "GRU", "RNN")},
    **{name: (lambda m: m(1), (2, 4, 8)) for name in ("Softmax", "LogSoftmax", "Softmin")},
    "Softmax2d": (lambda m: m(), (2, 4, 8, 8)),
}


def made(name):
    """A module of this name, and an input of it."""
    if name in MADE:
        make, shape = MADE[name]
    else:
        axes = next((n for n in (1, 2, 3) if name.endswith(f"{n}d")), 1)
        shape = (2, 4, *[8] * axes)
        size = 2 if "Pool" in name else 4
        make = (lambda m: m(size)) if axes > 1 or name.endswith("1d") else (lambda m: m())
    return make(getattr(nn, name)).eval(), torch.randn(shape, generator=torch.Generator().manual_seed(0))


def softened(model, **options):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "model has nothing to soften")
        warnings.filterwarnings("ignore", "Lazy modules")
        return betavq.soften(model, 0.5, **options)


def test_every_module_of_torch_is_known():
    names = {
        name for name in dir(nn) if isinstance(getattr(nn, name), type) and issubclass(getattr(nn, name), nn.Module)
    }
    others = {*AFFINE.split(), *HOLDERS.split(), "NLLLoss2d", *(name for name in names if name.endswith("Loss"))}
    others.remove("AdaptiveLogSoftmaxWithLoss")
    assert names - others == {module.__name__ for module in MODULES}


def test_every_function_of_torch_is_known():
    public = {name for name in dir(F) if name[0].islower() and callable(getattr(F, name)) and "_loss" not in name}
    known = {name for name in public if getattr(F, name) in CALLS}
    assert public - known - set(OTHER_FUNCTIONS.split()) == set()
    assert known.isdisjoint(OTHER_FUNCTIONS.split())


@pytest.mark.parametrize("name", sorted(module.__name__ for module in MODULES if "Lazy" not in module.__name__))
def test_a_module_is_one_site_before_it_runs_and_after(name):
    module, x = made(name)
    soft = softened(nn.ModuleList([module]))
    (before,) = betavq.report(soft).sites
    call = soft[0]
    arguments = {
        "AdaptiveLogSoftmaxWithLoss": (x, torch.tensor([0, 4, 8, 2])),
        "MultiheadAttention": (x, x, x),
        "CosineSimilarity": (x, x + 1),
        "PairwiseDistance": (x, x + 1),
    }.get(name, (x,))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        found = call(*arguments)
        torch.manual_seed(0)
        expected = module(*arguments)
    (after,) = betavq.report(soft).sites
    assert before == after
    assert before.where == "0"
    assert before.replaced == (not before.reason)
    first, second = (y[0] if isinstance(y, tuple) else y for y in (found, expected))
    assert torch.equal(first, second) != before.replaced


ALWAYS = (
    "ReLU",
    "LeakyReLU",
    "PReLU",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "GELU",
    "Hardswish",
    "Softmax",
    "LayerNorm",
)
DECOMPOSED = [
    pytest.param(name, marks=() if name in ALWAYS else pytest.mark.rare)
    for name in (*nn.modules.activation.__all__, *nn.modules.pooling.__all__, "LayerNorm", "GroupNorm")
    if name not in ("MultiheadAttention", "Softmax2d") and "Unpool" not in name and "Avg" not in name
]


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("name", DECOMPOSED)
def test_what_export_makes_of_a_module_and_decomposes_is_listed(name):
    module, x = made(name)
    exported = torch.export.export(module, (x,))
    for graph in (exported.module(), exported.run_decompositions().module()):
        soft = softened(graph)
        report = betavq.report(soft)
        assert report.note == ""
        assert report.sites
        y = soft(x)
        assert betavq.report(soft) == report
        if name in ("ReLU", "LeakyReLU", "MaxPool1d", "MaxPool2d"):  # PReLU is decomposed into a choice
            assert all(site.replaced for site in report.sites)
            torch.testing.assert_close(y, betavq.soften(module, 0.5)(x))
        elif name != "PReLU" and report.replaced == ():
            assert torch.equal(y, graph(x))


X = torch.randn(2, 4, 6, 6, generator=torch.Generator().manual_seed(0))
aten = torch.ops.aten
OPERATORS = {
    "max_pool2d_with_indices": lambda x: aten.max_pool2d_with_indices.default(x, [2, 2])[0],
    "max_pool2d_with_indices, packet": lambda x: aten.max_pool2d_with_indices(x, [2, 2])[0],
    "max_pool2d_with_indices.out": lambda x: aten.max_pool2d_with_indices.out(
        x, [2, 2], out=x.new_empty(0), indices=x.new_empty(0, dtype=torch.long)
    )[0],
    "relu.out": lambda x: aten.relu.out(x, out=torch.empty_like(x)),
    "abs.out": lambda x: aten.abs.out(x, out=torch.empty_like(x)),
    "leaky_relu.out": lambda x: aten.leaky_relu.out(x, 0.1, out=torch.empty_like(x)),
    "_nn.leaky_relu, out": lambda x: torch._C._nn.leaky_relu(x, 0.1, out=torch.empty_like(x)),
    "threshold": lambda x: aten.threshold.default(x, 0.0, 0.0),
    "threshold_": lambda x: aten.threshold_.default(x + 0, 0.0, 0.0),
    "clamp_min": lambda x: aten.clamp_min.default(x, 0.0),
    "clamp.Tensor": lambda x: aten.clamp.Tensor(x, torch.zeros(1)),
    "clamp_min_": lambda x: aten.clamp_min_.default(x + 0, 0.0),
    "hardtanh": lambda x: aten.hardtanh.default(x),
    "gelu": lambda x: aten.gelu.default(x, approximate="tanh"),
    "silu_": lambda x: aten.silu_.default(x + 0),
    "elu": lambda x: aten.elu.default(x),
    "max.dim": lambda x: aten.max.dim(x, 1)[0],
    "max.other": lambda x: aten.max.other(x, -x),
    "amax": lambda x: aten.amax.default(x, [1]),
    "minimum": lambda x: aten.minimum.default(x, -x),
    "where": lambda x: aten.where.self(x > 0, x, 0.1 * x),
    "torch.where": lambda x: torch.where(x > 0, x, 0.1 * x),
    "x.where": lambda x: x.where(x > 0, 0.1 * x),
    "softmax": lambda x: x.softmax(1),
    "aten._softmax": lambda x: aten._softmax.default(x, 1, False),
    "native_layer_norm": lambda x: aten.native_layer_norm.default(x, [6], None, None, 1e-5)[0],
    "scaled_dot_product_attention": lambda x: F.scaled_dot_product_attention(x, x, x),
    "adaptive_max_pool2d": lambda x: aten.adaptive_max_pool2d.default(x, [2, 2])[0],
    "sign": lambda x: x.sign(),
    "topk": lambda x: x.topk(2, 1)[0],
    "sort": lambda x: torch.sort(x, 1)[0],
    "special.expit": lambda x: torch.special.expit(x),
    "norm": lambda x: torch.linalg.vector_norm(x, dim=1),
    "relu6": lambda x: torch._C._nn.relu6(x) if hasattr(torch._C._nn, "relu6") else F.relu6(x),
    "_add_relu": lambda x: aten._add_relu.Tensor(x, x),
    "rrelu": lambda x: aten.rrelu.default(x),
}
SOFTENED = {
    "_prelu_kernel": (lambda x: aten._prelu_kernel.default(x, torch.full((1, 4, 1, 1), 0.2)), nn.LeakyReLU(0.2)),
    "torch._prelu_kernel": (lambda x: torch._prelu_kernel(x, torch.full((1, 1, 1, 1), 0.2)), nn.LeakyReLU(0.2)),
    "aten.prelu": (lambda x: aten.prelu.default(x, torch.full((4,), 0.2)), nn.LeakyReLU(0.2)),
    "aten.leaky_relu_": (lambda x: aten.leaky_relu_.default(x + 0, 0.2), nn.LeakyReLU(0.2)),
    "_nn.leaky_relu": (lambda x: torch._C._nn.leaky_relu(x, 0.2), nn.LeakyReLU(0.2)),
    "aten.relu_": (lambda x: aten.relu_.default(x + 0), nn.ReLU()),
    "aten.relu, packet": (lambda x: aten.relu(x), nn.ReLU()),
    "aten.max_pool2d": (lambda x: aten.max_pool2d.default(x, [2, 2]), nn.MaxPool2d(2)),
}


class Calls(nn.Module):
    def __init__(self, call):
        super().__init__()
        self.call = call

    def forward(self, x):
        return self.call(x * 1.0)


@pytest.mark.parametrize("name", OPERATORS)
def test_an_operator_is_left_alone_with_its_reason(name):
    call = OPERATORS[name]
    with torch.random.fork_rng():
        soft = softened(Calls(call), example_inputs=X)
        torch.manual_seed(0)
        found = soft(X)
        torch.manual_seed(0)
        assert torch.equal(found, call(X))
    (site,) = betavq.report(soft).sites
    assert site.reason
    assert not site.replaced


@pytest.mark.parametrize("name", SOFTENED)
def test_an_operator_is_softened(name):
    call, module = SOFTENED[name]
    soft = betavq.soften(Calls(call), 0.5, example_inputs=X)
    torch.testing.assert_close(soft(X), betavq.soften(module, 0.5)(X))
    (site,) = betavq.report(soft).sites
    assert site.replaced


def test_indices_that_are_read_keep_a_pooling_hard():
    class Unpools(nn.Module):
        def forward(self, x):
            y, indices = F.max_pool2d(x, 2, return_indices=True)
            return F.max_unpool2d(y, indices, 2)

    class Values(nn.Module):
        def forward(self, x):
            return F.max_pool2d(x, 2, return_indices=True)[0]

    for net, replaced in ((Unpools(), False), (Values(), True)):
        soft = softened(torch.fx.symbolic_trace(net))
        assert [site.replaced for site in betavq.report(soft).sites] == [replaced]
        assert torch.equal(soft(X), net(X)) != replaced
        if replaced:
            torch.testing.assert_close(soft(X), betavq.soften(nn.MaxPool2d(2), 0.5)(X))
            assert [site.what for site in betavq.report(soft).sites] == ["max_pool2d"]


FUSED = {
    "ConvReLU2d": lambda i: i.ConvReLU2d(nn.Conv2d(4, 3, 3), nn.ReLU()),
    "ConvBnReLU2d": lambda i: i.ConvBnReLU2d(nn.Conv2d(4, 3, 3), nn.BatchNorm2d(3), nn.ReLU()).eval(),
    "BNReLU2d": lambda i: i.BNReLU2d(nn.BatchNorm2d(4), nn.ReLU()).eval(),
    "LinearReLU": lambda i: i.LinearReLU(nn.Linear(6, 3), nn.ReLU()),
    "qat.ConvReLU2d": lambda i: i.qat.ConvReLU2d(4, 3, 3, qconfig=_qconfig()),
    "qat.LinearReLU": lambda i: i.qat.LinearReLU(6, 3, qconfig=_qconfig()),
}


def _qconfig():
    return torch.ao.quantization.QConfig(activation=nn.Identity, weight=nn.Identity)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
@pytest.mark.parametrize("name", FUSED)
def test_fused_modules_are_softened_where_they_compute_with_numbers(name):
    import torch.ao.nn.intrinsic as fused
    import torch.ao.nn.intrinsic.qat

    module = FUSED[name](fused)
    soft = betavq.soften(nn.Sequential(module), 0.5)
    assert [site.what for site in betavq.report(soft).replaced] == ["relu"]
    assert not torch.equal(soft(X), module(X))
    assert len(betavq.report(soft).sites) == 1
    assert torch.equal(betavq.set_beta(soft, 1.0)(X), module(X))


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_quantised_modules_are_listed():
    import torch.ao.nn.intrinsic.quantized as fused
    import torch.ao.nn.quantized as quantized

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.quantize = quantized.Quantize(0.1, 10, torch.quint8)
            self.linear, self.relu, self.dequantize = fused.LinearReLU(6, 3), nn.ReLU(), quantized.DeQuantize()

        def forward(self, x):
            return F.relu(self.dequantize(self.relu(self.linear(self.quantize(x)))) - 0.1)

    if "fbgemm" not in torch.backends.quantized.supported_engines and torch.backends.quantized.engine == "none":
        pytest.skip("this build of PyTorch has no engine for quantised numbers")
    soft = betavq.soften(Net(), 0.5, example_inputs=X)
    reasons = {site.what: site.reason for site in betavq.report(soft).left_alone}
    assert "quantised" in reasons["linear_relu"]
    assert [site.where for site in betavq.report(soft).replaced] == ["relu", "relu"]


@pytest.mark.parametrize("training", [False, True])
def test_transformers_are_listed_whole(training):
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
    for net in (layer, nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)):
        net, x = net.train(training), torch.randn(2, 5, 8)
        soft = betavq.soften(net, 0.5, example_inputs=x)
        report = betavq.report(soft)
        layers = 1 if net is layer else 2
        assert len(report.replaced) == layers
        assert len(report.left_alone) == 3 * layers  # attention and two norms each
        with torch.no_grad():
            assert not torch.equal(soft(x), net(x))
        assert betavq.report(soft) == report
