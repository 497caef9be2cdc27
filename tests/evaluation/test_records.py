from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest
from tests.evaluation.test_scoring import make_trial

from napari_c2lst.evaluation.metrics import Interval
from napari_c2lst.evaluation.records import Difference, block_name
from napari_c2lst.evaluation.scoring import differences, score_trial


@pytest.mark.parametrize(
    ("error", "pattern", "words"),
    [
        ((-0.02, -0.03, -0.01), (0.1, 0.05, 0.2), "better in both"),
        ((0.02, 0.01, 0.03), (-0.1, -0.2, -0.05), "worse in both"),
        ((0.0, -0.01, 0.01), (0.0, -0.1, 0.1), "no clear difference in either"),
        ((-0.02, -0.03, -0.01), (0.0, -0.1, 0.1), "MAE: better; r: no clear difference"),
        ((-0.02, -0.03, -0.01), None, "MAE: better"),
        ((-0.02, None, None), None, "MAE: no clear difference"),
    ],
)
def test_verdict_says_no_more_than_the_intervals(error: tuple, pattern: tuple | None, words: str) -> None:
    r = None if pattern is None else Interval(*pattern, 50, "spots")
    assert Difference("random", "real+synthetic", "real", Interval(*error, 50, "spots"), r).verdict == words


def test_blocks_keep_settings_apart() -> None:
    assert make_trial("blocked", 2).block == "blocked"
    assert replace(make_trial(), label="600 steps").block == "random, 600 steps"


def interval(*ends: float | None) -> Interval:
    return Interval(*ends, 50, "spots")


@pytest.mark.parametrize(
    ("error", "pattern", "words"),
    [
        ((0.02, 0.01, 0.03), (0.1, 0.05, 0.2), "MAE: worse; r: better"),
        ((0.0, -0.01, 0.01), (-0.1, -0.2, -0.05), "MAE: no clear difference; r: worse"),
        ((0.02, 0.01, 0.03), None, "MAE: worse"),
        ((-0.02, -0.03, 0.0), None, "MAE: no clear difference"),  # an end at 0 is not clear
    ],
)
def test_verdict_of_mixed_signs(error: tuple, pattern: tuple | None, words: str) -> None:
    r = None if pattern is None else interval(*pattern)
    assert Difference("blocked", "real", "ridge", interval(*error), r).verdict == words


def test_trial_score_and_difference_of_one_block_share_its_name() -> None:
    trial = replace(make_trial("blocked", 1), label="12 genes")
    scores, found = score_trial(trial, draws=100), differences([trial], draws=100)
    assert {one.block for one in (trial, *scores, *found)} == {"blocked, 12 genes"}


def test_names_of_blocks() -> None:
    assert block_name("random", "") == "random"
    assert block_name("polygon", "6 steps, 12 genes") == "polygon, 6 steps, 12 genes"


def test_records_cannot_be_changed_by_who_reads_them() -> None:
    with pytest.raises(FrozenInstanceError):
        make_trial().split = "blocked"  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        score_trial(make_trial(), draws=100)[0].r = None  # type: ignore[misc]


def test_a_baseline_has_no_run_no_steps_and_no_seed() -> None:
    baseline = next(entry for entry in make_trial().entries if entry.arm == "median")
    assert (baseline.run, baseline.steps, baseline.seed) == ("", None, None)


def test_a_difference_without_an_interval_claims_nothing() -> None:
    one_run = Difference("random", "real", "median", interval(-0.5, None, None), interval(0.9, None, None))
    assert one_run.verdict == "no clear difference in either"


@pytest.mark.parametrize(("low", "high", "clear"), [(0.1, 0.2, True), (-0.2, -0.1, True), (-0.1, 0.1, False)])
def test_better_is_said_only_of_an_interval_on_one_side(low: float, high: float, clear: bool) -> None:
    middle = (low + high) / 2
    words = Difference("random", "a", "b", interval(middle, low, high), None).verdict
    assert (words != "MAE: no clear difference") is clear
    assert ("better" in words) is (clear and middle < 0)
    turned = Difference("random", "b", "a", interval(-middle, -high, -low), None).verdict
    assert ("worse" in turned) is ("better" in words)


def test_labels_name_blocks_of_trials_not_of_splits() -> None:
    long, short = (replace(make_trial("blocked", 1), label=label) for label in ("600 steps", "6 steps"))
    assert long.split == short.split
    assert long.block != short.block
    assert {row.block for row in differences([long, short], draws=100)} == {long.block, short.block}


def test_scores_keep_what_their_trial_says() -> None:
    trial = replace(make_trial("polygon", None), scale=812.0, n_buffer=7)
    for score in score_trial(trial, draws=100):
        assert (score.split, score.seed, score.scale, score.n_train) == ("polygon", None, 812.0, 25)
        assert score.n_test == len(trial.test) == len(trial.truth)


def test_records_of_the_same_numbers_are_equal_but_trials_are_themselves() -> None:
    first, again = (score_trial(make_trial(), draws=100)[0] for _ in range(2))
    assert first == again
    assert make_trial() != make_trial()  # arrays have no one answer to "equal"
