from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from napari_c2lst.common.errors import InputError
from napari_c2lst.plugin import reading


@pytest.mark.parametrize(
    "layout",
    [
        "spatialdata_zarr_v2/blobs.zarr",
        "spatialdata_zarr_v3/blobs_v3.zarr",
        "visium_v1_scanpy",
        "visium_v2_cytassist/outs",
        "visium_hd_seurat",
        "visium_hd_visiumio",
    ],
)
def test_slides_are_known_by_their_looks(shared: Path, layout: str) -> None:
    path = shared / "layouts" / layout
    if not path.exists():
        path = path.parent
    assert reading.get_reader(str(path)) is reading.read_slide
    assert reading.get_reader([str(path)]) is reading.read_slide


def test_other_things_are_left_to_others(tmp_path: Path) -> None:
    (tmp_path / "picture.png").write_bytes(b"not ours")
    zarr = tmp_path / "labels.zarr"
    zarr.mkdir()
    (zarr / "zarr.json").write_text(json.dumps({"zarr_format": 3, "node_type": "group", "attributes": {}}))
    (tmp_path / "broken.zarr").mkdir()
    (tmp_path / "broken.zarr" / "zarr.json").write_text("{")
    for name in ("picture.png", "labels.zarr", "broken.zarr", "missing.zarr", "."):
        assert reading.get_reader(str(tmp_path / name)) is None, name


def test_several_slides_are_no_stack(tmp_path: Path) -> None:
    assert reading.get_reader([str(tmp_path), str(tmp_path)]) is None
    assert reading.get_reader([]) is None


def test_layers_of_a_real_slide(shared: Path) -> None:
    layers = reading.read_slide([str(shared / "her2st" / "B4")])
    assert [kind for _, _, kind in layers] == ["image", "points"]
    (levels, options, _), (spots, spot_options, _) = layers
    assert levels[0].shape == (9923, 9272, 3)
    assert spots.shape == (283, 2)
    assert options["scale"] == spot_options["scale"]
    assert options["scale"][0] == pytest.approx(0.688, abs=0.01)


def test_a_missing_slide_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no.*gone\.zarr"):
        reading.read_slide(str(tmp_path / "gone.zarr"))


def test_the_plugin_needs_no_torch(shared: Path) -> None:
    """A GUI that loads torch for opening a slide would take seconds longer to show it."""
    path = shared / "her2st" / "B4"
    code = (
        "import sys\n"
        "from napari_c2lst.plugin import layers, reading, sample_data\n"
        f"reading.get_reader({str(path)!r})({str(path)!r})\n"
        "print(sorted({'torch', 'diffusers', 'transformers', 'accelerate'} & sys.modules.keys()))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
