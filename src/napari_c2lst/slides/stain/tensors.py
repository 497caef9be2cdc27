"""Stain normalisation of patches that are torch tensors, on the device they lie on.

The functions of `separation`, `learning` and `reinhard` once more, step by step the same, for a device whose
memory is better not left: results differ from theirs by rounding (one grey level, rarely more). The only file of
`slides` that knows torch; `StainNormalizer` comes here when it is given a tensor.

Pixels are (n, P, 3) uint8, n images of P pixels each; stains (n, 2, 3) float32, as there.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from . import colour, learning, separation
from .batches import checked_tensor
from .reinhard import LEAST_SPREAD

_PIXELS = {"cpu": 1 << 18}  # at a time: what a CPU's caches hold
_PIXELS_OF_A_GPU = 1 << 24  # some 2 GB of working memory


def numbers(values: Any, like: Tensor) -> Tensor:
    """Stain values as a tensor beside another one."""
    return like.new_tensor(values, dtype=torch.float32)


def transform(method: str, patches: Tensor, source: Tensor | None, target: Tensor) -> tuple[Tensor, Tensor]:
    """Normalise patches where they lie.

    Parameters
    ----------
    method
        "macenko", "vahadane" or "reinhard".
    patches
        (N, H, W, 3) or (H, W, 3) uint8 on any device; left as they are.
    source
        (1, 2, 3) values for all patches, or None: those of each patch.
    target
        (2, 3) values of the reference.

    Returns
    -------
    patches
        uint8, of the same shape and on the same device.
    unchanged
        (N,) bool: patches that passed through.
    """
    paint = transfer if method == "reinhard" else recolour

    def painted(pixels: Tensor) -> tuple[Tensor, Tensor]:
        if source is None:
            values, found = estimate(method, pixels)
            return paint(pixels, values, target), found
        return paint(pixels, source, target), torch.ones(len(pixels), dtype=torch.bool, device=pixels.device)

    return part_by_part(patches, painted)


def standardized(patches: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """Standard brightness, as `luminosity.standardize_luminosity` has it; which patches are unchanged as above."""

    def brightened(pixels: Tensor) -> tuple[Tensor, Tensor]:
        lab = rgb_to_lab(pixels)
        bright = _high_quantile(lab[..., 0], share)
        lab[..., 0] = (100 * lab[..., 0] / bright[:, None].clamp_min(1e-6)).clamp_max(100)
        return lab_to_rgb(lab), bright > 0

    return part_by_part(patches, brightened)


def part_by_part(patches: Tensor, work: Callable[[Tensor], tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """As `batches.part_by_part`; blank patches are worked on as well, since to leave them out would take longer."""
    batch = checked_tensor(patches)
    flat = batch.reshape(len(batch), batch.shape[1] * batch.shape[2], 3)
    out, unchanged = flat.clone(), torch.ones(len(flat), dtype=torch.bool, device=flat.device)
    step = max(1, _PIXELS.get(flat.device.type, _PIXELS_OF_A_GPU) // max(1, flat.shape[1]))
    with torch.inference_mode():
        for start in range(0, len(flat) if flat.numel() else 0, step):
            some = slice(start, start + step)
            changed, found = work(flat[some])
            unchanged[some] = blank(flat[some]) | ~found
            out[some] = torch.where(unchanged[some, None, None], flat[some], changed)
    return out.reshape(patches.shape), unchanged


def blank(pixels: Tensor) -> Tensor:
    """Which images (n,) hold too little that is stained to say anything, or one colour all over."""
    little = stained(pixels).sum(1) < colour.LEAST_TISSUE * pixels.shape[1]
    low, high = torch.aminmax(pixels, dim=1)
    return little | ((high.int() - low.int()) <= 2).all(-1)


def over_white(patches: Tensor, glass: tuple[float, float, float]) -> Tensor:
    """As `of_slide.over_white`: (..., 3) uint8, the same stain over white glass."""
    scale = 255 / patches.new_tensor(glass, dtype=torch.float64).clamp_min(1)
    return (patches * scale + 0.5).clamp(0, 255).to(torch.uint8)


def estimate(method: str, pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Values (n, 2, 3) of each image, and whether they were found (n,)."""
    if method == "reinhard":
        return lab_statistics(pixels)
    density, mask = optical_density(pixels), stained(pixels)
    stains = (macenko if method == "macenko" else vahadane)(density, mask)
    return _with_strength(density, _haematoxylin_first(stains), mask.sum(1) > 1)


# --- colours, as in `colour` ---


def optical_density(pixels: Tensor) -> Tensor:
    """-ln(I / 255) per channel, black taken as 1 / 255."""
    return (pixels.float().clamp_min(1) / 255).log().neg().clamp_min(1e-6)


def stained(pixels: Tensor) -> Tensor:
    """Pixels (n, P) that are neither glass nor black."""
    luminance = _linear(pixels) @ pixels.new_tensor(colour.LUMINANCE, dtype=torch.float32)
    return (luminance < colour.BRIGHT) & (pixels.amax(-1) >= colour.BLACK)


def rgb_to_lab(pixels: Tensor) -> Tensor:
    """CIE Lab under D65 of (..., 3) uint8."""
    unit = _linear(pixels) @ pixels.new_tensor((colour.RGB_TO_XYZ / colour.WHITE[:, None]).T, dtype=torch.float32)
    x, y, z = torch.where(unit > 216 / 24389, unit.clamp_min(0) ** (1 / 3), (24389 / 27 * unit + 16) / 116).unbind(-1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], dim=-1)


def lab_to_rgb(lab: Tensor) -> Tensor:
    """The nearest RGB colours (uint8) of CIE Lab values."""
    y = (lab[..., 0] + 16) / 116
    root = torch.stack([y + lab[..., 1] / 500, y, y - lab[..., 2] / 200], dim=-1)
    unit = torch.where(root > 6 / 29, root**3, (116 * root - 16) * (27 / 24389))
    back = np.linalg.inv(colour.RGB_TO_XYZ / colour.WHITE[:, None]).T
    linear = (unit @ lab.new_tensor(back)).clamp(0, 1)
    gamma = torch.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear.clamp_min(1e-8) ** (1 / 2.4) - 0.055)
    return (255 * gamma + 0.5).clamp(0, 255).to(torch.uint8)


def _linear(pixels: Tensor) -> Tensor:
    level = pixels.float() / 255
    return torch.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)


# --- Reinhard, as in `reinhard` ---


def lab_statistics(pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of L*, a*, b* of each image, and whether it has more than one colour."""
    spread, mean = torch.std_mean(rgb_to_lab(pixels).double(), dim=1, correction=0)
    found = (spread > LEAST_SPREAD).all(-1)
    return torch.stack([mean, spread.clamp_min(LEAST_SPREAD)], dim=1).float(), found


def transfer(pixels: Tensor, source: Tensor, target: Tensor) -> Tensor:
    """Shift and stretch each Lab channel from the source's statistics to the target's."""
    scale = target[1] / source[:, 1]
    shift = target[0] - source[:, 0] * scale
    return lab_to_rgb(rgb_to_lab(pixels) * scale[:, None] + shift[:, None])


# --- Macenko and Vahadane, as in `separation` and `learning` ---


def macenko(density: Tensor, mask: Tensor) -> Tensor:
    """Stain colours from the extreme angles in the plane of greatest variance."""
    count = mask.sum(1)
    plane = _principal_plane(density, mask, count)
    along = density @ plane
    angle = torch.atan2(along[..., 1], along[..., 0]).masked_fill(~mask, torch.inf).sort(1).values
    ends = torch.stack([_quantile(angle, 1 - separation.ANGLE, count), _quantile(angle, separation.ANGLE, count)], 1)
    return torch.stack([ends.cos(), ends.sin()], -1) @ plane.mT


def vahadane(density: Tensor, mask: Tensor) -> Tensor:
    """Stain colours as two atoms with sparse codes; every image stops when its own atoms stand still."""
    step = max(1, -(-density.shape[1] // separation.LEARN_PIXELS))
    planes = (density[:, ::step] * mask[:, ::step, None]).mT.contiguous()  # n 3 P
    atoms = _unit(density.new_tensor(separation.USUAL)).expand(len(density), 2, 3).clone()
    learned, moving = atoms.clone(), torch.arange(len(atoms), device=density.device)
    for _ in range(learning.ROUNDS):
        better = _better_atoms(planes, _sparse_codes(planes, atoms, learning.SPARSITY), atoms)
        on = (better - atoms).abs().amax((1, 2)) >= learning.TOLERANCE
        learned[moving] = better
        planes, atoms, moving = planes[on], better[on], moving[on]
        if not len(moving):
            break
    return learned


def recolour(pixels: Tensor, source: Tensor, target: Tensor) -> Tensor:
    """The same concentrations, in the target's stains and strength."""
    strength = torch.linalg.vector_norm(source, dim=-1, keepdim=True)
    codes = _sparse_codes(optical_density(pixels).mT, source / strength, separation.RECOLOUR_SPARSITY)  # n 2 P
    painted = (-(target / strength).mT @ codes).exp()  # n 3 P
    pixels_painted: Tensor = (255 * painted + 0.5).clamp_max(255).to(torch.uint8)
    return pixels_painted.mT.contiguous()


def _sparse_codes(planes: Tensor, atoms: Tensor, sparsity: float) -> Tensor:
    """(n, 3, P) and (n or 1, 2, 3) to (n, 2, P): as `learning.sparse_codes`."""
    cosine = (atoms[:, 0] * atoms[:, 1]).sum(-1)
    share = 1 / (1 - cosine**2).clamp_min(1e-6)
    inverse = torch.stack([share, -cosine * share, -cosine * share, share], -1).reshape(-1, 2, 2)
    along = atoms @ planes - sparsity
    return torch.minimum(inverse @ along, along).clamp_min(0)


def _better_atoms(planes: Tensor, codes: Tensor, atoms: Tensor) -> Tensor:
    gram, cross = codes @ codes.mT, codes @ planes.mT  # n 2 2, n 2 3
    atoms = atoms.clone()
    for k in (0, 1) * 3:
        weight = gram[:, k, k, None]
        slope = (cross[:, k] - (gram[:, k, None] @ atoms)[:, 0]) / weight.clamp_min(1e-8)
        atom = (atoms[:, k] + slope).clamp_min(0)
        atom = atom / torch.linalg.vector_norm(atom, dim=-1, keepdim=True).clamp_min(1)
        atoms[:, k] = torch.where(weight > 1e-8, atom, atoms[:, k])
    return atoms


def _principal_plane(density: Tensor, mask: Tensor, count: Tensor) -> Tensor:
    weight = mask[..., None].float()
    mean = (density * weight).sum(1, dtype=torch.float64) / count.clamp_min(1)[:, None]
    centred = (density - mean[:, None].float()) * weight
    covariance = (centred.mT @ centred).double() / (count - 1).clamp_min(1)[:, None, None]
    plane = torch.linalg.eigh(covariance).eigenvectors[:, :, [2, 1]]
    upright: Tensor = plane * torch.where(plane[:, :1] < 0, -1, 1)
    return upright.float()


def _quantile(rows: Tensor, share: float, count: Tensor) -> Tensor:
    """As `separation._quantile`."""
    last = (count - 1).clamp_min(0)
    place = share * last.double()
    low = place.floor().long()
    below, above = (rows.gather(1, at[:, None])[:, 0].double() for at in (low, torch.minimum(low + 1, last)))
    return torch.where(count == 0, 0, below + (above - below) * (place - low)).float()


def _with_strength(density: Tensor, stains: Tensor, enough: Tensor) -> tuple[Tensor, Tensor]:
    length = torch.linalg.vector_norm(stains, dim=-1)
    unit = _unit(stains)
    alike = (unit[:, 0] * unit[:, 1]).sum(-1).abs() >= separation.PARALLEL
    found = enough & (length > 0.1).all(-1) & ~alike
    unit = torch.where(found[:, None, None], unit, _unit(density.new_tensor(separation.USUAL)))
    dense = _high_quantile(_sparse_codes(density.mT, unit, separation.RECOLOUR_SPARSITY), separation.DENSE)
    return unit * dense.clamp_min(separation.LEAST_CONCENTRATION)[..., None], found


def _high_quantile(values: Tensor, share: float) -> Tensor:
    """Quantile (...) of (..., P) values, linear between neighbours; only those above it are sorted."""
    place = share * (values.shape[-1] - 1)
    highest = values.topk(values.shape[-1] - int(place), dim=-1).values
    below, above = highest[..., -1], highest[..., max(highest.shape[-1] - 2, 0)]
    return below + (above - below) * (place - int(place))


def _unit(rows: Tensor) -> Tensor:
    unit: Tensor = rows / torch.linalg.vector_norm(rows, dim=-1, keepdim=True).clamp_min(1e-12)
    return unit


def _haematoxylin_first(stains: Tensor) -> Tensor:
    swap = stains[:, 0, 0] < stains[:, 1, 0]
    return torch.where(swap[:, None, None], stains.flip(1), stains)
