from __future__ import annotations

from dataclasses import replace

import pytest
from tests.evaluation.test_scoring import make_trial

from napari_c2lst.evaluation.metrics import Interval
from napari_c2lst.evaluation.records import Difference


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
