"""Every class that Python allows a model: it stays what it is, and softening, copies, files and harden work."""

import abc
import copy
import io
import pickle
from typing import Generic, Protocol, TypeVar

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import parametrizations, parametrize

import betavq
import betavq.functional as bF

BETA = 0.6
T = TypeVar("T")


class Net(nn.Module):
    """What all the classes compute."""

    def __init__(self):
        super().__init__()
        self.first, self.act, self.second = nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3)

    def forward(self, x):
        return F.leaky_relu(self.second(self.act(self.first(x))), 0.2)


class Runs(Protocol):
    def forward(self, x): ...


class Named:
    """A mixin with memory and methods of its own."""

    __slots__ = ()

    def describe(self):
        return f"{type(self).__name__} of {len(list(self.children()))}"


class Counting(type):
    """A metaclass that wants to be told something, and keeps a list of its classes."""

    classes: list = []  # noqa: RUF012

    def __new__(mcs, name, bases, namespace, *, tag):
        made = super().__new__(mcs, name, bases, namespace)
        mcs.classes.append(name)
        made.tag = tag
        return made

    def __init__(cls, name, bases, namespace, *, tag):  # noqa: ARG002
        super().__init__(name, bases, namespace)


class Registered(nn.Module):
    registry: dict = {}  # noqa: RUF012

    def __init_subclass__(cls, *, key, **others):
        super().__init_subclass__(**others)
        if key in Registered.registry:
            raise ValueError(f"{key} is registered already")
        Registered.registry[key] = cls


class AbcFirst(abc.ABC, Net):
    @abc.abstractmethod
    def forward(self, x): ...


class Concrete(AbcFirst):
    def forward(self, x):
        return Net.forward(self, x)


class AbcAlone(abc.ABC, nn.Module):
    __init__, forward = Net.__init__, Net.forward


def _init(self):
    nn.Module.__init__(self)
    self.first, self.act, self.second = nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3)


AbcAlone.__init__ = _init


class AbcLast(Net, abc.ABC):
    pass


class OfT(Net, Generic[T]):
    pass


class GenericFirst(Generic[T], Net):
    pass


class Structural(Runs, Net):
    forward = Net.forward


class Slotted(Net):
    __slots__ = ("kept",)

    def __init__(self):
        super().__init__()
        self.kept = 3


class SlottedAbc(abc.ABC, Net):
    __slots__ = ("kept",)


class Diamond(Concrete, OfT[int], Named):
    pass


class Counted(Net, metaclass=Counting, tag="a"):
    pass


class Entered(Registered, Net, key="entered"):
    pass


def dynamic():
    return type("Net", (Net,), {"forward": lambda self, x: Net.forward(self, x)})()


CLASSES = (
    Concrete,
    AbcAlone,
    AbcLast,
    OfT,
    OfT[int],
    GenericFirst,
    Structural,
    Slotted,
    SlottedAbc,
    Diamond,
    Counted,
    Entered,
    dynamic,
)


def by_hand(net, x, beta=BETA):
    return bF.beta_leaky_relu(net.second(bF.beta_relu(net.first(x), beta=beta)), 0.2, beta=beta)


def inputs():
    return torch.randn(5, 4, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("make", CLASSES)
def test_a_model_of_any_class_is_softened_and_keeps_its_class(make):
    classes, net, x = list(Counting.classes), make(), inputs()
    soft = betavq.soften(net, BETA)
    assert type(soft) is type(net)
    torch.testing.assert_close(soft(x), by_hand(net, x))
    assert [site.what for site in betavq.report(soft).replaced] == ["relu", "leaky_relu"]
    assert torch.equal(betavq.set_beta(soft, 1.0)(x), net(x))
    assert torch.equal(betavq.harden(soft)(x), net(x))
    assert set(vars(betavq.harden(soft))) == set(vars(net))
    assert Counting.classes == classes


@pytest.mark.parametrize("make", [Concrete, OfT[int], Slotted, Diamond, Counted, Entered])
def test_copies_of_them_are_models_of_their_own(make):
    soft, x = betavq.soften(make(), BETA, share="site"), inputs()
    y = soft(x)
    for other in (copy.deepcopy(soft), pickle.loads(pickle.dumps(soft))):
        assert torch.equal(other(x), y)
        betavq.set_beta(other, 0.1)
        assert not torch.equal(other(x), y)
        torch.testing.assert_close(other(x), by_hand(other, x, 0.1))
    assert torch.equal(soft(x), y)


def test_a_class_that_copies_itself_is_softened_in_its_copy():
    class Rebuilt(Net):
        def __deepcopy__(self, memo):
            made = Rebuilt()
            made.load_state_dict({key: value for key, value in self.state_dict().items() if "beta" not in key})
            return made

    net, x = Rebuilt(), inputs()
    soft = betavq.soften(net, BETA)
    torch.testing.assert_close(copy.deepcopy(soft)(x), by_hand(net, x))


def file_of(model):
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


GRAPHS = {
    "traced": lambda net: torch.fx.symbolic_trace(net),
    "exported": lambda net: torch.export.export(net, (inputs(),)).module(),
    "lazy": lambda net: torch.fx._lazy_graph_module._make_graph_module(net, torch.fx.Tracer().trace(net)),
    "a part": lambda net: nn.Sequential(torch.fx.symbolic_trace(net), nn.Identity()),
}


@pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")  # of copying what torch.export makes
@pytest.mark.parametrize("share", ["all", "site"])
@pytest.mark.parametrize("kind", GRAPHS)
def test_a_graph_module_stays_softened_when_it_is_recompiled_copied_and_stored(kind, share):
    net, x = Net(), inputs()
    graph = GRAPHS[kind](net)
    soft = betavq.soften(graph, BETA, share=share)
    expected = by_hand(net, x)
    torch.testing.assert_close(soft(x), expected)
    for module in soft.modules():
        if isinstance(module, torch.fx.GraphModule):
            module.recompile()
            module.graph.lint()
            module.graph = module.graph
    torch.testing.assert_close(soft(x), expected)
    copies = [copy.deepcopy(soft), copy.deepcopy(copy.deepcopy(soft)), copy.copy(soft)]
    if kind != "exported":  # what torch.export makes cannot be pickled
        copies += [pickle.loads(pickle.dumps(soft)), file_of(soft)]
    for other in copies:
        torch.testing.assert_close(other(x), expected)
    for other in (copies[0], copies[-1]) if kind != "exported" else copies[:1]:
        betavq.set_beta(other, 0.2)
        torch.testing.assert_close(other(x), by_hand(net, x, 0.2))
        torch.testing.assert_close(soft(x), expected)
    hard = betavq.harden(soft)
    assert torch.equal(hard(x), net(x))
    assert torch.equal(copy.copy(hard)(x), net(x))


def test_the_graph_of_a_softened_graph_module_may_be_edited():
    soft, x = betavq.soften(torch.fx.symbolic_trace(Net()), BETA), inputs()
    for node in soft.graph.nodes:
        if node.op == "call_function" and node.target is F.leaky_relu:
            node.target, node.kwargs = F.relu, {}
            node.args = node.args[:1]
    soft.recompile()
    torch.testing.assert_close(soft(x), bF.beta_relu(soft.second(bF.beta_relu(soft.first(x), beta=BETA)), beta=BETA))


def test_a_parametrization_may_come_before_softening_or_after_it():
    net, x = Net(), inputs()
    parametrizations.weight_norm(net.first)
    soft = betavq.soften(net, BETA)
    torch.testing.assert_close(soft(x), by_hand(net, x))

    class Double(nn.Module):
        def forward(self, weight):
            return weight * 2

    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.randn(3, 4))

        def forward(self, x):
            return F.relu(F.linear(x, self.weight))

    own = Own()
    soft = betavq.soften(own, BETA)
    parametrize.register_parametrization(soft, "weight", Double())
    expected = bF.beta_relu(F.linear(x, own.weight * 2), beta=BETA)
    for one in (soft, copy.deepcopy(soft)):
        torch.testing.assert_close(one(x), expected)
    hard = betavq.harden(soft)
    torch.testing.assert_close(hard(x), F.relu(F.linear(x, own.weight * 2)))
    parametrize.remove_parametrizations(hard, "weight")
    assert type(hard) is Own


def test_replicas_run_with_their_own_parameters():
    soft, x = betavq.soften(Net(), BETA), inputs()
    replica = soft._replicate_for_data_parallel()
    for name, child in soft.named_children():
        twin = child._replicate_for_data_parallel()
        for key, parameter in child._parameters.items():
            setattr(twin, key, parameter * 2)
        setattr(replica, name, twin)
    doubled = Net()
    doubled.load_state_dict({key: value * 2 for key, value in soft.state_dict().items() if "beta" not in key})
    torch.testing.assert_close(replica(x), by_hand(doubled, x))
    torch.testing.assert_close(soft(x), by_hand(soft, x))


def saved_architecture(model):
    """What ``save_pretrained`` of Hugging Face writes for the class."""
    return [model.__class__.__name__], type(model).__name__, type(model).__module__


def test_the_class_that_is_saved_is_the_original_and_beta_is_kept_with_the_weights():
    net, x = Net(), inputs()
    soft = betavq.soften(net, 0.3)
    assert saved_architecture(soft) == saved_architecture(net)
    file = io.BytesIO()
    torch.save(soft.state_dict(), file)
    file.seek(0)
    again = betavq.soften(type(soft)())
    again.load_state_dict(torch.load(file, weights_only=True))
    assert torch.equal(again(x), soft(x))
    torch.testing.assert_close(again(x), by_hand(net, x, 0.3))


class Streaming(nn.Module):
    """A method that yields, and takes what it is sent."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)

    def forward(self, x):
        return sum(self.stream(x))

    def stream(self, x):
        for _ in range(3):
            x = F.relu(self.linear(x))
            shift = yield x
            x = x if shift is None else x + shift
        return "done"


def test_a_method_that_yields_is_softened_at_every_step():
    net, x = Streaming(), inputs()

    def by_hand(x, *shifts):
        for shift in shifts:
            x = bF.beta_relu(net.linear(x), beta=BETA)
            yield x
            x = x + shift

    soft = betavq.soften(net, BETA)
    steps = soft.stream(x)
    found = [next(steps), steps.send(1.0)]
    torch.testing.assert_close(F.relu(x), x.clamp(min=0))  # between two steps nothing is softened
    found.append(next(steps))
    torch.testing.assert_close(found, list(by_hand(x, 1.0, 0.0, 0.0)))
    with pytest.raises(StopIteration, match="done"):
        next(steps)
    torch.testing.assert_close(soft(x), sum(by_hand(x, 0.0, 0.0, 0.0)))
    torch.testing.assert_close(list(betavq.harden(soft).stream(x)), list(net.stream(x)))


def test_a_call_method_of_its_own_is_noted():
    class Called(Net):
        def __call__(self, x):
            return F.relu(super().__call__(x))

    net, x = Called(), inputs()
    soft = betavq.soften(net, BETA)
    assert "Called has a __call__ of its own" in betavq.report(soft).note
    torch.testing.assert_close(soft(x), F.relu(by_hand(net, x)))
    torch.testing.assert_close(betavq.soften(nn.Sequential(net), BETA)(x), bF.beta_relu(by_hand(net, x), beta=BETA))


def test_hooks_of_the_model_itself_are_noted_where_they_compute_and_those_within_are_softened():
    def hook(*arguments):
        return F.relu(arguments[-1] - 0.1)

    net, x = Net(), inputs()
    net.register_forward_hook(hook)
    assert "hooks of its own" in betavq.report(betavq.soften(net, BETA)).note
    soft = betavq.soften(nn.Sequential(net), BETA, example_inputs=x)
    assert betavq.report(soft).note == ""
    plain = Net()
    plain.load_state_dict(net.state_dict())
    torch.testing.assert_close(soft(x), bF.beta_relu(by_hand(plain, x) - 0.1, beta=BETA))
    quiet = Net()
    quiet.register_forward_hook(lambda *arguments: arguments[-1] * 2)
    assert betavq.report(betavq.soften(quiet, BETA)).note == ""


@pytest.mark.parametrize("example", [None, inputs()])
def test_hooks_of_a_layer_of_torch_are_softened(example):
    class Hook:
        def __call__(self, *arguments):
            return F.relu(arguments[-1]) * 2 - 0.1

    for hook in (Hook(), lambda *arguments: torch.relu(arguments[-1]) * 2 - 0.1):
        net, x = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2)), inputs()
        net[0].register_forward_hook(hook)
        for wrapped in (net, nn.Sequential(nn.Identity(), net)):
            soft = betavq.soften(wrapped, BETA, example_inputs=example)
            h = bF.beta_relu(F.linear(x, net[0].weight, net[0].bias), beta=BETA) * 2 - 0.1
            torch.testing.assert_close(soft(x), net[2](bF.beta_relu(h, beta=BETA)))
            report = betavq.report(soft)
            assert [site.what for site in report.replaced] == ["relu"] * 2
            assert ("has hooks" in report.note) == (example is None)
