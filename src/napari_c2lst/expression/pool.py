"""The samples a predictor learns from: real and synthetic pairs as one."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_c2lst.common.errors import InputError

Samples = tuple[NDArray[np.uint8], NDArray[np.float32]]
"""Patches (N, px, px, 3) uint8 and their expression (N, d) float32 on the target scale."""


@dataclass(frozen=True)
class Pool:
    """All samples behind one another, the real ones first.

    Attributes
    ----------
    patches, targets
        One array of each kind of samples there is.
    real, synthetic
        How many there are of each kind.
    """

    patches: list[NDArray[np.uint8]]
    targets: list[NDArray[np.float32]]
    real: int
    synthetic: int

    @classmethod
    def of(cls, real: Samples | None, synthetic: Samples | None) -> Self:
        """Real and synthetic samples together.

        Raises
        ------
        InputError
            If there are none, or patches or expression do not fit together.
        """
        given = [s for s in (real, synthetic) if s is not None and len(s[0])]
        if not given:
            raise InputError("there is nothing to learn from: neither real nor synthetic patches")
        shapes = {(p.shape[1:], t.shape[1:]) for p, t in given}
        if len(shapes) > 1 or any(len(p) != len(t) for p, t in given):
            texts = " and ".join(f"{p.shape} with expression {t.shape}" for p, t in given)
            raise InputError(f"patches and expression do not fit together: {texts}")
        counts = [0 if s is None else len(s[0]) for s in (real, synthetic)]
        return cls([p for p, _ in given], [t for _, t in given], *counts)

    def take(self, index: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """Patches (n, 3, px, px) uint8 and expression (n, d) at an index over all samples."""
        first = len(self.patches[0])
        rows = [(0, i) if i < first else (1, i - first) for i in index]
        patches = torch.from_numpy(np.stack([self.patches[k][i] for k, i in rows]))
        return patches.permute(0, 3, 1, 2), torch.from_numpy(np.stack([self.targets[k][i] for k, i in rows]))
