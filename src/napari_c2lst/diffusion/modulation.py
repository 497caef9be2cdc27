"""Feature-wise modulation of a frozen U-Net by gene expression: h' = gamma(G) * h + beta(G), Eq. (9).

Hooks on the GroupNorms of the residual blocks apply it, so that no parameter and no line of the U-Net changes;
gamma starts at 1 and beta at 0, so that a new local model is the central model exactly.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

import torch
from torch import Tensor, nn

from napari_c2lst.common.errors import InputError

Null = Literal["learned", "central"]
Maps = dict[str, tuple[Tensor, Tensor]]
"""Of each modulated normalisation layer: gamma - 1 and beta, (N, C) each, in fp32."""

_PARTS = {"down": "down_blocks.", "mid": "mid_block.", "up": "up_blocks."}


def norm_channels(net: nn.Module, blocks: str = "all") -> dict[str, int]:
    """The normalisation layers to modulate: their names in `net` and their channels.

    Parameters
    ----------
    net
        A network with diffusers' `ResnetBlock2D`s.
    blocks
        "all", or a list with commas of "down", "mid", "up" and (beginnings of) block names such as "up_blocks.0".

    Raises
    ------
    InputError
        If a word selects no residual block; the blocks there are follow in the hint.
    """
    from diffusers.models.resnet import ResnetBlock2D

    found = [name for name, module in net.named_modules() if isinstance(module, ResnetBlock2D)]
    words = [word.strip() for word in blocks.split(",") if word.strip()]
    unknown = [word for word in words if not any(_selected(name, word) for name in found)]
    if unknown or not words:
        hint = f"use all, down, mid, up, or names of {', '.join(found)}"
        raise InputError(f"no residual block is called {', '.join(unknown) or repr(blocks)}", hint)
    chosen = [name for name in found if any(_selected(name, word) for word in words)]
    return {
        f"{name}.{norm}": int(net.get_submodule(f"{name}.{norm}").num_channels)  # type: ignore[arg-type]
        for name in chosen
        for norm in ("norm1", "norm2")
    }


def _selected(name: str, word: str) -> bool:
    # the U-Net may stand inside another module ("unet.up_blocks.0..."): a word matches from any dot on
    prefix = _PARTS.get(word, f"{word}.")
    return word == "all" or f".{name}.".find(f".{prefix}") >= 0


class Modulation(nn.Module):
    """Everything a local model learns: the projection of the expression and the maps to (gamma, beta), Eq. (10).

    Parameters
    ----------
    genes
        Length d of the panel.
    embedding
        Width of the embedding.
    channels
        Names and channels of the normalisation layers, from `norm_channels`.
    null
        What a sample without expression is: "central" = not modulated at all, exactly the central model;
        "learned" = an embedding of its own, trained through conditional dropout.
    """

    def __init__(self, genes: int, embedding: int, channels: Mapping[str, int], null: Null = "learned") -> None:
        super().__init__()
        self.channels = dict(channels)
        self.genes, self.embedding = genes, embedding
        self.project = nn.Linear(genes, embedding)
        self.maps = nn.ModuleDict({_key(name): _norm_map(embedding, c) for name, c in channels.items()})
        self.null = nn.Parameter(torch.zeros(embedding)) if null == "learned" else None

    def forward(self, conditions: Tensor, active: Tensor | None = None) -> Maps:
        """Gamma - 1 and beta of every modulated layer.

        Parameters
        ----------
        conditions
            z-scored expression, (N, d).
        active
            Which samples are conditioned, bool (N,); None = all. The others are the null of this model.
        """
        # fp32 whatever the autocast: it is little work, and bf16 would round the expression
        with torch.autocast(conditions.device.type, enabled=False):
            code = self.project(conditions.float())  # (N, E)
            if active is not None and self.null is not None:
                code = torch.where(active[:, None], code, self.null)  # (N, E)
            return {name: self._map(name, code, active) for name in self.channels}

    def _map(self, name: str, code: Tensor, active: Tensor | None) -> tuple[Tensor, Tensor]:
        shift, beta = self.maps[_key(name)](code).chunk(2, dim=1)  # (N, C), (N, C)
        if active is not None and self.null is None:
            shift, beta = torch.where(active[:, None], shift, 0.0), torch.where(active[:, None], beta, 0.0)
        return shift, beta

    @property
    def null_kind(self) -> Null:
        """What a sample without expression is."""
        return "central" if self.null is None else "learned"


def _key(name: str) -> str:
    return name.replace(".", "/")  # a ModuleDict takes no dots


def _norm_map(embedding: int, channels: int) -> nn.Sequential:
    last = nn.Linear(embedding, 2 * channels)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return nn.Sequential(nn.SiLU(), last)


@contextmanager
def modulated(net: nn.Module, maps: Maps) -> Iterator[None]:
    """Inside, `net` runs modulated; its batch must be that of the maps. Outside it is untouched."""
    handles = [net.get_submodule(name).register_forward_hook(_hook(*pair)) for name, pair in maps.items()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def bind(net: nn.Module, modulation: Modulation, conditions: Tensor, active: Tensor | None = None) -> Iterator[None]:
    """Inside, `net` runs as the local model for these conditions; see `Modulation.forward`."""
    with modulated(net, modulation(conditions, active)):
        yield


def _hook(shift: Tensor, beta: Tensor) -> Any:
    def apply(_module: nn.Module, _inputs: tuple[Tensor, ...], h: Tensor) -> Tensor:
        s, b = (v.to(h.dtype)[:, :, None, None] for v in (shift, beta))
        if h.dtype == torch.float32:
            return (1 + s) * h + b  # (N, C, H, W)
        # near 1 a bf16 gamma knows steps of 1/128 only, gamma - 1 is as exact as h itself
        return torch.addcmul(h, s, h) + b  # (N, C, H, W)

    return apply
