from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from napari_c2lst.common.errors import InputError
from napari_c2lst.evaluation.settings import EvaluateSettings


def resolve(**values: Any) -> EvaluateSettings:
    return EvaluateSettings.resolve(slide="slide.zarr", device="cpu", **values)


def test_only_the_slide_is_needed() -> None:
    settings = resolve()
    assert settings.out.name == "scores"
    assert not settings.rerun
    assert settings.spots == "train"


def test_presets_differ_in_the_ratio() -> None:
    assert (resolve(preset="paper").ratio, resolve(preset="small").ratio, resolve(ratio=3).ratio) == (10, 5, 3)


def test_texts_of_the_command_line_become_numbers() -> None:
    settings = resolve(rerun=True, seeds=["0", "7"], splits=["blocked"])
    assert (settings.seeds, settings.splits) == ([0, 7], ["blocked"])


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"rerun": True, "predictors": ["a"]}, "trains its own predictors"),
        ({"rerun": True, "splits": []}, "at least one split"),
        ({"seeds": [1, 1]}, "repeats itself"),
        ({"seeds": [-1]}, "must not be negative"),
        ({"splits": ["diagonal"]}, "diagonal"),
        ({"fraction": 1.0}, "fraction"),
        ({"magic": 1}, "no setting 'magic'"),
    ],
)
def test_bad_settings_are_refused(values: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        resolve(**values)


def test_every_field_has_help() -> None:
    assert all(field.help for field in EvaluateSettings.fields_info())


def test_settings_load_without_torch() -> None:
    code = "import sys, napari_c2lst.evaluation.settings; print('torch' in sys.modules, 'matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"rerun": True, "runs": ["a"]}, "leave predictors and runs out"),
        ({"rerun": True, "seeds": []}, "at least one split, one seed"),
        ({"rerun": True, "arms": []}, "at least one split, one seed and one arm"),
        ({"arms": ["real", "real"]}, "arms = .* repeats itself"),
        ({"splits": ["random", "random"]}, "splits = .* repeats itself"),
        ({"arms": ["magic"]}, "magic"),
        ({"cells": "embedded"}, "name pairs as well"),
        ({"draws": 99}, "draws"),
        ({"ratio": 0}, "ratio"),
        ({"fraction": 0.0}, "fraction"),
        ({"fraction": float("nan")}, "fraction"),
        ({"cells_patches": 1}, "cells_patches"),
        ({"seeds": ["one"]}, "seeds"),
        ({"adapt": "fast"}, "adapt"),
    ],
)
def test_settings_that_cannot_be_done_are_refused_before_any_work(values: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        resolve(**values)


def test_all_faults_are_said_at_once() -> None:
    with pytest.raises(InputError, match=r"draws = 1: .*; ratio = 0: .*"):
        resolve(draws=1, ratio=0)


@pytest.mark.parametrize("beside", [{"pairs": "pairs"}, {"predictors": ["run"]}, {"rerun": True}])
def test_cells_need_something_synthetic_to_compare_with(beside: dict[str, Any]) -> None:
    assert resolve(cells="embedded", **beside).cells == "embedded"
