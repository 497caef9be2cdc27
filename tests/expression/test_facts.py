"""What a predictor knows can be read where torch is not: in a viewer's process."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pydantic import ValidationError

from napari_c2lst.expression import predictor
from napari_c2lst.expression.facts import PredictorFacts
from napari_c2lst.slides.genes.panel import GenePanel
from napari_c2lst.slides.patches.cutting import PatchSpec

PANEL = GenePanel(genes=("A", "B"), median_total=10.0, mean=(1.0, 2.0), std=(1.0, 1.0), spots=9)
VALUES = {
    "panel": PANEL,
    "spec": PatchSpec(patch_px=16),
    "training_ids": ("S1", "S2"),
    "arm": "real",
    "steps": 6,
    "slide": "tiny",
    "spots_hash": "sha256:1",
    "n_real": 2,
    "n_synthetic": 0,
    "seed": 0,
}


def test_facts_survive_json() -> None:
    facts = PredictorFacts.model_validate(VALUES)
    again = PredictorFacts.model_validate_json(facts.model_dump_json())
    assert again == facts
    assert again.pairs_hash is None


def test_facts_refuse_an_unknown_arm() -> None:
    with pytest.raises(ValidationError, match="arm"):
        PredictorFacts.model_validate({**VALUES, "arm": "magic"})


def test_the_predictor_still_offers_its_facts() -> None:
    assert predictor.PredictorFacts is PredictorFacts


@pytest.mark.parametrize("module", ["expression.facts", "expression.tables", "diffusion.pairs", "evaluation.records"])
def test_reading_results_needs_no_torch(module: str) -> None:
    code = f"import sys, napari_c2lst.{module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
