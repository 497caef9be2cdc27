"""HoVer-Net's losses (Graham et al. 2019, Eq. (2) to (6)), each of its parts with a name.

np and tp: cross-entropy and Dice. hv: squared error of the distances, and of their gradients inside nuclei.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

KERNEL_PX = 5
_SMOOTH = 1e-3
_TINY = 1e-8


def hovernet_losses(maps: dict[str, Tensor], targets: dict[str, Tensor]) -> dict[str, Tensor]:
    """All parts of the loss; what is minimised is their sum.

    Parameters
    ----------
    maps
        Raw maps of the network: `np` (N, 2, out, out), `hv` (N, 2, out, out), `tp` (N, types, out, out) if it has any.
    targets
        `np` (N, out, out) int64, `hv` (N, 2, out, out) float, `tp` (N, out, out) int64.

    Returns
    -------
    dict
        Scalars `np_bce`, `np_dice`, `hv_mse`, `hv_msge`, `tp_bce`, `tp_dice`.
    """
    distances = maps["hv"].float()
    parts = {
        **_class_losses("np", maps["np"].float(), targets["np"]),
        "hv_mse": F.mse_loss(distances, targets["hv"]),
        "hv_msge": gradient_loss(distances, targets["hv"], targets["np"]),
    }
    if "tp" in maps:
        parts |= _class_losses("tp", maps["tp"].float(), targets["tp"])
    return parts


def _class_losses(name: str, logits: Tensor, truth: Tensor) -> dict[str, Tensor]:
    return {f"{name}_bce": F.cross_entropy(logits, truth), f"{name}_dice": dice_loss(logits, truth)}


def dice_loss(logits: Tensor, truth: Tensor) -> Tensor:
    """1 - Dice of each class over the whole batch, summed over the classes, Eq. (6).

    Parameters
    ----------
    logits
        (N, C, h, w).
    truth
        (N, h, w) int64 in 0..C-1.
    """
    likely = logits.softmax(1)
    true = F.one_hot(truth, logits.shape[1]).permute(0, 3, 1, 2).to(likely.dtype)
    both = (likely * true).sum((0, 2, 3))
    sizes = likely.sum((0, 2, 3)) + true.sum((0, 2, 3))
    return (1 - (2 * both + _SMOOTH) / (sizes + _SMOOTH)).sum()


def gradient_loss(predicted: Tensor, true: Tensor, nucleus: Tensor) -> Tensor:
    """Squared error of gradients inside nuclei: horizontal of the horizontal map, vertical of the vertical, Eq. (4).

    Parameters
    ----------
    predicted, true
        (N, 2, h, w), horizontal first.
    nucleus
        (N, h, w), 1 inside nuclei.
    """
    focus = nucleus.unsqueeze(1).to(predicted.dtype)
    error = (gradients(predicted - true) ** 2) * focus  # the gradient of a difference is the difference of gradients
    return error.sum() / (2 * focus.sum() + _TINY)


def gradients(distances: Tensor) -> Tensor:
    """(N, 2, h, w) -> (N, 2, h, w): along x of the first map, along y of the second; zeros beyond the edge."""
    along_x = sobel_kernel().to(distances)
    kernels = torch.stack([along_x, along_x.T]).unsqueeze(1)  # 2 1 5 5
    return F.conv2d(distances, kernels, padding=KERNEL_PX // 2, groups=2)


def sobel_kernel(px: int = KERNEL_PX) -> Tensor:
    """(px, px): x / (x^2 + y^2), a Sobel filter of any odd size that responds to what rises along x."""
    reach = torch.arange(px, dtype=torch.float32) - px // 2
    y, x = torch.meshgrid(reach, reach, indexing="ij")
    return x / (x * x + y * y).clamp_min(_TINY)
