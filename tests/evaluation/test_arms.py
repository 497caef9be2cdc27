from __future__ import annotations

import re

import pytest

from napari_c2lst.common.errors import InputError
from napari_c2lst.evaluation.arms import ARMS, BASELINES, COMPARISONS, TRAINED, arm_named, is_arm


def test_every_arm_is_either_baseline_or_trained() -> None:
    assert BASELINES + TRAINED == ARMS
    assert [arm.key for arm in BASELINES] == ["mean", "median", "ridge"]
    assert [arm.key for arm in TRAINED] == ["real", "synthetic", "real+synthetic"]


def test_arms_can_be_told_apart() -> None:
    for name in ("key", "label", "colour", "meaning"):
        assert len({getattr(arm, name) for arm in ARMS}) == len(ARMS)


def test_only_constants_have_no_correlation() -> None:
    assert [arm.key for arm in ARMS if arm.constant] == ["mean", "median"]


def test_the_first_question_is_whether_synthetic_pairs_help() -> None:
    assert COMPARISONS[0] == ("real+synthetic", "real")
    assert all(is_arm(key) for pair in COMPARISONS for key in pair)


def test_unknown_arm() -> None:
    assert not is_arm("magic")
    with pytest.raises(InputError, match="no arm 'magic'"):
        arm_named("magic")


def test_only_arms_that_ignore_the_patch_are_grey() -> None:
    for arm in ARMS:
        assert re.fullmatch("#[0-9A-Fa-f]{6}", arm.colour)
    greys = [arm.key for arm in ARMS if len({arm.colour[i : i + 2] for i in (1, 3, 5)}) == 1]
    assert greys == ["mean", "median"]  # what ignores the patch has no colour


def test_every_trained_arm_is_asked_about() -> None:
    assert {first for first, _ in COMPARISONS} == {arm.key for arm in TRAINED}
    assert all(first != second for first, second in COMPARISONS)
    assert len(set(COMPARISONS)) == len(COMPARISONS)


def test_an_arm_is_found_by_its_key_and_the_hint_names_all() -> None:
    for arm in ARMS:
        assert arm_named(arm.key) is arm
    with pytest.raises(InputError) as caught:
        arm_named("Real")  # keys are names, not words: their case counts
    assert caught.value.hint == "arms are mean, median, ridge, real, synthetic, real+synthetic"
