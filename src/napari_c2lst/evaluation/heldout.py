"""Which spots a predictor may be scored on: those it did not see, and whose tissue it did not see either."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_c2lst.slides.slide import Slide
from napari_c2lst.slides.spots.splitting import overlapping_spots
from napari_c2lst.slides.spots.spotsets import set_of_training

__all__ = ["HeldOut", "held_out_of"]

# how a stored set says what chose it, most telling first: only a split by fraction has the key "split"
_WAYS = ("split", "polygon", "column", "suggest", "ids")

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class HeldOut:
    """The spots of a slide as seen from one training set.

    Attributes
    ----------
    split
        How the training spots were chosen: ``"random"``, ``"blocked"``, ``"polygon"``, ...; ``"unnamed"`` where no
        stored spot set has these training spots.
    seed
        Seed of that choice, where there is one.
    training
        (N,) spots trained on.
    left_out
        (N,) neither trained on nor scored: low spots, and the buffer of a blocked split.
    overlapping
        (N,) scored spots whose patch shares tissue with a training patch: they flatter the score.
    spot_set
        Name of the stored set; empty where there is none.
    """

    split: str
    seed: int | None
    training: Mask
    left_out: Mask
    overlapping: Mask
    spot_set: str = ""

    @property
    def test(self) -> Mask:
        """(N,) the spots to score."""
        return ~self.training & ~self.left_out

    def notes(self) -> list[str]:
        """What a reader must know to judge the score."""
        said = []
        shared, scored = int(self.overlapping.sum()), int(self.test.sum())
        if shared:
            said.append(
                f"{self.split} split: the patches of {shared} of the {scored} scored spots overlap a training patch,"
                " which flatters every arm that learns"
            )
        elif self.split == "random":
            said.append(
                "random split: scored spots lie among training spots and resemble them, which flatters every arm that"
                " learns; a blocked split is the harder question"
            )
        if not self.spot_set:
            said.append("no spot set of the slide has these training spots: how they were chosen is not known")
        return said


def held_out_of(slide: Slide, training: Mask, patch_um: float) -> HeldOut:
    """Find how the training spots were chosen, and so which spots to score.

    A blocked split never scores a spot whose patch overlaps a training patch, whatever the stored set says.

    Parameters
    ----------
    training
        (N,) aligned to the slide's spots.
    patch_um
        Side of a patch.
    """
    stored = set_of_training(slide, training)
    overlapping = overlapping_spots(slide.require_spots().yx * slide.mpp, training, patch_um)
    if stored is None:
        nothing = np.zeros_like(training)
        return HeldOut("unnamed", None, training, nothing, overlapping)
    split = next((way for way in _WAYS if way in stored.how), "chosen")
    split = str(stored.how["split"]) if split == "split" else split
    left_out = stored.left_out | overlapping if split == "blocked" else stored.left_out
    seed = stored.how.get("seed")
    shared = overlapping & ~left_out
    return HeldOut(split, None if seed is None else int(seed), training, left_out, shared, stored.name)
