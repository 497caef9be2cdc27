"""Scores in words: never an error without the median predictor's and r, never more than the numbers allow."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.plugin.results import make_scores, trial_of

from napari_c2lst.evaluation.metrics import Interval
from napari_c2lst.plugin.judging.cautions import cautions
from napari_c2lst.plugin.judging.reading import Scores, read_scores
from napari_c2lst.plugin.judging.words import interval_of, number, paragraphs, strength
from napari_c2lst.slides.slide import Slide


def several(scored: Path, slide: Slide, name: str, *kinds: dict[str, object]) -> Scores:
    return read_scores(make_scores(scored, name, [trial_of(slide, **kind) for kind in kinds]))  # type: ignore[arg-type]


def test_it_says_what_was_asked_and_how_it_went(scores: Scores) -> None:
    asked, went, *_ = paragraphs(scores, "blocked")
    assert "21 spots, judged on 42 spots never seen" in asked
    assert "whole regions" in asked
    assert went.startswith("On spots it has not seen, the network trained on the training spots alone closely follows")
    real = next(score for score in scores.scores if score.arm == "real")
    assert f"r = {real.r.value:.2f} (" in went  # type: ignore[union-attr]


def test_an_error_never_stands_alone(scores: Scores) -> None:
    for text in paragraphs(scores, "blocked"):
        if "mean error" in text:
            assert "training median" in text
            assert "r = " in text
            assert "no r" in text
        if "error better" in text or "error worse" in text:
            assert "pattern (r)" in text


def test_arms_are_compared_on_the_same_spots(scores: Scores) -> None:
    said = [text for text in paragraphs(scores, "blocked") if "beside" in text]
    assert len(said) == 1
    assert said[0].startswith("“real only” beside “colours + ridge” on the same spots: pattern (r) better (+")


def test_several_seeds_are_one_mean(scored: Path, slide: Slide) -> None:
    scores = several(scored, slide, "seeds", {"seed": 0, "noise": 0.5}, {"seed": 1, "noise": 0.5}, {"seed": 2})
    assert paragraphs(scores, "blocked")[0].startswith("Mean over 3 choices of training spots")
    r = interval_of(scores.scores, "real", "r")
    assert r is not None
    assert r.over == "runs"
    assert r.n == 3


def test_without_a_network_it_says_what_to_do(scored: Path) -> None:
    folder = scored.with_name("tiny_c2lst") / "scores"
    for name in ("scores.csv", "genes.csv"):
        lines = (folder / name).read_text().splitlines(keepends=True)
        (folder / name).write_text("".join(line for line in lines if ",real,real," not in line))
    text = " ".join(paragraphs(read_scores(folder), "blocked"))
    assert "only simple baselines: predict first" in text
    assert "training median" in text


@pytest.mark.parametrize(
    ("value", "low", "words"),
    [
        (0.6, 0.5, "closely follows"),
        (0.35, 0.3, "follows"),
        (0.2, 0.1, "weakly follows"),
        (0.05, 0.01, "hardly follows"),
        (0.2, -0.1, "does not clearly follow"),
        (-0.3, -0.4, "does not clearly follow"),
    ],
)
def test_words_follow_the_number_and_its_interval(value: float, low: float, words: str) -> None:
    assert strength(Interval(value, low, value + 0.1, 42, "spots")) == words


def test_a_number_with_and_without_an_interval() -> None:
    assert number(Interval(0.156, 0.13, 0.18, 42, "spots")) == "0.16 (0.13 to 0.18)"
    assert number(Interval(0.156, None, None, 1, "runs"), 3) == "0.156"


def test_one_seed_is_a_caution_and_notes_come_last(scores: Scores) -> None:
    said = cautions(scores)
    assert any(line.startswith("One choice of training spots and one seed") for line in said)
    assert said[-1] == "The patches of 3 of the 42 scored spots overlap a training patch."


def test_an_interval_that_includes_0_is_a_caution(scores: Scores) -> None:
    *baselines, real = scores.scores
    unclear = replace(real, r=Interval(0.05, -0.02, 0.12, 42, "spots"))
    said = cautions(replace(scores, scores=(*baselines, unclear)))
    assert any("“real only”: the interval of r, 0.05 (-0.02 to 0.12), includes 0" in line for line in said)
    assert not any("includes 0" in line for line in cautions(scores))


def test_several_seeds_need_no_caution_of_one(scored: Path, slide: Slide) -> None:
    scores = several(scored, slide, "more", {"seed": 0}, {"seed": 1})
    assert not any("One choice" in line for line in cautions(scores))


def test_random_alone_is_a_caution(scored: Path, slide: Slide) -> None:
    said = cautions(several(scored, slide, "random", {"split": "random"}))
    assert any("a blocked split" in line for line in said)


def test_random_better_than_blocked_is_a_caution(scored: Path, slide: Slide) -> None:
    said = cautions(several(scored, slide, "apart", {"split": "random"}, {"split": "blocked", "flat": True}))
    assert any("Believe the second" in line and "scattered spots" in line for line in said)
    alike = cautions(several(scored, slide, "alike", {"split": "random"}, {"split": "blocked"}))
    assert not any("Believe the second" in line for line in alike)
