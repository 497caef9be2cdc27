from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_c2lst.common.errors import InputError, Stopped
from napari_c2lst.common.reporter import RecordingReporter, Reporter
from napari_c2lst.evaluation.heldout import held_out_of
from napari_c2lst.evaluation.sources import Run, load_runs
from napari_c2lst.evaluation.trials import Question, make_trial
from napari_c2lst.slides.patches.cutting import spot_patches
from napari_c2lst.slides.slide import Slide

Make = Callable[..., Path]


def ask(slide: Slide, *paths: Path) -> Question:
    runs = tuple(load_runs(slide, paths, device="cpu", precision="fp32"))
    held = held_out_of(slide, runs[0].training, runs[0].spec.patch_um)
    return Question(held, runs[0].panel, runs[0].spec, runs)


def test_every_arm_predicts_the_same_held_out_spots(slide: Slide, predictor: Make) -> None:
    question = ask(slide, predictor("real", "blocked"), predictor("both", "blocked", arm="real+synthetic", seed=1))
    trial = make_trial(slide, question, Reporter(), workers=1)
    assert [entry.arm for entry in trial.entries] == ["mean", "median", "ridge", "real", "real+synthetic"]
    np.testing.assert_array_equal(trial.test, np.flatnonzero(question.held.test))
    assert all(entry.prediction.shape == trial.truth.shape for entry in trial.entries)
    assert (trial.split, trial.seed, trial.n_train) == ("blocked", 0, int(question.held.training.sum()))
    assert trial.n_buffer == int(question.held.left_out.sum())
    assert [entry.steps for entry in trial.entries] == [None, None, None, 6, 6]


def test_predictions_belong_to_their_spots(slide: Slide, predictor: Make) -> None:
    # patches are streamed in the order of the storage, not of the spots
    question = ask(slide, predictor("real"))
    trial = make_trial(slide, question, Reporter(), workers=1)
    patches = spot_patches(slide, slide.require_spots().yx[trial.test], question.spec)
    expected = question.runs[0].predictor.predict(patches)
    np.testing.assert_allclose(trial.entries[-1].prediction, expected, atol=1e-5)
    targets = question.panel.targets(slide.counts(), slide.genes)
    np.testing.assert_allclose(trial.truth, targets[trial.test])


def test_baselines_see_training_spots_only(slide: Slide, predictor: Make) -> None:
    question = ask(slide, predictor("real"))
    trial = make_trial(slide, question, Reporter(), workers=1)
    targets = question.panel.targets(slide.counts(), slide.genes)[question.held.training]
    baselines = {entry.arm: entry.prediction for entry in trial.entries}
    np.testing.assert_allclose(baselines["mean"], np.tile(targets.mean(0), (len(trial.test), 1)), rtol=1e-5)
    np.testing.assert_allclose(baselines["median"], np.tile(np.median(targets, 0), (len(trial.test), 1)), rtol=1e-5)
    assert np.ptp(baselines["ridge"], axis=0).max() > 0


def with_stored(run: Run, slide: Slide, rows: np.ndarray) -> Run:
    values = np.full((len(slide.require_spots()), len(run.panel)), np.nan, np.float32)
    values[rows] = 1.0
    return replace(run, predictor=None, stored=values)


def test_spots_without_a_stored_prediction_are_scored_in_no_arm(slide: Slide, predictor: Make) -> None:
    question = ask(slide, predictor("real"), predictor("both", arm="real+synthetic"))
    rows = np.flatnonzero(question.held.test)[5:]
    stored = with_stored(question.runs[0], slide, rows)
    reporter = RecordingReporter()
    trial = make_trial(slide, replace(question, runs=(stored, question.runs[1])), reporter, workers=1)
    np.testing.assert_array_equal(trial.test, rows)
    assert any("5 held-out spots have no stored prediction" in text for text in reporter.messages)
    assert all(len(entry.prediction) == len(rows) for entry in trial.entries)


def test_too_few_held_out_spots(slide: Slide, predictor: Make) -> None:
    question = ask(slide, predictor("real"))
    few = with_stored(question.runs[0], slide, np.flatnonzero(question.held.test)[:7])
    with pytest.raises(InputError, match="7 held-out spots to score, at least 8"):
        make_trial(slide, replace(question, runs=(few,)), Reporter())


def test_a_predictor_gone_wrong_is_named(slide: Slide, predictor: Make) -> None:
    question = ask(slide, predictor("broken"))
    question.runs[0].predictor.net.head.bias.data.fill_(float("nan"))
    with pytest.raises(InputError, match="'broken' predicts NaN"):
        make_trial(slide, question, Reporter(), workers=1)


def test_scoring_can_be_stopped(slide: Slide, predictor: Make) -> None:
    with pytest.raises(Stopped):
        make_trial(slide, ask(slide, predictor("real")), RecordingReporter(stop_after=0), workers=1)


def test_baselines_alone(slide: Slide, predictor: Make) -> None:
    question = replace(ask(slide, predictor("real")), runs=())
    trial = make_trial(slide, question, Reporter(), workers=1)
    assert [entry.arm for entry in trial.entries] == ["mean", "median", "ridge"]


def test_progress_ends_at_every_held_out_spot(slide: Slide, predictor: Make) -> None:
    reporter = RecordingReporter()
    trial = make_trial(slide, ask(slide, predictor("real")), reporter, workers=1)
    last = reporter.of_kind("progress")[-1]
    assert last == {"done": len(trial.test), "total": len(trial.test), "what": "held-out spots"}


def test_small_batches_change_nothing(slide: Slide, predictor: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    question = ask(slide, predictor("real"))
    whole = make_trial(slide, question, Reporter(), workers=1)
    monkeypatch.setattr("napari_c2lst.evaluation.trials.BATCH", 7)
    parts = make_trial(slide, question, Reporter(), workers=1)
    for one, other in zip(whole.entries, parts.entries, strict=True):
        np.testing.assert_allclose(one.prediction, other.prediction, atol=1e-5)


def test_the_ridge_penalty_is_said_with_where_it_was_chosen(slide: Slide, predictor: Make) -> None:
    question, reporter = ask(slide, predictor("real", "blocked")), RecordingReporter()
    make_trial(slide, question, reporter, workers=1)
    (said,) = [text for text in reporter.messages if "ridge penalty" in text]
    assert said.startswith("blocked split: ridge penalty ")
    assert said.endswith(f"chosen on the {question.held.training.sum()} training spots")


def test_a_trial_says_its_scale_and_label(slide: Slide, predictor: Make) -> None:
    question = replace(ask(slide, predictor("real")), label="6 steps")
    trial = make_trial(slide, question, Reporter(), workers=1)
    assert (trial.scale, trial.label, trial.genes) == (question.panel.median_total, "6 steps", question.panel.genes)
