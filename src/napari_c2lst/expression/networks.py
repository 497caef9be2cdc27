"""Networks that read expression off a patch: ResNet-50 as in the paper, and a small residual network for a CPU.

Both take raw patches (0 to 255) and hold their own input normalisation: a stored predictor needs no recipe beside it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from napari_c2lst.common.device import autocast_dtype
from napari_c2lst.common.errors import InputError, first_line
from napari_c2lst.common.hub import no_telemetry

NetworkName = Literal["resnet50", "small"]
SMALL_WIDTHS = (16, 32, 64, 128)

# ImageNet's channel statistics: what pretrained ResNets were trained with, and a fair guess for H&E
_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)
_RESNET_FIELDS = ("embedding_size", "hidden_sizes", "depths", "layer_type", "hidden_act")


class ExpressionNet(nn.Module):
    """A backbone, pooled, and a linear head to d genes.

    Parameters
    ----------
    backbone
        Maps normalised patches (N, 3, px, px) to features (N, width).
    width
        Number of features.
    genes
        Number of genes d.
    architecture
        What `build_network` needs to make the same network again (JSON-able).
    dropout
        Share of pooled features dropped while training. With some tens of spots and noisy counts the network learns
        each spot by heart without it, and ends worse than the median.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self, backbone: nn.Module, width: int, genes: int, architecture: Mapping[str, Any], dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(width, genes)
        self.architecture = dict(architecture)
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1) * 255, persistent=False)
        self.register_buffer("std", torch.tensor(_STD).view(1, 3, 1, 1) * 255, persistent=False)

    def forward(self, patches: Tensor) -> Tensor:
        """Predict expression on the target scale.

        Parameters
        ----------
        patches
            (N, 3, px, px), uint8, or float in the same 0 to 255 range.

        Returns
        -------
        Tensor
            (N, d) float32.
        """
        # (patches - mean) / std, in one pass over memory
        x = torch.addcmul(-self.mean / self.std, patches.to(self.mean.dtype), 1 / self.std)  # N 3 px px
        features = self.backbone(x.contiguous(memory_format=torch.channels_last))  # N width
        # bf16 has three digits: enough for features, not for expression, so the head stays in fp32
        with torch.autocast(features.device.type, enabled=False):
            return self.head(self.dropout(features.float()))  # type: ignore[no-any-return]  # N d

    @torch.no_grad()
    def start_at(self, expression: Tensor) -> None:
        """Make the untrained network predict `expression` (d,) for every patch.

        With the training median this is the best constant under L1, the median baseline: training then starts where
        the baseline stands and spends its few steps on what the image adds, not on finding each gene's level. The
        weights of the head are zero, not small, so that no random direction has to be unlearnt first; they receive
        gradients from step 0, the backbone from step 1.
        """
        self.head.weight.zero_()
        self.head.bias.copy_(expression)


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions and a shortcut (He et al. 2016), with group normalisation.

    Groups, not batches: a batch mixes real and synthetic patches, and the statistics of that mixture fit neither.
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm1 = _norm(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2 = _norm(outputs)
        same = stride == 1 and inputs == outputs
        self.shortcut = (
            nn.Identity() if same else nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), _norm(outputs))
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, h, w) to (N, outputs, h / stride, w / stride)."""
        h = torch.relu(self.norm1(self.conv1(x)))
        return torch.relu(self.norm2(self.conv2(h)) + self.shortcut(x))


def small_backbone(widths: Sequence[int] = SMALL_WIDTHS) -> nn.Sequential:
    """A residual network with one basic block a width, each at half the resolution of the one before.

    Parameters
    ----------
    widths
        Channels of each stage.
    """
    stem = nn.Sequential(nn.Conv2d(3, widths[0], 7, 4, 3, bias=False), _norm(widths[0]), nn.ReLU())  # px / 4
    inputs = (widths[0], *widths[:-1])
    blocks = [BasicBlock(i, o, 1 if n == 0 else 2) for n, (i, o) in enumerate(zip(inputs, widths, strict=True))]
    return nn.Sequential(stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten())


class ResNetBackbone(nn.Module):
    """transformers' ResNet behind the interface of a backbone."""

    def __init__(self, resnet: nn.Module) -> None:
        super().__init__()
        self.resnet = resnet

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, px, px) to (N, 2048)."""
        return self.resnet(x).pooler_output.flatten(1)  # type: ignore[no-any-return]


def build_network(architecture: Mapping[str, Any], genes: int, *, dropout: float = 0.0) -> ExpressionNet:
    """Make an untrained network from its description.

    Parameters
    ----------
    architecture
        `{"name": "small", "widths": [...]}` or `{"name": "resnet50", ...}` with fields of transformers' ResNetConfig.
    genes
        Number of genes d.
    dropout
        Of pooled features, while training.

    Raises
    ------
    InputError
        If there is no network of that name.
    """
    name = architecture.get("name")
    if name == "small":
        widths = tuple(architecture.get("widths", SMALL_WIDTHS))
        return ExpressionNet(small_backbone(widths), widths[-1], genes, {"name": name, "widths": list(widths)}, dropout)
    if name == "resnet50":
        from transformers import ResNetConfig, ResNetModel

        config = ResNetConfig(**{k: architecture[k] for k in _RESNET_FIELDS if k in architecture})
        return _resnet(ResNetModel(config), genes, dropout)
    raise InputError(f"there is no network {name!r}", "use resnet50 or small")


def number_format(device: torch.device, precision: str, architecture: Mapping[str, Any]) -> torch.dtype | None:
    """The number format for a network: as asked for, but 'auto' leaves a small network on a CPU in fp32.

    There bf16 gains it nothing (0.4 ms a patch against 0.2 ms in fp32, one core), and oneDNN's bf16 gradients of
    weights spin while they wait: beside other programs a step then takes seconds.
    """
    if precision == "auto" and device.type == "cpu" and architecture["name"] == "small":
        return None
    return autocast_dtype(device, precision)


def pretrained_resnet(source: str, genes: int, *, allow_download: bool = False, dropout: float = 0.0) -> ExpressionNet:
    """ResNet with pretrained weights from a folder, or from the hub where a download is allowed.

    Parameters
    ----------
    source
        A folder in transformers' format (config.json, model.safetensors), or a hub id such as 'microsoft/resnet-50'.
    genes
        Number of genes d.
    allow_download
        Whether the hub may be asked; without it only what is already on disk (the folder, or the hub's cache) is used.
    dropout
        Of pooled features, while training.

    Raises
    ------
    InputError
        If the weights are not there, are a pickle, or are of another kind of network.
    """
    import transformers
    from safetensors import SafetensorError

    check_pretrained(source, allow_download=allow_download)
    model_class: Any = transformers.ResNetModel
    try:
        with no_telemetry():
            resnet, report = model_class.from_pretrained(
                source, local_files_only=not allow_download, use_safetensors=True, output_loading_info=True
            )
    except (OSError, ValueError, SafetensorError) as error:
        raise InputError(
            f"the pretrained weights '{source}' could not be loaded: {first_line(error)}",
            "give a folder with config.json and model.safetensors, or pass --allow-download",
        ) from error
    if report["missing_keys"]:
        raise InputError(
            f"'{source}' holds no weights of a ResNet", "give a folder such as 'microsoft/resnet-50' gives"
        )
    return _resnet(resnet, genes, dropout)


def check_pretrained(source: str, *, allow_download: bool) -> None:
    """Refuse pretrained weights that cannot be loaded, before any work.

    Raises
    ------
    InputError
        If the folder is not there, has no config.json, or holds its weights as a pickle only.
    """
    folder = Path(source)
    if not folder.exists():
        if allow_download or _cached(source):
            return
        raise InputError(
            f"the pretrained weights '{source}' are not on this computer",
            "name a local folder, or pass --allow-download to fetch them from the hub",
        )
    problems = []
    if not (folder / "config.json").is_file():
        problems.append("has no config.json")
    elif "resnet" not in (folder / "config.json").read_text():
        problems.append("is not a ResNet")
    if not list(folder.glob("*.safetensors")):
        pickled = list(folder.glob("*.bin")) + list(folder.glob("*.pt*"))
        problems.append(f"holds a pickle ('{pickled[0].name}'), which may run code" if pickled else "holds no weights")
    if problems:
        raise InputError(
            f"the folder of pretrained weights '{source}' {' and '.join(problems)}",
            "give a folder with config.json and model.safetensors",
        )


def _cached(hub_id: str) -> bool:
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        return isinstance(try_to_load_from_cache(hub_id, "model.safetensors"), str)
    except HFValidationError:
        return False


def _resnet(resnet: Any, genes: int, dropout: float) -> ExpressionNet:
    fields = {k: getattr(resnet.config, k) for k in _RESNET_FIELDS}
    width = fields["hidden_sizes"][-1]
    return ExpressionNet(ResNetBackbone(resnet), width, genes, {"name": "resnet50", **fields}, dropout)


def _norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(8, channels)
