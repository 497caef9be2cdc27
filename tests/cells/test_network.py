"""HoVer-Net: official names, sizes, numbers of parameters, and numbers."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from napari_c2lst.cells.network import HoVerNet, TFSamePad, UpSample2x, crop, output_px


def on_meta(**settings: object) -> HoVerNet:
    with torch.device("meta"):
        return HoVerNet(**settings)  # type: ignore[arg-type]


def test_names_and_shapes_are_the_official_ones(shared: Path) -> None:
    lines = (shared.parent / "reference" / "hovernet_fast_state_dict_keys.txt").read_text().splitlines()
    official: dict[str, str] = dict(line.split("\t") for line in lines if line)  # type: ignore[misc]
    ours = {name: str(tuple(tensor.shape)) for name, tensor in on_meta(mode="fast", nr_types=6).state_dict().items()}
    assert ours == official


@pytest.mark.parametrize(("mode", "types", "millions"), [("fast", 6, 37.64), ("original", 6, 54.74)])
def test_numbers_of_parameters(mode: str, types: int, millions: float) -> None:
    count = sum(p.numel() for p in on_meta(mode=mode, nr_types=types).parameters())
    assert round(count / 1e6, 2) == millions


@pytest.mark.parametrize(("mode", "px", "out"), [("fast", 256, 164), ("original", 270, 80), ("fast", 320, 228)])
def test_sizes_of_the_maps(mode: str, px: int, out: int) -> None:
    net = HoVerNet(mode=mode, nr_types=5, width=1 / 16).eval()  # type: ignore[arg-type]
    with torch.inference_mode():
        maps = net(torch.rand(1, 3, px, px) * 255)
    assert {name: tuple(m.shape) for name, m in maps.items()} == {
        "tp": (1, 5, out, out),
        "np": (1, 2, out, out),
        "hv": (1, 2, out, out),
    }
    assert list(maps) == ["tp", "np", "hv"]
    assert output_px(net.mode, px) == out


@pytest.mark.parametrize(("mode", "px"), [("fast", 250), ("original", 256), ("fast", 88)])
def test_sizes_it_cannot_take(mode: str, px: int) -> None:
    with pytest.raises(ValueError, match="takes inputs of 8 n"):
        output_px(mode, px)  # type: ignore[arg-type]


def test_without_types_there_is_no_branch_for_them() -> None:
    net = on_meta(nr_types=None)
    assert list(net.decoder) == ["np", "hv"]
    assert not [name for name in net.state_dict() if ".tp." in name]


@pytest.mark.parametrize("settings", [{"mode": "slow"}, {"nr_types": 1}, {"width": 0}])
def test_settings_that_make_no_network(settings: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"mode|nr_types|width"):
        HoVerNet(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("width", [0.1, 0.25, 0.3, 1 / 3])
def test_any_width_fits_together(width: float) -> None:
    with torch.inference_mode():
        maps = HoVerNet(nr_types=3, width=width).eval()(torch.zeros(1, 3, 104, 104))
    assert maps["tp"].shape == (1, 3, 12, 12)


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "near", "far"),
    [(8, 3, 1, 1, 1), (8, 3, 2, 0, 1), (9, 3, 2, 1, 1), (8, 7, 1, 3, 3), (8, 5, 1, 2, 2)],
)
def test_padding_is_that_of_tensorflow(size: int, kernel: int, stride: int, near: int, far: int) -> None:
    padded = TFSamePad(kernel, stride)(torch.ones(1, 1, size, size))[0, 0]
    assert padded.shape == (size + near + far, size + near + far)
    assert float(padded[:near].sum() + padded[len(padded) - far :].sum()) == 0
    assert padded[near : near + size, near : near + size].min() == 1


def test_upsampling_repeats_pixels() -> None:
    x = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    wanted = [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]
    assert UpSample2x()(x)[0, 0].tolist() == wanted


def test_crops_are_centred() -> None:
    x = torch.arange(36.0).view(1, 1, 6, 6)
    assert crop(x, 4)[0, 0].tolist() == [[14, 15], [20, 21]]
    assert crop(x, 3).shape == (1, 1, 3, 3)
    assert float(crop(x, 3)[0, 0, 0, 0]) == 7


def bn(x: Tensor, w: dict[str, Tensor], name: str) -> Tensor:
    parts = ("running_mean", "running_var", "weight", "bias")
    mean, var, weight, bias = (w[f"{name}.{part}"][:, None, None] for part in parts)
    return (x - mean) / torch.sqrt(var + 1e-5) * weight + bias


def residual(x: Tensor, w: dict[str, Tensor], name: str, units: int, stride: int) -> Tensor:
    shortcut = F.conv2d(x, w[f"{name}.shortcut.weight"], stride=stride)
    for i in range(units):
        unit, step = f"{name}.units.{i}", stride if i == 0 else 1
        new = x if i == 0 else F.relu(bn(x, w, f"{unit}.preact/bn"))
        new = F.relu(bn(F.conv2d(new, w[f"{unit}.conv1.weight"]), w, f"{unit}.conv1/bn"))
        new = F.pad(new, (1, 1, 1, 1) if step == 1 else (0, 1, 0, 1))
        new = F.relu(bn(F.conv2d(new, w[f"{unit}.conv2.weight"], stride=step), w, f"{unit}.conv2/bn"))
        x = shortcut = F.conv2d(new, w[f"{unit}.conv3.weight"]) + shortcut
    return F.relu(bn(x, w, f"{name}.blk_bna.bn"))


def dense(x: Tensor, w: dict[str, Tensor], name: str, units: int, lost: int) -> Tensor:
    for i in range(units):
        unit = f"{name}.units.{i}"
        new = F.relu(bn(x, w, f"{unit}.preact_bna/bn"))
        new = F.relu(bn(F.conv2d(new, w[f"{unit}.conv1.weight"]), w, f"{unit}.conv1/bn"))
        new = F.conv2d(new, w[f"{unit}.conv2.weight"], groups=4)
        side = lost // 2
        x = torch.cat([x[:, :, side:-side, side:-side], new], 1)
    return F.relu(bn(x, w, f"{name}.blk_bna.bn"))


def double(x: Tensor) -> Tensor:
    return x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)


def written_out(w: dict[str, Tensor], images: Tensor, mode: str, branch: str) -> Tensor:
    """The network of the paper as one function of its weights, in plain functional calls."""
    fast = mode == "fast"
    x = F.pad(images / 255, (3, 3, 3, 3)) if fast else images / 255
    x = F.relu(bn(F.conv2d(x, w["conv0./.weight"]), w, "conv0.bn"))
    d0 = residual(x, w, "d0", 3, 1)
    d1 = residual(d0, w, "d1", 4, 2)
    d2 = residual(d1, w, "d2", 6, 2)
    d3 = F.conv2d(residual(d2, w, "d3", 3, 2), w["conv_bot.weight"])
    a, b, lost, pad = (46, 18, 2, 1) if fast else (92, 36, 4, 2)
    name = f"decoder.{branch}"
    x = F.conv2d(double(d3) + d2, w[f"{name}.u3.conva.weight"])
    x = F.conv2d(dense(x, w, f"{name}.u3.dense", 8, lost), w[f"{name}.u3.convf.weight"])
    x = F.conv2d(double(x) + d1[:, :, b:-b, b:-b], w[f"{name}.u2.conva.weight"])
    x = F.conv2d(dense(x, w, f"{name}.u2.dense", 4, lost), w[f"{name}.u2.convf.weight"])
    x = F.pad(double(x) + d0[:, :, a:-a, a:-a], (pad, pad, pad, pad))
    x = F.relu(bn(F.conv2d(x, w[f"{name}.u1.conva.weight"]), w, f"{name}.u0.bn"))
    return F.conv2d(x, w[f"{name}.u0.conv.weight"], w[f"{name}.u0.conv.bias"])


@pytest.mark.parametrize(("mode", "px"), [("fast", 144), ("original", 214)])
def test_numbers_are_those_of_the_network_written_out(mode: str, px: int) -> None:
    torch.manual_seed(0)
    net = HoVerNet(mode=mode, nr_types=3, width=1 / 16).eval().double()  # type: ignore[arg-type]
    for module in net.modules():  # statistics of a trained network: neither 0 nor 1
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean = torch.randn_like(module.bias) * 0.1
            module.running_var = torch.rand_like(module.bias) + 0.5
            torch.nn.init.normal_(module.weight, 1, 0.2)
            torch.nn.init.normal_(module.bias, 0, 0.2)
    images = torch.rand(1, 3, px, px, dtype=torch.float64) * 255
    with torch.inference_mode():
        maps = net(images)
        for branch, found in maps.items():
            torch.testing.assert_close(found, written_out(net.state_dict(), images, mode, branch), atol=1e-9, rtol=1e-9)


def test_encoder_is_what_the_first_phase_leaves_alone() -> None:
    net = on_meta(width=0.25, nr_types=2)
    encoder = {id(p) for p in net.encoder_parameters()}
    names = {name.split(".")[0] for name, p in net.named_parameters() if id(p) in encoder}
    assert names == {"conv0", "d0", "d1", "d2", "d3"}
    assert {n.split(".")[0] for n, p in net.named_parameters() if id(p) not in encoder} == {"conv_bot", "decoder"}
