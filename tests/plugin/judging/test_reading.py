"""Scores come back as they were computed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.plugin.judging.made import score, scores_of
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


# -- what another program, a later version or a full disk left behind


def edit(scored: Path, name: str, old: str, new: str) -> Path:
    """Change a file of the scores; returns their folder."""
    file = scored.with_name("tiny_c2lst") / "scores" / name
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    return file.parent


@pytest.mark.parametrize("name", ["scores.csv", "genes.csv", "differences.csv"])
def test_an_arm_of_a_later_version_is_refused_before_it_is_drawn(scored: Path, name: str) -> None:
    folder = edit(scored, name, "ridge", "transformer")
    with pytest.raises(InputError, match="there is no arm 'transformer'") as refused:
        read_scores(folder)
    assert name in refused.value.message
    assert "update napari-c2lst" in refused.value.hint


def test_a_file_without_any_line_is_no_scores(scored: Path) -> None:
    folder = scored.with_name("tiny_c2lst") / "scores"
    for name in ("scores.csv", "genes.csv", "differences.csv"):
        (folder / name).write_text((folder / name).read_text().splitlines()[0] + "\n")
    scores = read_scores(folder)
    assert scores.scores == scores.genes == scores.differences == ()
    assert scores.blocks == ()
    assert scores.of_block("blocked") == ()


def test_an_empty_file_is_no_scores(scored: Path) -> None:
    folder = scored.with_name("tiny_c2lst") / "scores"
    (folder / "scores.csv").write_text("")
    assert read_scores(folder).scores == ()


def test_a_line_that_was_cut_off_is_named(scored: Path) -> None:
    file = scored.with_name("tiny_c2lst") / "scores" / "scores.csv"
    file.write_text(file.read_text()[:-30])
    with pytest.raises(InputError, match=r"scores.csv' cannot be read as scores") as refused:
        read_scores(file.parent)
    assert "another folder" in refused.value.hint


def test_bytes_that_are_no_text_are_named(scored: Path) -> None:
    file = scored.with_name("tiny_c2lst") / "scores" / "genes.csv"
    file.write_bytes(b"\xff\xfe\x00" + file.read_bytes())
    with pytest.raises(InputError, match=r"genes.csv' cannot be read as scores"):
        read_scores(file.parent)


def test_a_folder_in_the_place_of_a_file_is_named(scored: Path) -> None:
    file = scored.with_name("tiny_c2lst") / "scores" / "genes.csv"
    file.unlink()
    file.mkdir()
    with pytest.raises(InputError, match=r"genes.csv' cannot be read"):
        read_scores(file.parent)


def test_an_error_that_is_no_number_is_no_error(scored: Path) -> None:
    file = scored.with_name("tiny_c2lst") / "scores" / "scores.csv"
    head, first, *_ = file.read_text().splitlines()
    cells = first.split(",")
    cells[head.split(",").index("mae")] = "nan"
    file.write_text("\n".join([head, ",".join(cells)]) + "\n")
    with pytest.raises(InputError, match="an arm without a MAE"):
        read_scores(file.parent)


def test_an_r_that_is_no_number_is_none(scored: Path) -> None:
    file = scored.with_name("tiny_c2lst") / "scores" / "genes.csv"
    head, *lines = file.read_text().splitlines()
    at = head.split(",").index("r")
    cut = [line.split(",") for line in lines]
    file.write_text("\n".join([head, *(",".join([*cells[:at], "nan", *cells[at + 1 :]]) for cells in cut)]) + "\n")
    assert all(row.r is None for row in read_scores(file.parent).genes)


@pytest.mark.parametrize("text", ["[]", '"notes"', '{"notes": []}', "{}"])
def test_any_result_can_lack_notes(scored: Path, text: str) -> None:
    folder = scored.with_name("tiny_c2lst") / "scores"
    (folder / "result.json").write_text(text)
    assert read_scores(folder).notes == ()


def test_a_gene_with_a_comma_in_its_name_comes_back(scored: Path) -> None:
    folder = scored.with_name("tiny_c2lst") / "scores"
    name = read_scores(folder).genes[0].gene
    edit(scored, "genes.csv", f",{name},", ',"HLA-A, like",')
    assert read_scores(folder).genes[0].gene == "HLA-A, like"


def test_blocks_of_settings_keep_the_hardest_first() -> None:
    own = [score("real", split=split, label=label) for split in ("random", "blocked") for label in ("600 steps", "")]
    scores = scores_of(own)
    assert scores.blocks == ("blocked, 600 steps", "blocked", "random, 600 steps", "random")
    assert [len(scores.of_block(block)) for block in scores.blocks] == [1, 1, 1, 1]


def test_the_newest_run_is_offered_first(scored: Path, slide: Slide) -> None:
    runs = scored.with_name("tiny_c2lst")
    make_scores(scored, "later", [trial_of(slide)])
    soon = (runs / "scores" / "result.json").stat().st_mtime + 100
    os.utime(runs / "later" / "result.json", (soon, soon))
    assert [path.name for path in runs_with_scores(runs)] == ["later", "scores"]
