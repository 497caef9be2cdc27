"""Settings of `run`."""

from __future__ import annotations

from typing import Any

import pytest

from napari_c2lst.cohorts.settings import CohortSettings
from napari_c2lst.common.errors import InputError


def test_the_defaults_predict_on_this_machine() -> None:
    settings = CohortSettings.resolve(table="cohort.csv", out="out")
    assert (settings.tasks, settings.scheduler, settings.workers, settings.retries) == (["predict"], "local", 2, 1)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"tasks": []}, "nothing to do"),
        ({"tasks": ["predict", "predict"]}, "repeats itself"),
        ({"tasks": ["adapt"]}, "predict"),
        ({"cells": {"weights": "w"}}, "settings of cells are given"),
        ({"workers": 0}, "workers = 0"),
    ],
)
def test_what_cannot_be_done_is_refused(values: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        CohortSettings.resolve(table="cohort.csv", out="out", **values)
