"""Scores in words: never an error without the median predictor's and r, never more than the numbers allow."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.plugin.judging.made import difference, score, scores_of, spots, usual
from tests.plugin.results import make_scores, trial_of

from napari_c2lst.evaluation.metrics import Interval
from napari_c2lst.evaluation.records import Difference
from napari_c2lst.plugin.judging.cautions import cautions
from napari_c2lst.plugin.judging.reading import Scores, read_scores
from napari_c2lst.plugin.judging.words import interval_of, number, paragraphs, strength, trials_of
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
        (-0.3, -0.4, "runs against"),
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


# -- made up by hand: what the words must never claim


def best(scores: Scores) -> str:
    return paragraphs(scores, "blocked")[1]


def test_nothing_scored_is_said() -> None:
    assert paragraphs(scores_of([]), "blocked") == ["Nothing was scored here."]
    assert paragraphs(usual(), "random") == ["Nothing was scored here."]


def test_a_network_that_clearly_runs_against_the_pattern_is_said_so() -> None:
    assert strength(Interval(-0.3, -0.4, -0.2, 42, "spots")) == "runs against"
    assert strength(Interval(-0.3, None, None, 1, "runs")) == "runs against"
    assert strength(Interval(-0.1, -0.3, 0.1, 42, "spots")) == "does not clearly follow"


def test_a_mean_r_says_over_how_many_genes_it_is() -> None:
    of = {n: score("real", r=spots(0.4), genes_with_r=n) for n in (12, 9)}
    assert "(mean over 12 genes)" in best(scores_of([of[12]]))
    assert "(mean over the 9 of 12 genes that vary)" in best(scores_of([of[9]]))


def test_the_best_network_is_that_with_the_best_pattern_not_the_least_error() -> None:
    scores = scores_of([score("real", 0.3, spots(0.1)), score("synthetic", 0.6, spots(0.4))])
    assert "synthetic pairs alone follows" in best(scores)


def test_of_equal_patterns_the_smaller_error_is_the_best() -> None:
    scores = scores_of([score("real", 0.3), score("synthetic", 0.6)])
    assert "training spots alone says the same everywhere: it follows no pattern (r: none)" in best(scores)
    assert "0.300" in best(scores)


def test_what_simple_predictors_do_stands_beside() -> None:
    text = best(usual())
    assert "mean error of 0.500, and no r: it shows no pattern" in text
    assert "reach r = 0.10 with a mean error of 0.480" in text


def test_missing_baselines_are_not_made_up() -> None:
    text = best(scores_of([score("real", 0.45, spots(0.4))]))
    assert "median" not in text
    assert "ridge" not in text


def test_colours_that_show_no_pattern_are_said_to_have_no_r() -> None:
    assert "reach r = none" in best(scores_of([score("ridge", 0.48), score("real", 0.45, spots(0.4))]))


def test_trials_of_different_sizes_name_the_range() -> None:
    own = [score("real", r=spots(0.3), seed=seed, n_test=n) for seed, n in enumerate((40, 44, 42))]
    assert "each judged on 40 to 44 spots" in paragraphs(scores_of(own), "blocked")[0]


def test_a_hand_made_split_is_named() -> None:
    scores = scores_of([score("real", r=spots(0.3), split="drawn")])
    assert "training spots were chosen by drawn" in paragraphs(scores, "drawn")[0]


def compared(*differences: Difference) -> list[str]:
    return paragraphs(scores_of(usual().scores, differences=differences), "blocked")[2:]


def test_a_difference_whose_interval_holds_0_is_none() -> None:
    (line,) = compared(difference("real", "ridge", spots(-0.01), spots(0.01)))
    assert line.endswith("pattern (r) not clearly different, error not clearly different.")


def test_better_and_worse_are_not_mixed_up() -> None:
    (line,) = compared(difference("real", "ridge", spots(0.05), spots(0.3)))
    assert line.endswith("pattern (r) better (+0.300), error worse (+0.050).")
    (line,) = compared(difference("real", "ridge", spots(-0.05), spots(-0.3)))
    assert line.endswith("pattern (r) worse (−0.300), error better (−0.050).")


def test_without_r_on_both_sides_none_is_compared() -> None:
    (line,) = compared(difference("real", "ridge", spots(-0.05), None))
    assert "no r to compare" in line


def test_questions_nobody_asks_are_left_out() -> None:
    assert (
        compared(difference("real", "median", spots(-0.05), None), difference("ridge", "mean", spots(0.1), None)) == []
    )


def test_other_blocks_are_left_out() -> None:
    assert compared(Difference("random", "real", "ridge", spots(-0.1), None)) == []


def test_several_runs_of_an_arm_are_told_apart() -> None:
    one, two = (difference("real", "ridge", spots(-0.1), None, first_run=run) for run in ("early", "late"))
    first, second = compared(one, two)
    assert first.startswith("“real only [early]” beside “colours + ridge”")
    assert second.startswith("“real only [late]”")
    (alone,) = compared(one)
    assert alone.startswith("“real only” beside")


def test_an_interval_of_runs_needs_two() -> None:
    one = interval_of([score("real", 0.4)], "real", "mae")
    assert one is not None
    assert one.over == "spots"
    two = interval_of([score("real", 0.4), score("real", 0.6, seed=1)], "real", "mae")
    assert two is not None
    assert (two.value, two.over, two.n) == (0.5, "runs", 2)
    assert interval_of([score("real", 0.4)], "real", "r") is None
    assert interval_of([], "real", "mae") is None


def test_a_trial_counts_once_whatever_was_scored_on_it() -> None:
    own = [score(arm, seed=seed) for seed in (0, 1) for arm in ("mean", "real")]
    assert trials_of(own) == [(0, 21, 42), (1, 21, 42)]
