"""Scores come back as they were computed."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.plugin.results import make_scores, trial_of

from napari_c2lst.common.errors import InputError
from napari_c2lst.evaluation.scoring import differences, gene_scores, score_trial
from napari_c2lst.plugin.judging.reading import Scores, read_scores, runs_with_scores
from napari_c2lst.slides.slide import Slide


def test_every_score_comes_back(slide: Slide, scores: Scores) -> None:
    written = score_trial(trial_of(slide), draws=100)
    assert [score.arm for score in scores.scores] == ["mean", "median", "ridge", "real"]
    for read, made in zip(scores.scores, written, strict=True):
        assert (read.split, read.seed, read.run, read.n_train, read.n_test) == ("blocked", 0, made.run, 21, 42)
        assert read.mae.value == pytest.approx(made.mae.value, rel=1e-5)
        assert read.mae.low == pytest.approx(made.mae.low, rel=1e-5)
        assert (read.r is None) == (made.r is None)
        assert read.steps == made.steps
        assert read.scale == 100


def test_a_constant_predictor_has_no_r(scores: Scores) -> None:
    assert {score.arm for score in scores.scores if score.r is None} == {"mean", "median"}
    assert all(row.r is None for row in scores.genes if row.arm == "median")


def test_genes_and_differences_come_back(slide: Slide, scores: Scores) -> None:
    trial = trial_of(slide)
    assert [(row.arm, row.gene) for row in scores.genes] == [(row.arm, row.gene) for row in gene_scores(trial)]
    made = differences([trial], draws=100)
    assert [(row.first, row.second, row.verdict) for row in scores.differences] == [
        (row.first, row.second, row.verdict) for row in made
    ]


def test_notes_come_along(scores: Scores) -> None:
    assert scores.notes == ("the patches of 3 of the 42 scored spots overlap a training patch",)


def test_the_hardest_question_comes_first(scored: Path, slide: Slide) -> None:
    folder = make_scores(scored, "two", [trial_of(slide, split="random"), trial_of(slide, split="blocked")])
    scores = read_scores(folder)
    assert scores.blocks == ("blocked", "random")
    assert {score.split for score in scores.of_block("random")} == {"random"}


def test_finished_runs_of_evaluate_are_found(scored: Path) -> None:
    runs = scored.with_name("tiny_c2lst")
    assert [path.name for path in runs_with_scores(runs)] == ["scores"]
    (runs / "scores" / "result.json").unlink()
    assert runs_with_scores(runs) == []
    assert runs_with_scores(None) == []


@pytest.mark.parametrize("name", ["scores.csv", "genes.csv", "differences.csv"])
def test_a_missing_file_is_named(scored: Path, name: str) -> None:
    folder = scored.with_name("tiny_c2lst") / "scores"
    (folder / name).unlink()
    with pytest.raises(InputError, match=name):
        read_scores(folder)


@pytest.mark.parametrize(("old", "new"), [("mae,", "error,"), ("blocked,", "blocked,x,y,")])
def test_a_damaged_file_is_named(scored: Path, old: str, new: str) -> None:
    file = scored.with_name("tiny_c2lst") / "scores" / "scores.csv"
    file.write_text(file.read_text().replace(old, new))
    with pytest.raises(InputError, match=r"scores.csv' cannot be read as scores"):
        read_scores(file.parent)


def test_scores_without_notes_can_be_read(scored: Path) -> None:
    folder = scored.with_name("tiny_c2lst") / "scores"
    (folder / "result.json").write_text("no json")
    assert read_scores(folder).notes == ()
