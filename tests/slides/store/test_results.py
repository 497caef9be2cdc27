from __future__ import annotations

import errno
import hashlib
import os
import shutil
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from spatialdata import read_zarr
from spatialdata.models import Image2DModel, ShapesModel, TableModel
from spatialdata.transformations import Identity
from tests.slides.inputs import make_hd, make_hest, make_space_ranger, picture, write_png
from tests.slides.stores import make_tiny_legacy

from napari_c2lst.common.errors import InputError
from napari_c2lst.common.reporter import RecordingReporter, Reporter
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.slide import Slide
from napari_c2lst.slides.store import moving, results
from napari_c2lst.slides.store.results import ensure_store, store_name, write_elements


def table(slide: Slide, value: float = 1.0, genes: int = 2) -> ad.AnnData:
    """A table of ours on the spots of a slide."""
    obs = pd.DataFrame({"region": pd.Categorical([slide.shapes_name] * len(slide.spots)), "spot_id": slide.spots.ids})
    obs.index = obs["spot_id"].to_numpy()
    data = ad.AnnData(np.full((len(obs), genes), value, np.float32), obs=obs)
    data.uns["c2lst"] = {"made_by": "a test", "numbers": [1, 2]}
    return TableModel.parse(data, region=slide.shapes_name, region_key="region", instance_key="spot_id")


def circles(side: float = 5.0) -> object:
    return ShapesModel.parse(
        np.array([[3.0, 4.0], [5.0, 6.0]]), geometry=0, radius=side, transformations={"global": Identity()}
    )


def fingerprint(store: Path) -> dict[str, str]:
    """Hashes of all files of the user's elements."""
    files = (p for p in sorted(store.rglob("*")) if p.is_file() and "c2lst_" not in str(p.relative_to(store)))
    return {str(p.relative_to(store)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files if p.parent != store}


def test_elements_of_every_kind_are_written_and_read_again(tiny_store: Path) -> None:
    slide = open_slide(tiny_store)
    before = fingerprint(tiny_store)
    image = Image2DModel.parse(np.ones((1, 8, 9), np.float32), dims=("c", "y", "x"))
    write_elements(
        slide,
        tables={"c2lst_spots_a": table(slide)},
        shapes={"c2lst_grid_a": circles()},
        images={"c2lst_raster_a": image},
    )
    sdata = read_zarr(tiny_store)
    assert sdata.tables["c2lst_spots_a"].X.tolist() == [[1, 1]] * 63
    assert sdata.tables["c2lst_spots_a"].uns["c2lst"]["made_by"] == "a test"
    assert sdata.shapes["c2lst_grid_a"]["radius"].tolist() == [5, 5]
    assert sdata.images["c2lst_raster_a"].shape == (1, 8, 9)
    assert sdata.has_consolidated_metadata()
    assert fingerprint(tiny_store) == before, "the user's elements are byte for byte what they were"
    assert {"c2lst_spots_a", "c2lst_grid_a", "c2lst_raster_a"} <= {name for _, name, _ in slide.sdata.gen_elements()}
    assert open_slide(tiny_store).table_name == "table"
    assert [p.name for p in tiny_store.parent.iterdir()] == ["tiny.zarr"], "nothing temporary is left"


def test_ours_are_replaced(tiny_store: Path) -> None:
    slide = open_slide(tiny_store)
    write_elements(slide, tables={"c2lst_spots_a": table(slide, 1.0, genes=5)}, shapes={"c2lst_grid_a": circles(5)})
    write_elements(slide, tables={"c2lst_spots_a": table(slide, 2.0, genes=3)}, shapes={"c2lst_grid_a": circles(7)})
    for sdata in (read_zarr(tiny_store), slide.sdata):
        assert sdata.tables["c2lst_spots_a"].X.tolist() == [[2, 2, 2]] * 63
        assert sdata.shapes["c2lst_grid_a"]["radius"].tolist() == [7, 7]


def test_the_users_elements_are_refused(tiny_store: Path) -> None:
    slide = open_slide(tiny_store)
    before = fingerprint(tiny_store)
    with pytest.raises(ValueError, match=r"only elements called c2lst_\* are ours"):
        write_elements(slide, tables={"table": table(slide)})
    assert fingerprint(tiny_store) == before


@pytest.mark.parametrize(
    ("kind", "name", "there"),
    [
        ("tables", "c2lst_Spots_A", "tables 'c2lst_spots_a'"),
        ("shapes", "c2lst_spots_a", "tables 'c2lst_spots_a'"),
        ("tables", "c2lst_GRID_a", "shapes 'c2lst_grid_a'"),
    ],
    ids=["capitals", "another kind", "both"],
)
def test_names_that_no_store_can_hold_together_are_refused(tiny_store: Path, kind: str, name: str, there: str) -> None:
    """A store with both could not be opened any more: its consolidated metadata know no capitals."""
    slide = open_slide(tiny_store)
    write_elements(slide, tables={"c2lst_spots_a": table(slide)}, shapes={"c2lst_grid_a": circles()})
    before = contents(tiny_store)
    with pytest.raises(InputError, match="cannot hold") as caught:
        write_elements(slide, **{kind: {name: table(slide) if kind == "tables" else circles()}})
    assert caught.value.message.endswith(f"{kind} '{name}' beside {there}")
    assert caught.value.hint == "choose another name for the result"
    assert contents(tiny_store) == before
    assert len(list(read_zarr(tiny_store).gen_elements())) == len(list(slide.sdata.gen_elements()))


def test_what_is_no_store_is_refused(tmp_path: Path) -> None:
    slide = open_slide(make_tiny_legacy(tmp_path / "legacy"))
    with pytest.raises(InputError, match=r"is not a SpatialData store.* / run 'c2lst convert' first"):
        write_elements(slide, tables={"c2lst_a": table(slide)})


def test_nothing_to_write_touches_nothing(tiny_store: Path) -> None:
    slide = open_slide(tiny_store)
    changed = (tiny_store / "zarr.json").stat().st_mtime_ns
    write_elements(slide)
    assert (tiny_store / "zarr.json").stat().st_mtime_ns == changed


def test_stores_of_version_two_stay_that(shared: Path, tmp_path: Path) -> None:
    store = Path(shutil.copytree(shared / "layouts" / "spatialdata_zarr_v2" / "blobs.zarr", tmp_path / "v2.zarr"))
    os.chmod(store, 0o755)
    for path in store.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    slide = open_slide(store)
    write_elements(slide, shapes={"c2lst_grid_a": circles()})
    assert (store / "shapes" / "c2lst_grid_a" / ".zgroup").is_file()
    assert not list(store.rglob("zarr.json"))
    assert "c2lst_grid_a" in read_zarr(store).shapes


def test_the_first_table_of_a_store(tmp_path: Path) -> None:
    from napari_c2lst.slides.store.storing import write_store

    image = write_png(tmp_path / "a.png", picture())
    write_store(open_slide(image), tmp_path / "a.zarr", Reporter())
    assert not (tmp_path / "a.zarr" / "shapes").exists()
    write_elements(open_slide(tmp_path / "a.zarr"), shapes={"c2lst_grid_a": circles()})
    assert "c2lst_grid_a" in read_zarr(tmp_path / "a.zarr").shapes


@pytest.fixture
def stored(tiny_store: Path) -> Path:
    """The tiny store with a table of ours that has the value 1."""
    slide = open_slide(tiny_store)
    write_elements(slide, tables={"c2lst_spots_a": table(slide, 1.0, genes=2)})
    return tiny_store


def test_a_full_disk_changes_nothing(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from spatialdata import SpatialData

    slide = open_slide(stored)
    before = {p: p.read_bytes() for p in stored.rglob("*") if p.is_file()}
    write = SpatialData.write

    def full(self: SpatialData, path: Path, **kwargs: object) -> None:
        write(self, path, **kwargs)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(SpatialData, "write", full)
    with pytest.raises(InputError, match=r"the disk is full: '.*tiny.zarr'"):
        write_elements(slide, tables={"c2lst_spots_a": table(slide, 2.0)})
    assert {p: p.read_bytes() for p in stored.rglob("*") if p.is_file()} == before
    assert [p.name for p in stored.parent.iterdir()] == ["tiny.zarr"]


def test_a_disk_without_room_is_refused(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(results, "check_free_space", lambda path, needed: asked.append(needed))
    slide = open_slide(stored)
    write_elements(slide, tables={"c2lst_b": table(slide, genes=100)})
    assert asked[0] >= 63 * 100 * 4


def contents(store: Path) -> dict[str, bytes]:
    """Every file of a store, and every folder."""
    return {str(p.relative_to(store)): p.read_bytes() if p.is_file() else b"" for p in sorted(store.rglob("*"))}


def test_a_failed_write_leaves_the_store_as_it_was_and_can_be_repeated(
    stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slide = open_slide(stored)
    before = contents(stored)

    def full(store: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    new = {"c2lst_spots_a": table(slide, 2.0, genes=7), "c2lst_new": table(slide, 3.0)}
    with monkeypatch.context() as patch:
        patch.setattr(moving, "_consolidate", full)
        with pytest.raises(InputError, match=r"the disk is full: '.*tiny.zarr' was not written"):
            write_elements(slide, tables=new)
    assert contents(stored) == before
    assert "c2lst_new" not in slide.sdata.tables
    assert [p.name for p in stored.parent.iterdir()] == ["tiny.zarr"]
    write_elements(slide, tables=new)
    assert np.unique(read_zarr(stored).tables["c2lst_spots_a"].X).tolist() == [2.0]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("data/B4", "B4.zarr"),
        ("data/sample/outs", "sample.zarr"),
        ("data/sample/outs/binned_outputs", "sample.zarr"),
        ("data/sample/outs/binned_outputs/square_008um", "sample.zarr"),
    ],
)
def test_names_of_stores_of_folders(path: str, name: str) -> None:
    assert store_name(Path(path)) == name


@pytest.mark.parametrize(
    ("file", "name"), [("a.svs", "a.zarr"), ("a.b.ome.tif", "a.b.zarr"), ("M.tsv.gz", "M.zarr"), ("s.h5ad", "s.zarr")]
)
def test_names_of_stores_of_files(tmp_path: Path, file: str, name: str) -> None:
    (tmp_path / file).touch()
    assert store_name(tmp_path / file) == name


def test_a_store_is_its_own_store(tiny_store_once: Path) -> None:
    reporter = RecordingReporter()
    assert ensure_store(tiny_store_once, reporter) == tiny_store_once
    assert reporter.messages == []
    with pytest.raises(InputError, match=r"which does not hold 'fine.tif' / make a store that does: c2lst convert"):
        ensure_store(tiny_store_once, reporter, image=Path("fine.tif"))


def test_other_inputs_are_converted_once_and_it_is_said_where(tmp_path: Path) -> None:
    legacy = make_tiny_legacy(tmp_path / "section")
    reporter = RecordingReporter()
    store = ensure_store(legacy, reporter)
    assert store == tmp_path / "section.zarr"
    assert any(f"is converted to '{store}'" in text for text in reporter.messages)
    assert len(open_slide(store).spots) == 36
    changed = (store / "zarr.json").stat().st_mtime_ns
    reporter = RecordingReporter()
    assert ensure_store(legacy, reporter) == store
    assert "made from" in reporter.messages[0]
    assert (store / "zarr.json").stat().st_mtime_ns == changed


def test_a_store_of_something_else_is_not_taken_for_it(tmp_path: Path, tiny_store_once: Path) -> None:
    legacy = make_tiny_legacy(tmp_path / "section")
    shutil.copytree(tiny_store_once, tmp_path / "section.zarr")
    with pytest.raises(InputError, match=r"section.zarr' is there and was not made from"):
        ensure_store(legacy, Reporter())


def test_another_image_is_not_taken_for_the_one_before(tmp_path: Path) -> None:
    ranger = make_space_ranger(tmp_path / "visium")
    store = ensure_store(ranger, Reporter(), image=ranger / "frame.tif")
    assert ensure_store(ranger, Reporter(), image=ranger / "frame.tif") == store
    with pytest.raises(InputError, match=r"was made from .* with another image"):
        ensure_store(ranger, Reporter(), image=ranger / "other.tif")


@pytest.mark.parametrize(
    ("second", "difference"),
    [
        ({"table": "other"}, r"--table was table, now it is other"),
        ({"image_name": "other"}, r"--image-name was image, now it is other"),
        ({"coordinate_system": "other"}, r"--coordinate-system was global, now it is other"),
        ({"image_scale": 0.5}, r"--image-scale was none, now it is 0.5"),
        ({"table": "a", "image_name": "b"}, r"--image-name was image, now it is b; --table was table, now it is a"),
    ],
)
def test_a_store_made_in_another_way_is_not_used_again(
    tmp_path_factory: pytest.TempPathFactory, second: dict, difference: str
) -> None:
    folder = tmp_path_factory.getbasetemp() / "made_once"
    legacy = folder / "section"
    if not legacy.exists():
        make_tiny_legacy(legacy)
    store = ensure_store(legacy, Reporter())
    with pytest.raises(InputError, match=rf"was made from the same input in another way: {difference} / .*leave the"):
        ensure_store(legacy, Reporter(), **second)
    same = {"table": "table", "image_name": "image", "coordinate_system": "global", "mpp": 3.0, "square_um": 50.0}
    assert ensure_store(legacy, Reporter(), **same) == store, "the same by name, and microns per pixel override"


def test_squares_of_another_side_are_not_taken_for_those_before(tmp_path: Path) -> None:
    bins = make_hd(tmp_path / "hd")
    store = ensure_store(bins, Reporter(), square_um=64.0)
    assert ensure_store(bins, Reporter(), square_um=64.0) == store
    with pytest.raises(InputError, match=r"--square-um was 64.0, now it is 112.0 / .*give what it was made with"):
        ensure_store(bins, Reporter())


def test_the_image_of_an_h5ad_is_known_again(tmp_path: Path) -> None:
    """A reader that takes the image itself keeps which it was, too."""
    sample = make_hest(tmp_path / "hest") / "st"
    file = next(sample.glob("*.h5ad"))
    image = next((tmp_path / "hest").rglob("*.tif"))
    store = ensure_store(file, Reporter(), image=image)
    assert ensure_store(file, Reporter(), image=image) == store
    with pytest.raises(InputError, match="with another image than"):
        ensure_store(file, Reporter(), image=tmp_path / "other.tif")


def test_a_folder_that_cannot_be_written_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    legacy = make_tiny_legacy(tmp_path / "read_only" / "section")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(results.os, "access", lambda path, mode: False)
    assert ensure_store(legacy, Reporter()) == tmp_path / "here" / "section.zarr"


def test_what_is_no_slide(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no"):
        ensure_store(tmp_path / "nowhere", Reporter())
