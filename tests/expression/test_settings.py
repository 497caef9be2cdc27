from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from napari_c2lst.common.errors import InputError
from napari_c2lst.expression.settings import FitSettings, PredictSettings, TrainSettings


def test_defaults_are_the_papers_values() -> None:
    s = TrainSettings.resolve(slide="s.zarr", out="run", preset="paper")
    assert (s.network, s.epochs, s.mix, s.count_as_ratio, s.steps) == ("resnet50", 200, "pooled", 10.0, None)
    assert (s.learning_rate, s.last_rate, s.warmup) == (1e-3, 1e-5, 0.05)


def test_small_is_for_a_cpu() -> None:
    s = TrainSettings.resolve(slide="s.zarr", out="run", device="cpu")
    assert (s.preset, s.network, s.mix, s.steps, s.count_as_ratio) == ("small", "small", "balanced", 600, 5.0)


def test_what_is_given_wins_over_the_preset() -> None:
    s = FitSettings.resolve(preset="small", steps=7, mix="pooled")
    assert (s.steps, s.mix, s.network) == (7, "pooled", "small")


@pytest.mark.parametrize(
    ("cls", "values", "message"),
    [
        (TrainSettings, {"use": "synthetic"}, "needs synthetic pairs: pass --synthetic PAIRS"),
        (TrainSettings, {"preset": "small", "weights": "folder"}, "are for network resnet50, not small"),
        (TrainSettings, {"batch": 1}, "batch"),
        (TrainSettings, {"network": "vgg"}, "network"),
        (PredictSettings, {"rasters": ["A"], "where": "spots"}, "need a grid: pass --where grid"),
        (PredictSettings, {"stride_um": 0}, "stride_um"),
    ],
)
def test_what_cannot_be_is_refused(cls: Any, values: dict[str, Any], message: str) -> None:
    needed = {"out": "run"} if cls is TrainSettings else {"predictor": "run"}
    with pytest.raises(InputError, match=message):
        cls.resolve(slide="s.zarr", **needed, **values)


@pytest.mark.parametrize("cls", [FitSettings, TrainSettings, PredictSettings])
def test_every_field_is_explained(cls: Any) -> None:
    for field in cls.fields_info():
        assert field.help, field.name
        assert len(field.help) < 160, field.name
        assert not field.help.endswith("."), field.name


def test_the_slide_comes_without_a_flag() -> None:
    for cls in (TrainSettings, PredictSettings):
        assert [f.name for f in cls.fields_info() if f.positional] == ["slide"]


def test_settings_need_no_torch() -> None:
    code = (
        "import sys, napari_c2lst.expression.settings; sys.exit(not {'torch', 'spatialdata'}.isdisjoint(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
