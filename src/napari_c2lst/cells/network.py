"""HoVer-Net (Graham et al. 2019, Medical Image Analysis 58) with the names and the numbers of its official weights.

Modules are called as in the official state dicts (`conv0./.weight`, `d0.units.0.conv1/bn.weight`, ...), so that these
load with `strict=True` and nothing is renamed.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Mode = Literal["fast", "original"]

KERNEL: dict[str, int] = {"fast": 3, "original": 5}  # of the decoders' unpadded convolutions
INPUT_PX: dict[str, int] = {"fast": 256, "original": 270}
OUTPUT_PX: dict[str, int] = {"fast": 164, "original": 80}
STRIDE = 8  # a level of features d3 for so many pixels: inputs are 8 n (fast) or 8 n + 6 (original)

_EPS = 1e-5
_GROUPS = 4  # of the dense units' second convolution: channels are multiples of it


class TFSamePad(nn.Module):
    """Zero padding as TensorFlow's SAME does it: where it is odd, the far side has one more.

    Parameters
    ----------
    kernel, stride
        Of the convolution that follows.
    """

    def __init__(self, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) to the size whose unpadded convolution gives ceil(size / stride)."""
        over = x.shape[2] % self.stride
        pad = max(self.kernel - (over or self.stride), 0)
        near, far = pad // 2, pad - pad // 2
        return F.pad(x, (near, far, near, far))


class UpSample2x(nn.Module):
    """Twice the pixels by repetition; the buffer is there because official state dicts have it."""

    unpool_mat: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("unpool_mat", torch.ones(2, 2))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) to (N, C, 2 h, 2 w)."""
        return F.interpolate(x, scale_factor=2.0, mode="nearest")


class ResidualBlock(nn.Module):
    """Pre-activated bottleneck units; the first has no activation before it, since the block before ends with one.

    Parameters
    ----------
    inputs
        Channels that come in.
    channels
        Of the three convolutions of a unit.
    units
        How many units.
    stride
        Of the first unit.
    """

    def __init__(self, inputs: int, channels: Sequence[int], units: int, stride: int) -> None:
        super().__init__()
        narrow, middle, outputs = channels
        self.units = nn.ModuleList()
        for index in range(units):
            step = stride if index == 0 else 1
            unit = nn.Sequential()
            if index > 0:
                _add_norm(unit, "preact", outputs)
            unit.add_module("conv1", _conv(inputs if index == 0 else outputs, narrow, 1))
            _add_norm(unit, "conv1", narrow)
            unit.add_module("conv2/pad", TFSamePad(3, step))
            unit.add_module("conv2", _conv(narrow, middle, 3, stride=step))
            _add_norm(unit, "conv2", middle)
            unit.add_module("conv3", _conv(middle, outputs, 1))
            self.units.append(unit)
        self.shortcut = _conv(inputs, outputs, 1, stride=stride)
        self.blk_bna = _norm(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, h, w) to (N, outputs, h / stride, w / stride)."""
        shortcut = self.shortcut(x)
        for unit in self.units:
            x = unit(x) + shortcut
            shortcut = x
        return self.blk_bna(x)  # type: ignore[no-any-return]


class DenseBlock(nn.Module):
    """Units of two unpadded convolutions, each joined to what came before it.

    Parameters
    ----------
    inputs
        Channels that come in.
    channels
        Of the two convolutions of a unit; each unit adds `channels[1]`.
    units
        How many units.
    kernel
        Of the second convolution: each unit takes `kernel - 1` pixels off height and width.
    """

    def __init__(self, inputs: int, channels: tuple[int, int], units: int, kernel: int) -> None:
        super().__init__()
        self.units = nn.ModuleList()
        for _ in range(units):
            unit = nn.Sequential()
            _add_norm(unit, "preact_bna", inputs)
            unit.add_module("conv1", _conv(inputs, channels[0], 1))
            _add_norm(unit, "conv1", channels[0])
            unit.add_module("conv2", _conv(channels[0], channels[1], kernel, groups=_GROUPS))
            self.units.append(unit)
            inputs += channels[1]
        self.outputs = inputs
        self.blk_bna = _norm(inputs)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, h, w) to (N, outputs, h - units (kernel - 1), ...)."""
        for unit in self.units:
            new = unit(x)
            x = torch.cat([crop_to(x, new), new], dim=1)
        return self.blk_bna(x)  # type: ignore[no-any-return]


class HoVerNet(nn.Module):
    """Nuclei: where they are (np), how they are kept apart (hv) and of which type they are (tp).

    Parameters
    ----------
    mode
        `fast`: 256 px in, 164 px out; `original`: 270 px in, 80 px out.
    nr_types
        Number of types, background included; None: the network has no branch `tp`.
    width
        Factor on all channels; 1.0 is the official network. Channels are rounded to multiples of 4.

    Notes
    -----
    Larger inputs are possible: 8 n px give 8 n - 92 (`fast`), 8 n + 6 px give 8 n - 184 (`original`).
    """

    def __init__(self, mode: Mode = "fast", nr_types: int | None = None, width: float = 1.0) -> None:
        super().__init__()
        if mode not in KERNEL:
            raise ValueError(f"mode is 'fast' or 'original', not {mode!r}")
        if nr_types is not None and nr_types < 2:
            raise ValueError(f"nr_types = {nr_types}: background and at least one type")
        if not 0 < width <= 4:
            raise ValueError(f"width = {width}: a factor on the channels, above 0")
        self.mode: Mode = mode
        self.nr_types = nr_types
        self.width = float(width)
        self.white = 255.0  # what images are divided by
        c = self._channels
        self.conv0 = nn.Sequential()
        if mode == "fast":
            self.conv0.add_module("pad", TFSamePad(7))
        self.conv0.add_module("/", _conv(3, c(64), 7))
        self.conv0.add_module("bn", nn.BatchNorm2d(c(64), eps=_EPS))
        self.conv0.add_module("relu", nn.ReLU(inplace=True))
        self.d0 = ResidualBlock(c(64), (c(64), c(64), c(256)), units=3, stride=1)
        self.d1 = ResidualBlock(c(256), (c(128), c(128), c(512)), units=4, stride=2)
        self.d2 = ResidualBlock(c(512), (c(256), c(256), c(1024)), units=6, stride=2)
        self.d3 = ResidualBlock(c(1024), (c(512), c(512), c(2048)), units=3, stride=2)
        self.conv_bot = _conv(c(2048), c(1024), 1)
        outputs = {"np": 2, "hv": 2} if nr_types is None else {"tp": nr_types, "np": 2, "hv": 2}
        self.decoder = nn.ModuleDict({name: self._branch(n) for name, n in outputs.items()})
        self.upsample2x = UpSample2x()

    def _channels(self, official: int) -> int:
        return max(_GROUPS, _GROUPS * round(official * self.width / _GROUPS))

    def _branch(self, outputs: int) -> nn.Sequential:
        """The decoder of one output."""
        c, kernel = self._channels, KERNEL[self.mode]
        branch = nn.Sequential()
        for name, units, inputs, narrow, wide in (("u3", 8, 1024, 256, 512), ("u2", 4, 512, 128, 256)):
            dense = DenseBlock(c(narrow), (c(128), c(32)), units, kernel)
            stage = nn.Sequential()
            stage.add_module("conva", _conv(c(inputs), c(narrow), kernel))
            stage.add_module("dense", dense)
            stage.add_module("convf", _conv(dense.outputs, c(wide), 1))
            branch.add_module(name, stage)
        u1 = nn.Sequential()
        u1.add_module("conva/pad", TFSamePad(kernel))
        u1.add_module("conva", _conv(c(256), c(64), kernel))
        u0 = _norm(c(64))
        u0.add_module("conv", nn.Conv2d(c(64), outputs, 1))
        branch.add_module("u1", u1)
        branch.add_module("u0", u0)
        return branch

    def encoder_parameters(self) -> Iterator[nn.Parameter]:
        """The weights of `conv0` and `d0` to `d3`, which the first phase of training leaves alone."""
        for part in (self.conv0, self.d0, self.d1, self.d2, self.d3):
            yield from part.parameters()

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Raw maps.

        Parameters
        ----------
        images
            (N, 3, px, px) float, RGB 0 to 255.

        Returns
        -------
        dict
            `tp` (N, nr_types, out, out) logits, only with types; `np` (N, 2, out, out) logits; `hv` (N, 2, out, out):
            the distance to the nucleus's centre, horizontal then vertical, -1 to 1.
        """
        d0 = self.d0(self.conv0(images if self.white == 1 else images / self.white))  # 256 c, px
        d1 = self.d1(d0)  # 512 c, px / 2
        d2 = self.d2(d1)  # 1024 c, px / 4
        d3 = self.conv_bot(self.d3(d2))  # 1024 c, px / 8
        outer, inner = (92, 36) if self.mode == "fast" else (184, 72)
        d0, d1 = crop(d0, outer), crop(d1, inner)
        d2 = self.upsample2x(d3).add_(d2)  # the same for all branches
        maps: dict[str, Tensor] = {}
        for name, (u3, u2, u1, u0) in ((n, branch.children()) for n, branch in self.decoder.items()):
            x = u3(d2)
            x = u2(self.upsample2x(x).add_(d1))
            x = u1(self.upsample2x(x).add_(d0))
            maps[name] = u0(x)
        return maps


def output_px(mode: Mode, input_px: int) -> int:
    """Pixels of the maps for an input of so many pixels.

    Raises
    ------
    ValueError
        If the network cannot take an input of that size.
    """
    margin = INPUT_PX[mode] - OUTPUT_PX[mode]
    rest = 0 if mode == "fast" else 6
    if (input_px - rest) % STRIDE or input_px <= margin:
        raise ValueError(f"mode '{mode}' takes inputs of {STRIDE} n{f' + {rest}' if rest else ''} px above {margin} px")
    return input_px - margin


def crop(x: Tensor, total: int) -> Tensor:
    """Take `total` pixels off height and width, half on each side (the far one has the odd one)."""
    near = total // 2
    height, width = x.shape[2:]
    return x[:, :, near : height - (total - near), near : width - (total - near)]


def crop_to(x: Tensor, other: Tensor) -> Tensor:
    """The middle of `x` that is as large as `other`."""
    return crop(x, x.shape[2] - other.shape[2])


def _conv(inputs: int, outputs: int, kernel: int, *, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    conv = nn.Conv2d(inputs, outputs, kernel, stride, groups=groups, bias=False)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    return conv


def _norm(channels: int) -> nn.Sequential:
    block = nn.Sequential()
    block.add_module("bn", nn.BatchNorm2d(channels, eps=_EPS))
    block.add_module("relu", nn.ReLU(inplace=True))
    return block


def _add_norm(unit: nn.Sequential, name: str, channels: int) -> None:
    unit.add_module(f"{name}/bn", nn.BatchNorm2d(channels, eps=_EPS))
    unit.add_module(f"{name}/relu", nn.ReLU(inplace=True))
