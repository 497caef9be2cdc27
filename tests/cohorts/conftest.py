"""Three tiny slides, a predictor, and a table of them."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.expression.conftest import small_central, store_once, trained_once

from napari_c2lst.cohorts.settings import CohortSettings

__all__ = ["small_central", "store_once", "trained_once"]


@pytest.fixture
def slides(store_once: Path, tmp_path: Path) -> list[Path]:
    return [Path(shutil.copytree(store_once, tmp_path / f"{name}.zarr")) for name in ("a", "b", "c")]


@pytest.fixture
def write_table(tmp_path: Path) -> Callable[..., Path]:
    def write(rows: Sequence[dict[str, Any]], name: str = "cohort.csv") -> Path:
        path = tmp_path / name
        with path.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        return path

    return write


@pytest.fixture
def settings(trained_once: Path, tmp_path: Path) -> Callable[..., CohortSettings]:
    def make(table: Path, **values: Any) -> CohortSettings:
        predict = {"predictor": str(trained_once), "device": "cpu", **values.pop("predict", {})}
        return CohortSettings.resolve(table=table, out=tmp_path / "out", predict=predict, **values)

    return make
