from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.spots.selection_settings import WAYS, SelectSettings

GIVEN = {"fraction": 0.25, "polygon": "a.geojson", "column": "label", "suggest": 40, "ids": "a.txt"}


def _settings(**values: Any) -> SelectSettings:
    return SelectSettings.resolve(slide="s.zarr", name="train", **values)


@pytest.mark.parametrize("way", WAYS)
def test_one_way_is_enough(way: str) -> None:
    extra = {"equals": ("Tumor",)} if way == "column" else {}
    settings = _settings(**{way: GIVEN[way]}, **extra)
    settings.check()
    assert settings.way == way


def test_no_way() -> None:
    with pytest.raises(
        InputError, match="nothing says which spots to choose: --fraction, --polygon, --column"
    ) as caught:
        _settings().check()
    assert "c2lst select slide.zarr --name train --fraction 0.25" in caught.value.hint


def test_two_ways() -> None:
    with pytest.raises(InputError, match="--fraction and --ids both choose the spots"):
        _settings(fraction=0.25, ids="a.txt").check()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"fraction": 0.5, "equals": ("A",)}, "--equals belongs to --column"),
        ({"fraction": 0.5, "polygon_class": ("A",)}, "--polygon-class belongs to --polygon"),
        ({"fraction": 0.5, "polygon_system": "global"}, "--polygon-system belongs to --polygon"),
        ({"suggest": 40, "split": "blocked"}, "--split blocked belongs to --fraction"),
        ({"column": "label"}, "--column label says no value"),
    ],
)
def test_settings_of_another_way(values: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        _settings(**values).check()


@pytest.mark.parametrize(
    "values",
    [{"fraction": 0}, {"fraction": 1.5}, {"suggest": 0}, {"min_counts": -1}, {"min_tissue": 2}, {"split": "both"}],
)
def test_bounds(values: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=next(iter(values))):
        _settings(**values)


def test_names_are_required() -> None:
    with pytest.raises(InputError, match="slide is missing; name is missing"):
        SelectSettings.resolve()


def test_every_field_has_help() -> None:
    assert all(info.help for info in SelectSettings.fields_info())
    assert [info.name for info in SelectSettings.fields_info() if info.positional] == ["slide"]


def test_importing_settings_is_cheap() -> None:
    code = (
        "import sys, napari_c2lst.slides.spots.selection_settings; print({'torch', 'spatialdata'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
