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
