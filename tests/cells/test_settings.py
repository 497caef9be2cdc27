from pathlib import Path

import pytest

from napari_c2lst.cells.settings import CellsSettings
from napari_c2lst.common.errors import InputError


def test_presets() -> None:
    small = CellsSettings.resolve(slide="s.zarr", preset="small")
    assert (small.tile_px, small.batch, small.weights) == (384, 2, "embedded")
    assert CellsSettings.resolve(slide="s.zarr", preset="paper").tile_px == 512


def test_tiles_fit_the_networks_stride(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="tile_px = 500 is no multiple of 8"):
        CellsSettings.resolve(slide="s.zarr", tile_px=500)
    with pytest.raises(InputError, match="is a folder"):
        CellsSettings.resolve(slide="s.zarr", geojson=tmp_path)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"tile_px": 56}, "tile_px"),
        ({"tile_px": 8192}, "tile_px"),
        ({"batch": 0}, "batch"),
        ({"density": 0}, "density"),
        ({"density": 4.5}, "density"),
        ({"resume": "perhaps"}, "resume"),
        ({"weight": "embedded"}, "there is no setting 'weight'"),
    ],
)
def test_values_that_cannot_be(values: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        CellsSettings.resolve(slide="s.zarr", **values)
    assert caught.value.hint == "see 'c2lst cells --help'"


@pytest.mark.parametrize("name", ["slide.svs", "B4.tif", "notes"])
def test_a_file_of_something_else_is_not_written_over(tmp_path: Path, name: str) -> None:
    """A slip of the hand, as the slide itself after --geojson, must not cost the slide."""
    (tmp_path / name).write_bytes(b"dear")
    with pytest.raises(InputError, match=f"{name}' is there and is no GeoJSON: name another file"):
        CellsSettings.resolve(slide="s.zarr", geojson=tmp_path / name)


@pytest.mark.parametrize("name", ["nuclei.geojson", "nuclei.JSON", "new.txt"])
def test_geojson_of_before_is_replaced_and_a_new_file_may_have_any_name(tmp_path: Path, name: str) -> None:
    if name != "new.txt":
        (tmp_path / name).write_text("{}")
    assert CellsSettings.resolve(slide="s.zarr", geojson=tmp_path / name).geojson == tmp_path / name
