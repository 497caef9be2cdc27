"""The predictor on real tissue: the sample slide (her2st B4), a quarter of its spots to learn from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_c2lst.common.reporter import Reporter
from napari_c2lst.expression.baselines import mean_predictor, median_predictor, ridge_on_colour
from napari_c2lst.expression.fitting import fit_predictor
from napari_c2lst.expression.predictor import Predictor, PredictorFacts, load_predictor
from napari_c2lst.expression.settings import FitSettings
from napari_c2lst.slides.genes.panel import GenePanel
from napari_c2lst.slides.identity import spots_hash
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.patches.cutting import PatchSpec, spot_patches
from napari_c2lst.slides.sample_data import sample_slide_path
from napari_c2lst.slides.slide import Slide
from napari_c2lst.slides.spots.splitting import random_split

SPEC = PatchSpec(patch_um=112.0, patch_px=64)


class Tissue:
    """Patches and expression of the sample slide, read once."""

    def __init__(self) -> None:
        self.slide: Slide = open_slide(sample_slide_path())
        spots = self.slide.require_spots()
        self.training = random_split(len(spots), 0.25, 0)
        counts = self.slide.counts()
        self.panel = GenePanel.fit(counts, self.slide.genes, training=self.training)
        self.targets = self.panel.targets(counts, self.slide.genes)
        self.patches = spot_patches(self.slide, spots.yx, SPEC)
        self.yx = spots.yx

    @property
    def train(self) -> tuple[np.ndarray, np.ndarray]:
        return self.patches[self.training], self.targets[self.training]

    def mae(self, predicted: np.ndarray) -> float:
        return float(np.abs(predicted - self.targets[~self.training]).mean())

    @property
    def unseen(self) -> np.ndarray:
        return self.patches[~self.training]


@pytest.fixture(scope="module")
def tissue() -> Tissue:
    return Tissue()


@pytest.fixture(scope="module")
def fitted(tissue: Tissue, tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    settings = FitSettings.resolve(preset="small", device="cpu", steps=200)
    net = fit_predictor(tissue.train, None, settings, Reporter())
    facts = PredictorFacts(
        panel=tissue.panel,
        spec=SPEC,
        training_ids=tuple(tissue.slide.require_spots().ids[tissue.training].tolist()),
        arm="real",
        steps=200,
        slide=tissue.slide.name,
        spots_hash=spots_hash(tissue.slide.require_spots()),
        n_real=int(tissue.training.sum()),
        n_synthetic=0,
        seed=0,
    )
    folder: Path = tmp_path_factory.mktemp("on_tissue")
    return load_predictor(Predictor(net, facts).save(folder), precision="fp32")


@pytest.mark.slow
def test_some_tens_of_spots_beat_the_median(tissue: Tissue, fitted: Predictor) -> None:
    """The small preset must not learn its 70 spots by heart: without dropout it ends above the median."""
    median = tissue.mae(median_predictor(*tissue.train).predict(tissue.unseen))
    network = tissue.mae(fitted.predict(tissue.unseen))
    assert network < 0.97 * median
    seen = float(np.abs(fitted.predict(tissue.train[0]) - tissue.train[1]).mean())
    assert seen > 0.5 * network


def test_predictions_follow_the_tissue(tissue: Tissue, fitted: Predictor) -> None:
    truth, predicted = tissue.targets[~tissue.training], fitted.predict(tissue.unseen)
    order = np.argsort(-truth.mean(0))[:50]
    r = [np.corrcoef(truth[:, g], predicted[:, g])[0, 1] for g in order]
    assert np.nanmean(r) > 0.1
    rng = np.random.default_rng(0)
    shuffled = [np.corrcoef(rng.permutation(truth[:, g]), predicted[:, g])[0, 1] for g in order]
    assert abs(np.nanmean(shuffled)) < 0.05


def test_baselines_stand_where_they_should(tissue: Tissue) -> None:
    mean, median = (tissue.mae(fit(*tissue.train).predict(tissue.unseen)) for fit in (mean_predictor, median_predictor))
    ridge = ridge_on_colour(*tissue.train, yx=tissue.yx[tissue.training])
    assert median < mean
    # least squares on counts of a few molecules: near the mean in absolute error, whatever it sees
    assert tissue.mae(ridge.predict(tissue.unseen)) < 1.02 * mean
    assert ridge.predict(tissue.unseen).std(0).max() > 0.1


def test_flips_and_turns_agree_on_tissue(tissue: Tissue, fitted: Predictor) -> None:
    plain = fitted.predict(tissue.unseen[:40])
    mean, spread = fitted.predict_with_spread(tissue.unseen[:40])
    assert np.abs(mean - plain).mean() < 0.05
    between_spots = plain.std(0).mean()
    assert 0 < spread.mean() < between_spots


def test_the_slide_knows_its_predictor(tissue: Tissue, fitted: Predictor) -> None:
    assert np.array_equal(fitted.knows(tissue.slide), tissue.training)
