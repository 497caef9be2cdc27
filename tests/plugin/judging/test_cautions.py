"""What must be kept in mind: said where it is so, and nowhere else."""

from __future__ import annotations

import pytest
from tests.plugin.judging.made import score, scores_of, spots, usual

from napari_c2lst.evaluation.metrics import Interval
from napari_c2lst.evaluation.records import Score
from napari_c2lst.evaluation.settings import EvaluateSettings
from napari_c2lst.plugin.forms.labels import label_of
from napari_c2lst.plugin.judging.cautions import APART, cautions
from napari_c2lst.plugin.judging.reading import Scores


def unclear(scores: Scores) -> list[str]:
    return [line for line in cautions(scores) if "includes 0" in line]


def one_seed(scores: Scores) -> list[str]:
    return [line for line in cautions(scores) if line.startswith("One choice of training spots")]


def neighbours(scores: Scores) -> list[str]:
    return [line for line in cautions(scores) if "Believe the second" in line]


def trials(split: str, r: float, n: int = 2) -> list[Score]:
    return [score("real", r=spots(r), split=split, seed=seed) for seed in range(n)]


def test_a_clear_network_on_whole_regions_has_one_caution() -> None:
    said = cautions(usual())
    assert said == one_seed(usual())
    (rerun,) = (info for info in EvaluateSettings.fields_info() if info.name == "rerun")
    assert f"“{label_of(rerun)}”" in said[0]  # as the form calls it


@pytest.mark.parametrize("low", [-0.02, 0.0])
def test_an_r_that_may_be_0_is_said_of_networks(low: float) -> None:
    doubtful = score("real", r=Interval(0.05, low, 0.12, 42, "spots"))
    assert unclear(scores_of([doubtful]))[0].startswith("“real only”: the interval of r, 0.05")


def test_a_baseline_is_not_doubted() -> None:
    assert not unclear(scores_of([score("ridge", r=Interval(0.05, -0.1, 0.2, 42, "spots"))]))


def test_no_r_and_no_interval_are_no_doubt() -> None:
    assert not unclear(scores_of([score("real")]))
    assert not unclear(scores_of([score("real", r=Interval(0.05, None, None, 1, "runs"))]))


def test_a_clearly_negative_r_is_no_doubt() -> None:
    assert not unclear(scores_of([score("real", r=Interval(-0.3, -0.4, -0.2, 42, "spots"))]))


def test_several_seeds_that_disagree_are_doubted() -> None:
    own = [score("real", r=spots(r), seed=seed) for seed, r in enumerate((0.3, -0.2, 0.1))]
    assert len(unclear(scores_of(own))) == 1
    assert not one_seed(scores_of(own))


def test_two_runs_of_one_trial_are_one_choice_of_spots() -> None:
    assert one_seed(scores_of([score("real", run="one"), score("real", run="two")]))


def test_with_two_kinds_of_split_each_caution_names_its_own() -> None:
    doubtful = Interval(0.05, -0.1, 0.2, 42, "spots")
    own = [score("real", r=doubtful, split="random"), *trials("blocked", 0.3)]
    scores = scores_of(own)
    assert [line for line in one_seed(scores) if "of the random split" in line]
    assert len(one_seed(scores)) == 1
    assert "(random split)" in unclear(scores)[0]


def test_scattered_spots_alone_are_a_caution() -> None:
    alone = cautions(scores_of(trials("random", 0.4)))
    assert len(alone) == 1
    assert "holds out whole regions" in alone[0]
    assert not cautions(scores_of([*trials("random", 0.4), *trials("blocked", 0.4)]))


def test_a_hand_made_split_is_not_called_scattered() -> None:
    assert not cautions(scores_of(trials("drawn", 0.4)))


@pytest.mark.parametrize(("blocked", "said"), [(0.1, 1), (0.4 - 0.9 * APART, 0), (0.5, 1)])
def test_splits_that_differ_are_said(blocked: float, said: int) -> None:
    scores = scores_of([*trials("random", 0.4), *trials("blocked", blocked)])
    assert len(neighbours(scores)) == said


def test_both_numbers_are_told() -> None:
    (line,) = neighbours(scores_of([*trials("random", 0.4), *trials("blocked", 0.1)]))
    assert "r is 0.40 on scattered spots, 0.10 on whole regions" in line


def test_without_r_on_one_side_nothing_is_compared() -> None:
    own = [*trials("random", 0.4), score("real", seed=0), score("real", seed=1)]
    assert not neighbours(scores_of(own))


def test_notes_come_last_as_sentences_and_empty_ones_not_at_all() -> None:
    said = cautions(scores_of(trials("blocked", 0.4), notes=("a patch overlaps", "", "GENE1 is missing")))
    assert said == ["A patch overlaps.", "GENE1 is missing."]


def test_no_scores_no_cautions() -> None:
    assert cautions(scores_of([])) == []
