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
