from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import dask.array as da
import numpy as np
import pytest
from tests.evaluation.conftest import SPEC
from tests.evaluation.test_scoring import make_trial

from napari_c2lst.common.errors import InputError
from napari_c2lst.diffusion.pairs import Pairs, PairsFacts
from napari_c2lst.evaluation import pictures
from napari_c2lst.evaluation.heldout import held_out_of
from napari_c2lst.evaluation.pictures import draw_pictures, tissue_of
from napari_c2lst.evaluation.records import Entry, Trial
from napari_c2lst.evaluation.scoring import score_trial
from napari_c2lst.evaluation.trials import Question
from napari_c2lst.slides.genes.panel import GenePanel
from napari_c2lst.slides.images.pyramid import Pyramid
from napari_c2lst.slides.slide import Slide
from napari_c2lst.slides.spots.spotsets import read_spot_set


@pytest.fixture
def question(slide: Slide) -> Question:
    mask = read_spot_set(slide, "blocked").mask
    panel = GenePanel.fit(slide.counts(), slide.genes, training=mask, size=12)
    return Question(held_out_of(slide, mask, 112.0), panel, SPEC)


@pytest.fixture
def trial(slide: Slide, question: Question) -> Trial:
    test = np.flatnonzero(question.held.test)
    truth = question.panel.targets(slide.counts()[test], slide.genes)
    arms = [("median", 0 * truth), ("ridge", 0.8 * truth), ("real", 0.9 * truth), ("real+synthetic", truth)]
    entries = tuple(Entry(arm, values, arm) for arm, values in arms)
    return Trial("blocked", 0, int(question.held.training.sum()), question.panel.genes, test, truth, entries)


def make_pairs(slide: Slide, question: Question, many: int = 4) -> Pairs:
    ids = slide.require_spots().ids[question.held.training]
    source = np.repeat(ids, many)
    patches = np.full((len(source), 16, 16, 3), 128, np.uint8)
    facts = PairsFacts(
        slide=slide.name,
        training_ids=tuple(ids.tolist()),
        panel=question.panel,
        spec=SPEC,
        central_hash="sha256:0",
        local_hash="sha256:0",
    )
    zeros = np.zeros(len(source), np.float32)
    return Pairs(patches, np.zeros((len(source), 12), np.float32), source, source, zeros, facts)


def test_all_figures(slide: Slide, trial: Trial, question: Question, tmp_path: Path) -> None:
    drawn = draw_pictures(
        slide, [trial], [question], score_trial(trial, draws=100), tmp_path, pairs=make_pairs(slide, question)
    )
    assert [picture.png.stem for picture in drawn] == ["spots_blocked", "patches", "maps", "scatter", "scores"]
    assert all(picture.png.exists() and picture.svg.exists() and picture.caption for picture in drawn)


def test_the_tissue_lies_under_the_spots(slide: Slide) -> None:
    tissue = tissue_of(slide)
    height, width = slide.pyramid.shape
    assert tissue.image.shape[0] * tissue.um_per_px == pytest.approx(height * slide.mpp, rel=0.02)
    assert tissue.image.shape[1] * tissue.um_per_px == pytest.approx(width * slide.mpp, rel=0.02)
    assert tissue.image.dtype == np.uint8


def test_a_large_image_without_coarse_levels_is_shrunk(slide: Slide, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "TISSUE_PX", 100)
    level = slide.pyramid.levels[0]
    flat = replace(slide, pyramid=Pyramid([level], [1.0]))
    tissue = tissue_of(flat)
    assert tissue.image.shape == (75, 100, 3)
    assert tissue.um_per_px == 4 * slide.mpp
    expected = np.asarray(da.coarsen(np.mean, level, {1: 4, 2: 4}).compute())
    np.testing.assert_allclose(np.moveaxis(tissue.image, -1, 0), expected, atol=0.51)


def test_a_blocked_trial_is_mapped_before_a_random_one() -> None:
    trials = [make_trial("random", 0), make_trial("blocked", 1), make_trial("blocked", 0)]
    assert pictures._hardest(trials) == 1
    assert pictures._hardest(trials[:1]) == 0


def test_the_genes_to_map_are_those_that_were_asked_for(slide: Slide, question: Question) -> None:
    yx_um = slide.require_spots().yx * slide.mpp
    assert pictures._genes_to_map(slide, question, yx_um, ["GENE02", "GENE00"]) == ["GENE02", "GENE00"]
    assert len(set(pictures._genes_to_map(slide, question, yx_um, []))) == 3
    with pytest.raises(InputError, match="NOPE"):
        pictures._genes_to_map(slide, question, yx_um, ["NOPE"])


def test_rows_of_patches_run_from_dark_to_pale_tissue(
    slide: Slide, question: Question, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, np.ndarray] = {}

    def record(real: np.ndarray, synthetic: np.ndarray, labels: list[str], **_: object) -> None:
        seen.update(real=real, synthetic=synthetic, labels=np.array(labels))

    monkeypatch.setattr(pictures, "patches_figure", record)
    pictures._patches(slide, make_pairs(slide, question), None)
    brightness = seen["real"].mean(axis=(1, 2, 3))
    assert (np.diff(brightness) >= 0).all()
    assert seen["synthetic"].shape == (8, 3, 16, 16, 3)
    assert set(seen["labels"]) <= set(slide.require_spots().ids[question.held.training])


def test_pairs_between_two_spots_have_no_real_patch_to_stand_beside(slide: Slide, question: Question) -> None:
    mixed = replace(make_pairs(slide, question), weight=np.full(4 * question.held.training.sum(), 0.5, np.float32))
    with pytest.raises(InputError, match="no patch of a single spot"):
        pictures._patches(slide, mixed, None)


def test_an_ensembl_id_is_found_without_its_version(slide: Slide, question: Question) -> None:
    genes = ("ENSG00000139618.15", *question.panel.genes[1:])
    versioned = replace(question, panel=question.panel.model_copy(update={"genes": genes}))
    yx_um = slide.require_spots().yx * slide.mpp
    asked = ["ENSG00000139618", genes[3]]
    assert pictures._genes_to_map(slide, versioned, yx_um, asked) == ["ENSG00000139618.15", genes[3]]


def test_a_gene_that_is_asked_for_twice_is_mapped_once(slide: Slide, question: Question) -> None:
    yx_um = slide.require_spots().yx * slide.mpp
    assert pictures._genes_to_map(slide, question, yx_um, ["GENE02", "GENE02"]) == ["GENE02"]


def test_of_one_split_spots_are_drawn_once(question: Question) -> None:
    random = replace(question.held, split="random")
    kept = pictures._one_a_split([question.held, random, replace(question.held, seed=1)])
    assert [held.split for held in kept] == ["blocked", "random"]
    assert kept[0] is question.held  # the first of them


def mapped(monkeypatch: pytest.MonkeyPatch, slide: Slide, trial: Trial) -> dict[str, np.ndarray]:
    """The predictions that are given to the figure of maps."""
    seen: dict[str, dict[str, np.ndarray]] = {}

    def record(
        tissue: object, yx: object, genes: object, truth: np.ndarray, predictions: dict, *_: object, **__: object
    ):
        seen["predictions"] = {"measured": truth, **predictions}

    monkeypatch.setattr(pictures, "maps_figure", record)
    yx_um = slide.require_spots().yx * slide.mpp
    pictures._maps(slide, trial, tissue_of(slide), yx_um, list(trial.genes[:2]))
    return seen["predictions"]


def test_the_two_predictors_of_the_question_are_mapped(
    slide: Slide, trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = mapped(monkeypatch, slide, trial)
    assert list(shown) == ["measured", "real only", "real + synthetic"]
    np.testing.assert_allclose(shown["measured"][trial.test], trial.truth[:, :2])
    np.testing.assert_allclose(shown["real only"][trial.test], 0.9 * trial.truth[:, :2])
    others = np.setdiff1d(np.arange(len(slide.require_spots())), trial.test)
    assert all(np.isnan(values[others]).all() for values in shown.values())


def test_a_single_predictor_is_mapped_beside_the_best_baseline(
    slide: Slide, trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = replace(trial, entries=trial.entries[:3])
    assert list(mapped(monkeypatch, slide, alone)) == ["measured", "colours + ridge", "real only"]


def test_baselines_alone_have_a_map_and_a_scatter(slide: Slide, trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = replace(trial, entries=trial.entries[:2])
    assert list(mapped(monkeypatch, slide, alone)) == ["measured", "colours + ridge"]
    assert [axes.get_title(loc="left") for axes in pictures._scatter(alone).axes] == ["colours + ridge"]


def test_of_several_runs_of_an_arm_the_first_is_shown(trial: Trial) -> None:
    again = replace(trial.entries[2], run="again", prediction=0 * trial.truth)
    shown = pictures._one_an_arm(replace(trial, entries=(*trial.entries[::-1], again)))
    assert [entry.arm for entry in shown] == ["median", "ridge", "real", "real+synthetic"]
    assert [entry.run for entry in shown] == ["median", "ridge", "real", "real+synthetic"]
