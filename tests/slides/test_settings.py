from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.settings import ConvertSettings, InfoSettings, SlideSettings


@pytest.mark.parametrize("settings", [InfoSettings, ConvertSettings])
def test_every_way_to_open_a_slide_is_a_setting(settings: type[SlideSettings]) -> None:
    """What `open_slide` takes and what the settings offer are the same, with the same defaults."""
    parameters = inspect.signature(open_slide).parameters
    offered = settings.model_fields
    assert set(parameters) - {"path"} <= set(offered)
    for name, parameter in parameters.items():
        if name != "path":
            assert offered[name].default == parameter.default, name


def test_positional_arguments() -> None:
    def positional(settings: type[SlideSettings]) -> list[str]:
        return [field.name for field in settings.fields_info() if field.positional]

    assert positional(InfoSettings) == ["slide"]
    assert positional(ConvertSettings) == ["slide", "out"]


def test_every_field_has_help() -> None:
    for settings in (InfoSettings, ConvertSettings):
        assert settings.task in ("info", "convert")
        for field in settings.fields_info():
            assert len(field.help) > 10, field.name


@pytest.mark.parametrize("wrong", [{"mpp": 0}, {"mpp": 1e6}, {"image_scale": 0}, {"square_um": 1}, {"unknown": 1}])
def test_values_out_of_bounds(wrong: dict) -> None:
    with pytest.raises(InputError):
        InfoSettings.resolve(slide=Path("a.zarr"), **wrong)
    with pytest.raises(InputError, match="slide is missing"):
        InfoSettings.resolve(**wrong)


def test_opening_is_what_open_slide_takes() -> None:
    opening = SlideSettings(slide=Path("a.zarr"), mpp=0.5, table="t").opening
    assert set(opening) == set(SlideSettings.model_fields) - {"slide"}
    assert set(opening) <= set(inspect.signature(open_slide).parameters)
    assert (opening["mpp"], opening["table"]) == (0.5, "t")
