"""The same network in fewer passes over memory, for inference: what a narrow network loses, it loses there.

Exact rewritings of the function (up to rounding): batch normalisations that follow a convolution become part of it;
one before a convolution of 1 x 1 becomes a bound on its input, max(x, -t) + t, whose rest goes into that convolution;
the division by 255 goes into the first one, which so sees whole numbers; padding that is the same on all sides, and
groups of few channels, are left to the convolution. On the CPU, activations and sums are done as it writes its result.
The last layer stays in fp32: its rounding would be that of the maps.
"""

import copy
import itertools
from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from .network import DenseBlock, HoVerNet, ResidualBlock, TFSamePad

_LEAST_GROUP = 16  # channels of a group below which one dense convolution is faster


class Bound(nn.Module):
    """Keeps each channel above or below a value: what is left of a normalisation and its ReLU."""

    lowest: Tensor
    highest: Tensor

    def __init__(self, norm: nn.BatchNorm2d) -> None:
        super().__init__()
        scale, shift = _affine(norm)
        still = scale == 0
        turn = torch.where(still, torch.zeros_like(shift), -shift / torch.where(still, torch.ones_like(scale), scale))
        infinite = torch.full_like(turn, float("inf"))
        lowest = torch.where(scale > 0, turn, -infinite)
        highest = torch.where(scale < 0, turn, infinite)
        self.register_buffer("lowest", lowest[None, :, None, None])
        self.register_buffer("highest", highest[None, :, None, None])
        self.above = bool((scale >= 0).all())

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) to the same."""
        if self.above:
            return torch.maximum(x, self.lowest)
        return torch.clamp(x, self.lowest, self.highest)


class Active(nn.Module):
    """A convolution whose ReLU is done as its result is written (CPU), or after it."""

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self.conv = conv

    def forward(self, x: Tensor) -> Tensor:
        """As the convolution."""
        if not _fusible(x):
            return F.relu_(self.conv(x))
        return _active(x, self.conv)


class Units(nn.Module):
    """A block of residual units, each added to what came before as its last convolution is written."""

    def __init__(self, block: ResidualBlock) -> None:
        super().__init__()
        self.shortcut, self.last = block.shortcut, block.blk_bna
        self.inner = nn.ModuleList(nn.Sequential(*list(unit.children())[:-1]) for unit in block.units)
        self.outer = nn.ModuleList(list(unit.children())[-1] for unit in block.units)

    def forward(self, x: Tensor) -> Tensor:
        """As `ResidualBlock`."""
        total = self.shortcut(x)
        for inner, outer in zip(self.inner, self.outer, strict=True):
            x = total = _added(total, inner(x), outer)
        return self.last(x)  # type: ignore[no-any-return]


class InFull(nn.Module):
    """What follows works in fp32."""

    def forward(self, x: Tensor) -> Tensor:
        """The same in fp32."""
        return x.float()


def folded(net: HoVerNet) -> HoVerNet:
    """A copy for inference in fp32: the same function in fewer passes (see above)."""
    net = copy.deepcopy(net).eval().requires_grad_(False)
    for block in list(net.modules()):
        if isinstance(block, nn.Sequential):
            _fold_norms(block)
            _fold_pads(block)
            _fuse_activations(block)
    for block in list(net.modules()):
        if isinstance(block, nn.Sequential) and isinstance(getattr(block, "dense", None), DenseBlock):
            _fold_last(block)
    for conv in net.modules():
        if isinstance(conv, nn.Conv2d) and conv.groups > 1 and conv.in_channels // conv.groups < _LEAST_GROUP:
            _join_groups(conv)
    for name in ("d0", "d1", "d2", "d3"):
        setattr(net, name, Units(getattr(net, name)))
    first = next(m for m in net.conv0.modules() if isinstance(m, nn.Conv2d))
    first.weight = nn.Parameter(first.weight / net.white, requires_grad=False)
    net.white = 1.0
    return net


def to_device(net: HoVerNet, device: torch.device, dtype: torch.dtype) -> HoVerNet:
    """A folded network at its place and in its number format; statistics and the last layer stay in fp32."""
    net = net.to(device, dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]
    if dtype != torch.float32:
        for branch in net.decoder.values():
            last = branch.get_submodule("u0").float()
            branch.add_module("u0", nn.Sequential(InFull(), *last.children()))
    return net


def _affine(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Scale and shift (C,) of a normalisation whose statistics are known."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
    return scale, norm.bias - norm.running_mean * scale


def _fold_norms(block: nn.Sequential) -> None:
    """Normalisations after a convolution into it; those before one of 1 x 1 into a bound and it."""
    names = list(block._modules)
    for name, following in itertools.pairwise(names):
        conv, norm = block._modules[name], block._modules[following]
        if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            block._modules[name] = fuse_conv_bn_eval(conv, norm)
            block._modules[following] = nn.Identity()
    for name, middle, following in zip(names, names[1:], names[2:], strict=False):
        norm, relu, conv = (block._modules[n] for n in (name, middle, following))
        if isinstance(norm, nn.BatchNorm2d) and isinstance(relu, nn.ReLU) and _pointwise(conv):
            assert isinstance(conv, nn.Conv2d)
            _take_rest(conv, norm)
            block._modules[name], block._modules[middle] = Bound(norm), nn.Identity()


def _pointwise(conv: Any) -> bool:
    return isinstance(conv, nn.Conv2d) and conv.kernel_size == (1, 1) and conv.padding == (0, 0) and conv.groups == 1


def _take_rest(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
    """relu(s x + b) = s bound(x) + b, and relu(b) where s = 0: the convolution takes s and b."""
    scale, shift = _affine(norm)
    rest = torch.where(scale == 0, shift.clamp(min=0), shift)
    weight = conv.weight[:, :, 0, 0]
    bias = weight @ rest
    conv.bias = nn.Parameter(bias if conv.bias is None else conv.bias + bias, requires_grad=False)
    conv.weight = nn.Parameter(conv.weight * scale[None, :, None, None], requires_grad=False)


def _fold_last(stage: nn.Sequential) -> None:
    """The normalisation at the end of a dense block into the convolution that follows the block."""
    dense, conv = stage.dense, stage.convf
    assert isinstance(dense, DenseBlock)
    assert isinstance(conv, nn.Conv2d)
    norm = next(iter(dense.blk_bna.children()))
    assert isinstance(norm, nn.BatchNorm2d)
    _take_rest(conv, norm)
    dense.blk_bna = nn.Sequential(Bound(norm))


def _fold_pads(block: nn.Sequential) -> None:
    for name, following in itertools.pairwise(list(block._modules)):
        pad, conv = block._modules[name], block._modules[following]
        if isinstance(pad, TFSamePad) and isinstance(conv, nn.Conv2d) and pad.stride == 1 and pad.kernel % 2:
            conv.padding = (pad.kernel // 2, pad.kernel // 2)
            block._modules[name] = nn.Identity()


def _fuse_activations(block: nn.Sequential) -> None:
    parts = [(name, part) for name, part in block.named_children() if not isinstance(part, nn.Identity)]
    kept: dict[str, nn.Module] = {}
    for index, (name, part) in enumerate(parts):
        following = parts[index + 1][1] if index + 1 < len(parts) else None
        if isinstance(part, nn.Conv2d) and isinstance(following, nn.ReLU):
            kept[name] = Active(part)
        elif not (isinstance(part, nn.ReLU) and kept and isinstance(list(kept.values())[-1], Active)):
            kept[name] = part
    block._modules.clear()
    block._modules.update(kept)


def _join_groups(conv: nn.Conv2d) -> None:
    """One dense convolution with zeros between the groups."""
    outputs, inputs = conv.out_channels // conv.groups, conv.in_channels // conv.groups
    dense = conv.weight.new_zeros(conv.out_channels, conv.in_channels, *conv.kernel_size)
    for group in range(conv.groups):
        rows, columns = slice(group * outputs, (group + 1) * outputs), slice(group * inputs, (group + 1) * inputs)
        dense[rows, columns] = conv.weight[rows]
    conv.weight, conv.groups = nn.Parameter(dense, requires_grad=False), 1


def _fusible(x: Tensor) -> bool:
    return x.device.type == "cpu" and not x.requires_grad and fused_convolutions_work()


@lru_cache
def fused_convolutions_work() -> bool:
    """Whether this build of torch has oneDNN's fused convolutions, and they do what they are taken for.

    They are torch's own, for what it compiles, and no promise: a version that changes them is slower here, not wrong.
    """
    draw = torch.Generator().manual_seed(0)
    x, total = torch.randn(1, 8, 4, 4, generator=draw), torch.randn(1, 8, 4, 4, generator=draw)
    with torch.random.fork_rng(devices=[]):  # the caller's random numbers stay his
        conv = nn.Conv2d(8, 8, 1).requires_grad_(False)
    plain, plain_sum = F.relu(conv(x)), total + conv(x)
    try:
        return torch.allclose(_active(x, conv), plain, atol=1e-5) and torch.allclose(
            _summed(total.clone(), x, conv), plain_sum, atol=1e-5
        )
    except (AttributeError, RuntimeError, TypeError):
        return False


def _active(x: Tensor, c: nn.Conv2d) -> Tensor:
    """`relu(c(x))` in one pass."""
    out: Tensor = torch.ops.mkldnn._convolution_pointwise(
        x, c.weight, c.bias, c.padding, c.stride, c.dilation, c.groups, "relu", [], ""
    )
    return out


def _summed(total: Tensor, x: Tensor, c: nn.Conv2d) -> Tensor:
    """`total + c(x)` in one pass, written into `total`."""
    torch.ops.mkldnn._convolution_pointwise_.binary(
        total, x, c.weight, c.bias, c.padding, c.stride, c.dilation, c.groups, "add", None, None, [], None
    )
    return total


def _added(total: Tensor, x: Tensor, conv: nn.Module) -> Tensor:
    """`total + conv(x)`, in place."""
    if not (_fusible(x) and isinstance(conv, nn.Conv2d)):
        return total.add_(conv(x))
    return _summed(total, x, conv)
