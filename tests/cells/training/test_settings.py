from __future__ import annotations

from pathlib import Path

import pytest

from napari_c2lst.cells.training.settings import TrainCellsSettings
from napari_c2lst.common.errors import InputError


def resolve(**values: object) -> TrainCellsSettings:
    return TrainCellsSettings.resolve(**{"data": (Path("data"),), "out": Path("run"), "device": "cpu", **values})


def test_the_papers_values() -> None:
    s = resolve(preset="paper")
    assert (s.epochs, s.learning_rate, s.rate_schedule, s.width, s.mode) == ((50, 50), 1e-4, "step", 1.0, "fast")


def test_a_cpu_gets_a_narrow_network_that_knows_coarse_scans() -> None:
    s = resolve()
    assert (s.width, s.epochs[0], s.half) == (0.25, 0, True)
    assert s.degraded_share > 0
    assert s.degraded_mpp == 0.7


@pytest.mark.parametrize(("values", "px"), [({}, 256), ({"mode": "original"}, 270), ({"patch_px": 320}, 320)])
def test_input_size(values: dict[str, object], px: int) -> None:
    assert resolve(preset="paper", **values).input_px == px


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"epochs": (0, 0)}, "at least one phase needs an epoch"),
        ({"epochs": (-1, 5)}, "none fewer than 0"),
        ({"batch": (0, 4)}, "at least one patch"),
        ({"merge": (1, -2)}, "merge"),
        ({"mpp": 0}, "mpp"),
        ({"epochs": (1, 2, 3)}, "epochs"),
        ({"degraded_share": 1.5}, "degraded_share"),
    ],
)
def test_values_that_cannot_be(values: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        resolve(**values)


def test_data_are_needed() -> None:
    with pytest.raises(InputError, match="data is missing"):
        TrainCellsSettings.resolve(out=Path("run"), device="cpu")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"merge": (1, 300)}, r"merge = \(1, 300\): types are 0 \(none\), 1, 2, ... 255"),
        ({"types": ("round", "long", "round")}, "two types are called 'round'"),
        ({"types": ("round", "")}, "'' is no name of a type"),
        ({"types": ("untyped",)}, "'untyped' is no name of a type"),
        ({"patch_px": 64}, "patch_px"),
        ({"warmup": 1.0}, "warmup"),
        ({"mode": "quick"}, "mode"),
    ],
)
def test_what_would_fail_after_the_training(values: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        resolve(**values)
