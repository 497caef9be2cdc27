"""The network in fewer passes: the same function, on every path through it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import nn

from napari_c2lst.cells import quick
from napari_c2lst.cells.network import HoVerNet, ResidualBlock, TFSamePad
from napari_c2lst.cells.quick import Active, Bound, InFull, Units, folded, to_device

CPU = torch.device("cpu")


def random_norm(norm: nn.BatchNorm2d, seed: int = 0) -> nn.BatchNorm2d:
    """Statistics and factors of all signs, and a factor that is 0."""
    made = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        norm.weight.copy_(torch.rand(norm.num_features, generator=made) * 2 - 0.7)
        norm.weight[0] = 0
        norm.bias.copy_(torch.rand(norm.num_features, generator=made) - 0.5)
        norm.running_mean.copy_(torch.randn(norm.num_features, generator=made) * 0.3)  # type: ignore[union-attr]
        norm.running_var.copy_(torch.rand(norm.num_features, generator=made) + 0.5)  # type: ignore[union-attr]
    return norm.eval()


def random_net(**values: Any) -> HoVerNet:
    torch.manual_seed(1)
    net = HoVerNet(**{"nr_types": 5, "width": 1 / 16, **values}).eval().requires_grad_(False)
    for seed, part in enumerate(m for m in net.modules() if isinstance(m, nn.BatchNorm2d)):
        random_norm(part, seed)
    return net


def images(px: int, n: int = 2) -> torch.Tensor:
    made = torch.Generator().manual_seed(2)
    return torch.randint(0, 256, (n, 3, px, px), generator=made).float()


def assert_near(found: dict[str, torch.Tensor], wanted: dict[str, torch.Tensor], part: float = 1e-4) -> None:
    assert set(found) == set(wanted)
    for name, each in wanted.items():
        assert found[name].shape == each.shape
        assert (found[name] - each).abs().max() <= part * each.abs().max(), name


@pytest.fixture(scope="module")
def net() -> HoVerNet:
    return random_net()


@pytest.mark.parametrize(
    ("mode", "px", "types"), [("fast", 104, 5), ("fast", 112, None), ("original", 198, 3)], ids=str
)
@torch.inference_mode()
def test_the_function_is_the_same(mode: Any, px: int, types: int | None) -> None:
    whole = random_net(mode=mode, nr_types=types)
    assert_near(folded(whole)(images(px)), whole(images(px)))


@torch.inference_mode()
def test_without_the_fused_convolutions_too(net: HoVerNet, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a GPU, or where oneDNN is not there."""
    monkeypatch.setattr(quick, "_fusible", lambda x: False)
    assert_near(folded(net)(images(104)), net(images(104)))


@torch.inference_mode()
def test_groups_that_are_wide_enough_stay() -> None:
    """At the official width each group has 32 channels; here a network between the two."""
    wide = random_net(width=0.5)
    groups = {m.groups for m in folded(wide).modules() if isinstance(m, nn.Conv2d)}
    assert groups == {1, 4}
    assert {m.groups for m in folded(random_net(width=0.25)).modules() if isinstance(m, nn.Conv2d)} == {1}


@torch.inference_mode()
def test_the_network_that_is_given_stays_as_it_is(net: HoVerNet) -> None:
    before = {name: value.clone() for name, value in net.state_dict().items()}
    wanted = net(images(104))
    quicker = to_device(folded(net), CPU, torch.bfloat16)
    quicker(images(104).bfloat16())
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert_near(net(images(104)), wanted, 0)
    assert net.white == 255


@torch.inference_mode()
def test_the_image_is_not_written_into(net: HoVerNet) -> None:
    image = images(104)
    kept = image.clone()
    folded(net)(image)
    assert torch.equal(image, kept)


def test_nothing_is_left_to_do_twice(net: HoVerNet) -> None:
    parts = list(folded(net).modules())
    norms = [m for m in parts if isinstance(m, nn.BatchNorm2d)]
    assert len(norms) == 4, "one at the end of each residual block: what it gives is used twice"
    assert not [m for m in parts if isinstance(m, nn.Identity)]
    pads = [m for m in parts if isinstance(m, TFSamePad)]
    assert {m.stride for m in pads} == {2}
    assert len(pads) == 3


@torch.inference_mode()
def test_maps_in_bf16_are_not_rounded_to_it(net: HoVerNet) -> None:
    maps = to_device(folded(net), CPU, torch.bfloat16)(images(104).bfloat16())
    for name, each in maps.items():
        assert each.dtype == torch.float32
        assert not torch.equal(each, each.bfloat16().float()), name


@torch.inference_mode()
def test_bf16_is_near_the_network(net: HoVerNet) -> None:
    wanted = net(images(104))
    found = to_device(folded(net), CPU, torch.bfloat16)(images(104).bfloat16())
    for name, each in wanted.items():
        assert (found[name] - each).abs().mean() < 0.1 * each.std(), name


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_in_fp32_no_layer_changes_its_format(net: HoVerNet, dtype: torch.dtype) -> None:
    there = to_device(folded(net), CPU, dtype)
    lifts = sum(isinstance(m, InFull) for m in there.modules())
    assert lifts == (3 if dtype == torch.bfloat16 else 0)
    convs = [m for m in there.modules() if isinstance(m, nn.Conv2d)]
    assert {m.weight.dtype for m in convs} == {torch.float32, dtype}


@pytest.mark.parametrize("sign", [1, -1, 0])
@torch.inference_mode()
def test_a_bound_and_a_convolution_are_norm_relu_and_convolution(sign: int) -> None:
    torch.manual_seed(0)
    block = nn.Sequential(random_norm(nn.BatchNorm2d(8)), nn.ReLU(), nn.Conv2d(8, 4, 1)).eval()
    with torch.no_grad():
        block[0].weight.copy_(block[0].weight.abs() * sign)
    x = torch.randn(2, 8, 5, 5) * 3
    wanted = block(x)
    quick._fold_norms(block)
    assert isinstance(block[0], Bound)
    assert block[0].above == (sign >= 0)
    torch.testing.assert_close(block(x), wanted, atol=1e-5, rtol=1e-5)


@torch.inference_mode()
def test_a_norm_before_a_padded_convolution_stays() -> None:
    """Zeros are added after the ReLU: they are no values below the bound."""
    block = nn.Sequential(random_norm(nn.BatchNorm2d(4)), nn.ReLU(), nn.Conv2d(4, 4, 3, padding=1)).eval()
    x = torch.randn(1, 4, 6, 6)
    wanted = block(x)
    quick._fold_norms(block)
    assert isinstance(block[0], nn.BatchNorm2d)
    torch.testing.assert_close(block(x), wanted)


@pytest.mark.parametrize("fused", [True, False])
@torch.inference_mode()
def test_a_residual_block(fused: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick, "_fusible", lambda x: fused)
    torch.manual_seed(0)
    block = ResidualBlock(8, (4, 4, 16), units=3, stride=2).eval()
    x = torch.randn(2, 8, 12, 12)
    kept = x.clone()
    torch.testing.assert_close(Units(block)(x), block(x), atol=1e-4, rtol=1e-4)
    assert torch.equal(x, kept), "sums are made in place, but not in what came in"


@pytest.mark.parametrize("groups", [2, 4])
@torch.inference_mode()
def test_groups_joined(groups: int) -> None:
    torch.manual_seed(0)
    conv = nn.Conv2d(8, 12, 3, groups=groups)
    x = torch.randn(1, 8, 7, 7)
    wanted = conv(x)
    quick._join_groups(conv)
    assert conv.groups == 1
    torch.testing.assert_close(conv(x), wanted, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("fused", [True, False])
@torch.inference_mode()
def test_an_active_convolution(fused: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick, "_fusible", lambda x: fused)
    torch.manual_seed(0)
    conv = nn.Conv2d(3, 5, 3, stride=2, padding=1)
    x = torch.randn(2, 3, 9, 9)
    found = Active(conv)(x)
    torch.testing.assert_close(found, conv(x).relu(), atol=1e-5, rtol=1e-5)
    assert (found == 0).any()


class TestOtherVersionsOfTorch:
    """The fused convolutions are no promise of torch."""

    @pytest.fixture(autouse=True)
    def asked_anew(self) -> Iterator[None]:
        quick.fused_convolutions_work.cache_clear()
        yield
        quick.fused_convolutions_work.cache_clear()

    def test_here_they_work(self) -> None:
        assert quick.fused_convolutions_work()

    @pytest.mark.parametrize("error", [AttributeError, RuntimeError, TypeError])
    def test_where_they_are_not_there_the_network_works_without(
        self, monkeypatch: pytest.MonkeyPatch, net: HoVerNet, error: type[Exception]
    ) -> None:
        def gone(*args: object) -> None:
            raise error

        with torch.inference_mode():
            with_them = folded(net)(images(104))
        quick.fused_convolutions_work.cache_clear()
        monkeypatch.setattr(quick, "_active", gone)
        assert not quick.fused_convolutions_work()
        with torch.inference_mode():
            assert_near(folded(net)(images(104)), with_them)

    def test_where_they_do_something_else_they_are_left(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(quick, "_summed", lambda total, x, conv: conv(x))
        assert not quick.fused_convolutions_work()
