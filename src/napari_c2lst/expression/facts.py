"""What a predictor knows and where it comes from: facts that also those read who never run it (no torch here)."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from napari_c2lst.slides.genes.panel import GenePanel
from napari_c2lst.slides.patches.cutting import PatchSpec

Arm = Literal["real", "synthetic", "real+synthetic"]


class PredictorFacts(BaseModel):
    """What a predictor knows and where it comes from; kept in its file as JSON.

    Attributes
    ----------
    panel, spec
        Genes with their scale; size, pixels and stain of the patches.
    training_ids
        The real spots that its training used, also through synthetic pairs.
    arm
        What it was trained on.
    steps
        Optimiser steps.
    slide
        Name of the slide it was trained on.
    spots_hash
        Content hash of all spots of that slide: held-out spots are told by it even if the slide was renamed.
    pairs_hash
        Content hash of the synthetic pairs; None without.
    n_real, n_synthetic
        Numbers of patches it learnt from.
    seed
        Seed of its training.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    panel: GenePanel
    spec: PatchSpec
    training_ids: tuple[str, ...]
    arm: Arm
    steps: int
    slide: str
    spots_hash: str
    pairs_hash: str | None = None
    n_real: int
    n_synthetic: int
    seed: int
