from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from spatialdata.transformations import Scale
from tests.slides.stores import make_tiny_legacy, make_tiny_store, tiny_counts, tiny_image, tiny_positions

from napari_c2lst.common.errors import InputError
from napari_c2lst.common.reporter import RecordingReporter
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.spots.selecting import SelectResult, run
from napari_c2lst.slides.spots.selection_settings import SelectSettings
from napari_c2lst.slides.spots.splitting import blocked_split, random_split, training_number
from napari_c2lst.slides.spots.spotsets import SpotSet, read_spot_set, spot_set_names
from napari_c2lst.slides.spots.suggesting import suggest_spots


def _select(path: Path, reporter: RecordingReporter | None = None, **values: Any) -> SelectResult:
    return run(SelectSettings.resolve(slide=path, **{"name": "train", **values}), reporter or RecordingReporter())


def _stored(path: Path, name: str = "train") -> SpotSet:
    return read_spot_set(open_slide(path), name)


def _polygons(tmp_path: Path, *boxes: tuple[float, float, float, float]) -> Path:
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Polygon", "coordinates": [[[a, b], [c, b], [c, d], [a, d], [a, b]]]},
            "properties": {"classification": {"name": f"class {i}"}},
        }
        for i, (a, b, c, d) in enumerate(boxes)
    ]
    path = tmp_path / "shapes.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def test_a_random_share(tiny_store: Path) -> None:
    result = _select(tiny_store, fraction=0.25, seed=3)
    assert (result.selected, result.held_out, result.left_out) == (16, 47, 0)
    assert result.share == pytest.approx(16 / 63)
    assert result.path == tiny_store
    stored = _stored(tiny_store)
    assert np.array_equal(stored.mask, random_split(63, 0.25, 3))
    assert stored.how == {"fraction": 0.25, "seed": 3, "split": "random"}


def test_what_is_said(tiny_store: Path) -> None:
    lines = _select(tiny_store, fraction=0.25, min_counts=1).lines()
    assert lines[0] == "spot set 'train': 16 of 63 spots selected (25.4 %), 47 held out, 0 left out"
    assert lines[1] == "left out: 0 spots with fewer than 1 counts"
    assert "share tissue with a training patch" in lines[2]
    assert lines[-1] == f"written: table 'c2lst_set_train' of {tiny_store}"
    assert "cannot be scored" in "\n".join(_select(tiny_store, name="all", fraction=1.0).lines())


def test_a_blocked_share(tiny_store: Path) -> None:
    result = _select(tiny_store, fraction=0.25, split="blocked")
    _, yx = tiny_positions()
    training, buffer = blocked_split(yx * 2.5, 0.25, 0)
    stored = _stored(tiny_store)
    assert np.array_equal(stored.mask, training)
    assert np.array_equal(stored.left_out, buffer)
    assert (result.selected, result.buffer, result.overlapping) == (16, int(buffer.sum()), 0)
    assert "whose patch overlaps a training patch" in "\n".join(result.lines())


def test_polygons_every_shape_counts(tiny_store: Path, tmp_path: Path) -> None:
    reporter = RecordingReporter()
    file = _polygons(tmp_path, (0, 0, 100, 300), (300, 0, 400, 300))
    result = _select(tiny_store, reporter, polygon=file)
    _, yx = tiny_positions()
    assert np.array_equal(_stored(tiny_store).mask, (yx[:, 1] <= 100) | (yx[:, 1] >= 300))
    assert result.selected == _stored(tiny_store).mask.sum()
    assert reporter.messages[-1] == f"2 shapes (1 class 0, 1 class 1) in {file}"
    one = _select(tiny_store, name="one", polygon=file, polygon_class=("class 1",))
    assert one.selected == (yx[:, 1] >= 300).sum()
    assert _stored(tiny_store, "one").how["classes"] == ["class 1"]


def test_a_column(tiny_store: Path) -> None:
    _select(tiny_store, column="cluster", equals=("left",))
    assert np.array_equal(_stored(tiny_store).mask, tiny_positions()[0][:, 1] <= 8)


def test_ids(tiny_store: Path, tmp_path: Path) -> None:
    ids = open_slide(tiny_store).require_spots().ids[10:20]
    (tmp_path / "ids.txt").write_text("\n".join(ids))
    _select(tiny_store, ids=tmp_path / "ids.txt")
    assert _stored(tiny_store).ids.tolist() == ids.tolist()


def test_suggestions(tiny_store: Path) -> None:
    reporter = RecordingReporter()
    _select(tiny_store, reporter, suggest=10)
    assert np.array_equal(_stored(tiny_store).mask, suggest_spots(open_slide(tiny_store), 10))
    assert reporter.of_kind("progress")
    lines = "\n".join(_select(tiny_store, name="more", suggest=10).lines())
    assert "share tissue with a training patch" in lines
    assert "--split blocked" not in lines  # which belongs to --fraction


def test_low_spots_are_neither_selected_nor_scored(tiny_store: Path) -> None:
    counts = tiny_counts(tiny_positions()[0]).sum(axis=1)
    threshold = float(np.median(counts))
    result = _select(tiny_store, fraction=0.5, min_counts=threshold)
    low = counts < threshold
    stored = _stored(tiny_store)
    assert np.array_equal(stored.left_out, low)
    assert stored.mask.sum() == round(0.5 * (~low).sum())
    assert result.low == {f"fewer than {threshold:g} counts": int(low.sum())}
    assert stored.how["min_counts"] == threshold


def test_low_tissue_is_left_out_of_every_way(tiny_store: Path) -> None:
    result = _select(tiny_store, column="cluster", equals=("left", "right"), min_tissue=0.5, min_genes=1)
    assert 0 < result.left_out < 40
    assert result.low == {"fewer than 1 genes": 0, "less than 50 % tissue": result.left_out}
    assert _select(tiny_store, name="s", suggest=10, min_tissue=0.5).left_out == result.left_out


def test_names_are_kept_unless_replaced(tiny_store: Path) -> None:
    _select(tiny_store, fraction=0.25)
    with pytest.raises(InputError, match="already has a spot set 'train'"):
        _select(tiny_store, fraction=0.5)
    assert _stored(tiny_store).mask.sum() == 16
    _select(tiny_store, fraction=0.5, replace=True)
    assert _stored(tiny_store).mask.sum() == 32


def test_fewer_than_eight_spots(tiny_store: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"slide '.*' has 6 training spots, at least 8 are needed"):
        _select(tiny_store, fraction=0.1)
    with pytest.raises(InputError, match="has 0 training spots"):
        _select(tiny_store, polygon=_polygons(tmp_path, (1000, 1000, 1100, 1100)))
    with pytest.raises(InputError, match=r"0 training spots, .* \(63 spots are left out by the thresholds\)"):
        _select(tiny_store, fraction=0.5, min_counts=1e9)
    assert spot_set_names(open_slide(tiny_store)) == []


def test_faults_of_the_settings_come_before_the_slide(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"3 things are wrong: .*both choose.*'a b' cannot be.*there is no list of spots"
    ):
        _select(tmp_path / "nope.zarr", name="a b", fraction=0.5, ids=tmp_path / "nope.txt")


def test_a_self_crossing_polygon_changes_nothing(tiny_store: Path, tmp_path: Path) -> None:
    file = tmp_path / "bow.geojson"
    file.write_text(json.dumps({"type": "Polygon", "coordinates": [[[0, 0], [9, 9], [9, 0], [0, 9], [0, 0]]]}))
    with pytest.raises(InputError, match=r"crosses itself at x = 4\.5, y = 4\.5"):
        _select(tiny_store, polygon=file)
    assert spot_set_names(open_slide(tiny_store)) == []


def test_a_slide_that_is_no_store_is_converted_first(tmp_path: Path) -> None:
    folder = make_tiny_legacy(tmp_path / "section")
    before = {path: path.read_bytes() for path in folder.iterdir()}
    reporter = RecordingReporter()
    result = _select(folder, reporter, fraction=0.25)
    assert result.path.suffix == ".zarr"
    assert any(str(result.path) in text and "converted" in text for text in reporter.messages)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    assert (result.selected, result.overlapping) == (9, 0)  # 200 um apart: patches of 112 um share nothing
    assert _stored(result.path).mask.sum() == 9
    again = _select(folder, name="more", fraction=0.5)
    assert again.path == result.path
    assert spot_set_names(open_slide(result.path)) == ["more", "train"]


def test_polygons_in_a_coordinate_system(tmp_path: Path) -> None:
    microns = Scale([2.5, 2.5], axes=("x", "y"))
    store = make_tiny_store(tmp_path / "um.zarr", coordinate_system="um", transformation=microns)
    _, yx = tiny_positions()
    file = _polygons(tmp_path, (0, 0, 500, 750))
    assert _select(store, polygon=file, polygon_system="um").selected == (yx[:, 1] <= 200).sum()
    assert _stored(store).how["system"] == "um"
    assert _select(store, name="pixels", polygon=file).selected == 63
    with pytest.raises(InputError, match="has no place in the coordinate system 'global'"):
        _select(store, name="other", polygon=file, polygon_system="global")


def test_low_spots_inside_a_polygon_are_left_out(tiny_store: Path, tmp_path: Path) -> None:
    file = _polygons(tmp_path, (0, 0, 400, 300))
    counts = tiny_counts(tiny_positions()[0]).sum(axis=1)
    threshold = float(np.sort(counts)[5])
    result = _select(tiny_store, polygon=file, min_counts=threshold)
    assert (result.selected, result.held_out, result.left_out) == (63 - 5, 0, 5)
    assert "cannot be scored" in "\n".join(result.lines())


def test_blocks_are_made_of_usable_spots_only(tiny_store: Path) -> None:
    counts = tiny_counts(tiny_positions()[0]).sum(axis=1)
    threshold = float(np.percentile(counts, 20))
    result = _select(tiny_store, fraction=0.25, split="blocked", min_counts=threshold)
    stored, low = _stored(tiny_store), counts < threshold
    assert result.selected == training_number(int((~low).sum()), 0.25)
    assert not (stored.mask & low).any()
    assert (stored.left_out >= low).all()
    assert result.left_out == low.sum() + result.buffer
    assert result.overlapping == 0


def test_blocks_need_microns(tiny_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def without_microns(*args: Any, **kwargs: Any) -> Any:
        slide = open_slide(*args, **kwargs)
        object.__setattr__(slide, "microns", None)
        return slide

    monkeypatch.setattr("napari_c2lst.slides.opening.open_slide", without_microns)
    with pytest.raises(InputError, match="has no microns per pixel"):
        _select(tiny_store, fraction=0.25, split="blocked")
    assert _select(tiny_store, fraction=0.25).overlapping == 0  # a random split needs none


def test_an_image_alone_has_nothing_to_select(tmp_path: Path) -> None:
    Image.fromarray(np.moveaxis(tiny_image(), 0, -1)).save(tmp_path / "tissue.jpg")
    with pytest.raises(InputError, match="has no spots"):
        _select(tmp_path / "tissue.jpg", fraction=0.25, mpp=2.5)


def test_the_result_as_json(tiny_store: Path) -> None:
    result = _select(tiny_store, fraction=0.25, min_genes=3)
    assert SelectResult.model_validate_json(result.model_dump_json()) == result
    assert json.loads(result.model_dump_json())["low"] == {"fewer than 3 genes": 0}
    assert result.way == "fraction"


def test_from_the_command_line(tiny_store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from napari_c2lst.cli.main import run as run_command

    command = f"select {tiny_store} --name cli --column cluster --equals left --min-genes 1".split()
    assert run_command(command) == 0
    assert "selected" in "".join(capsys.readouterr())
    assert np.array_equal(_stored(tiny_store, "cli").mask, tiny_positions()[0][:, 1] <= 8)
    assert run_command([*command, "--fraction", "0.5"]) == 2
    assert "both choose the spots" in capsys.readouterr().err
