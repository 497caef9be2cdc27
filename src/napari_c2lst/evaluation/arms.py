"""The arms of a comparison: what each is called, in which order and colour it is shown, and what it means.

An *arm* is one way to get gene expression from a patch. All arms of a comparison see the same training spots and are
scored on the same held-out spots; the trained ones also take the same number of optimiser steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from napari_c2lst.common.errors import InputError

__all__ = ["ARMS", "BASELINES", "COMPARISONS", "TRAINED", "Arm", "arm_named", "is_arm"]


@dataclass(frozen=True)
class Arm:
    """One arm.

    Attributes
    ----------
    key
        Its name in tables and file names.
    label
        Its name in figures.
    colour
        From the Okabe-Ito palette, which colour-blind readers can tell apart.
    meaning
        One sentence for someone who has not read the paper.
    """

    key: str
    label: str
    kind: Literal["baseline", "trained"]
    colour: str
    meaning: str

    @property
    def constant(self) -> bool:
        """True for predictors that say the same for every patch: their correlation is undefined."""
        return self.key in ("mean", "median")


ARMS: tuple[Arm, ...] = (
    Arm("mean", "mean of training spots", "baseline", "#999999", "says the training mean of each gene"),
    Arm("median", "median of training spots", "baseline", "#595959", "says the training median of each gene"),
    Arm(
        "ridge",
        "colours + ridge",
        "baseline",
        "#E69F00",
        "ridge regression on colour statistics",
    ),
    Arm("real", "real only", "trained", "#0072B2", "network trained on the training spots alone"),
    Arm("synthetic", "synthetic only", "trained", "#CC79A7", "network trained on synthetic pairs alone"),
    Arm(
        "real+synthetic",
        "real + synthetic",
        "trained",
        "#009E73",
        "network trained on spots and synthetic pairs",
    ),
)
BASELINES = tuple(arm for arm in ARMS if arm.kind == "baseline")
TRAINED = tuple(arm for arm in ARMS if arm.kind == "trained")

# (the arm in question, what it is measured against): the questions a reader has, most important first.
COMPARISONS = (
    ("real+synthetic", "real"),
    ("synthetic", "real"),
    ("real+synthetic", "ridge"),
    ("real", "ridge"),
    ("real+synthetic", "median"),
    ("real", "median"),
)

_BY_KEY = {arm.key: arm for arm in ARMS}


def is_arm(key: str) -> bool:
    """Whether an arm has this key."""
    return key in _BY_KEY


def arm_named(key: str) -> Arm:
    """The arm with this key.

    Raises
    ------
    InputError
        If there is none.
    """
    if key not in _BY_KEY:
        raise InputError(f"there is no arm {key!r}", hint=f"arms are {', '.join(_BY_KEY)}")
    return _BY_KEY[key]
