import copy

import pytest
import torch
from tests.diffusion.tiny import GENES, PX, tiny_central, tiny_modulation

from napari_c2lst.common.errors import InputError
from napari_c2lst.diffusion.modulation import Modulation, bind, modulated, norm_channels


def _inputs(n: int = 3) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(3)
    x = torch.randn(n, 3, PX, PX, generator=draw)
    return x, torch.tensor([5, 500, 999])[:n], torch.randn(n, GENES, generator=draw)


def test_every_residual_block_has_both_norms_with_their_channels() -> None:
    net = tiny_central().net
    channels = norm_channels(net)
    blocks = {name.rsplit(".", 1)[0] for name in channels}
    assert len(channels) == 2 * len(blocks)
    for name, count in channels.items():
        assert net.get_submodule(name).num_channels == count
    # attention has a norm of its own, which is no residual block's
    assert not any("attentions" in name or "conv_norm_out" in name for name in channels)


@pytest.mark.parametrize(("blocks", "part"), [("down", "down_blocks"), ("up", "up_blocks"), ("mid", "mid_block")])
def test_blocks_are_selected_by_part(blocks: str, part: str) -> None:
    net = tiny_central().net
    chosen = norm_channels(net, blocks)
    assert chosen == {name: c for name, c in norm_channels(net).items() if part in name}
    assert chosen


def test_blocks_are_selected_by_name_and_combined() -> None:
    net = tiny_central().net
    one = norm_channels(net, "up_blocks.0.resnets.0")
    assert len(one) == 2
    assert norm_channels(net, "mid, up_blocks.0.resnets.0") == {**norm_channels(net, "mid"), **one}
    assert set(norm_channels(net, "unet.up_blocks.0")) > set(one)


@pytest.mark.parametrize("blocks", ["sideways", "up_blocks.7", "", "up,bottom"])
def test_an_unknown_block_is_refused_with_the_names_there_are(blocks: str) -> None:
    with pytest.raises(InputError, match="no residual block") as caught:
        norm_channels(tiny_central().net, blocks)
    assert "up_blocks.0" in caught.value.hint


@pytest.mark.parametrize("null", ["learned", "central"])
@pytest.mark.parametrize("dtype", [None, torch.bfloat16])
def test_a_new_local_model_is_the_central_model_bit_for_bit(null: str, dtype: torch.dtype | None) -> None:
    central = tiny_central()
    modulation = tiny_modulation(central, null)
    x, t, g = _inputs()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=dtype is not None):
        plain = central.net(x, t)
        with bind(central.net, modulation, g):
            same = central.net(x, t)
        with bind(central.net, modulation, g, torch.tensor([True, False, True])):
            masked = central.net(x, t)
    assert torch.equal(plain, same)
    assert torch.equal(plain, masked)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_hook_is_equation_9(dtype: torch.dtype) -> None:
    net = torch.nn.Module()
    net.norm = torch.nn.GroupNorm(2, 4).to(dtype)
    x = torch.randn(2, 4, 3, 3, generator=torch.Generator().manual_seed(0)).to(dtype)
    gamma, beta = torch.randn(2, 4), torch.randn(2, 4)
    plain = net.norm(x)
    with modulated(net, {"norm": (gamma - 1, beta)}):
        out = net.norm(x)
    expected = gamma[:, :, None, None] * plain.float() + beta[:, :, None, None]
    assert out.dtype == dtype
    assert torch.allclose(out.float(), expected, atol=1e-6 if dtype == torch.float32 else 0.05)
    assert torch.equal(net.norm(x), plain)  # the hook is gone


def test_a_small_gamma_is_not_rounded_away_in_bf16() -> None:
    net = torch.nn.Module()
    net.norm = torch.nn.Identity()
    h = (1 + torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(0))).to(torch.bfloat16)
    assert torch.tensor(1.003).to(torch.bfloat16) == 1
    with modulated(net, {"norm": (torch.full((1, 1), 0.003), torch.zeros(1, 1))}):
        ratio = net.norm(h).float().mean() / h.float().mean()
    assert float(ratio) == pytest.approx(1.003, abs=0.0015)


def test_hooks_go_even_when_the_network_fails() -> None:
    central = tiny_central()
    modulation = tiny_modulation(central, learned=True)
    x, t, g = _inputs()
    with torch.no_grad():
        plain = central.net(x, t)
        with pytest.raises(RuntimeError), bind(central.net, modulation, g[:2]):  # two conditions for three patches
            central.net(x, t)
        assert torch.equal(central.net(x, t), plain)


def test_inactive_samples_are_exactly_the_central_model() -> None:
    central = tiny_central()
    modulation = tiny_modulation(central, "central", learned=True)
    x, t, g = _inputs()
    with torch.no_grad():
        plain = central.net(x, t)
        with bind(central.net, modulation, g, torch.tensor([True, False, True])):
            out = central.net(x, t)
    assert torch.equal(out[1], plain[1])
    assert not torch.allclose(out[0], plain[0])


def test_a_learned_null_does_not_depend_on_the_condition() -> None:
    central = tiny_central()
    modulation = tiny_modulation(central, "learned", learned=True)
    _, _, g = _inputs()
    off = torch.zeros(3, dtype=torch.bool)
    first, second = modulation(g, off), modulation(-7 * g, off)
    on = modulation(g)
    for name in modulation.channels:
        assert torch.equal(first[name][0], second[name][0])
        assert torch.equal(first[name][1][0], first[name][1][1])
        assert not torch.allclose(on[name][0], first[name][0])


def test_only_the_modulation_gets_gradients_and_the_central_model_stays() -> None:
    central = tiny_central()
    before = copy.deepcopy(central.net.state_dict())
    modulation = tiny_modulation(central)
    optimizer = torch.optim.AdamW(modulation.parameters(), lr=0.1)
    x, t, g = _inputs()
    for _ in range(3):
        optimizer.zero_grad()
        with bind(central.net, modulation, g, torch.tensor([True, False, True])):
            central.net(x, t).square().mean().backward()
        optimizer.step()
    assert all(p.grad is None for p in central.net.parameters())
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in modulation.parameters())
    after = central.net.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_the_maps_are_fp32_under_autocast() -> None:
    modulation = Modulation(GENES, 4, {"a.norm1": 8})
    with torch.autocast("cpu", torch.bfloat16):
        gamma, beta = modulation(torch.randn(2, GENES))["a.norm1"]
    assert gamma.dtype == beta.dtype == torch.float32
    assert gamma.shape == (2, 8)
