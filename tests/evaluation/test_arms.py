from __future__ import annotations

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
