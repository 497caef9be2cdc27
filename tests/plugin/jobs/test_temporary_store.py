"""A slide in memory becomes a store that a child can read, and nothing of it stays at the end."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import dask.array as da
import numpy as np
import pytest
from filelock import FileLock

from napari_c2lst.common.errors import InputError
from napari_c2lst.plugin.jobs.temporary_store import (
    TemporaryStores,
    is_on_disk,
    left_behind,
    results_in,
    slide_of_array,
)
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.sample_data import sample_slide_path
from napari_c2lst.slides.slide import Slide


def tissue(channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (300, 420, channels), dtype=np.uint8)


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("lazy", [False, True])
def test_an_array_becomes_a_store(channels: int, lazy: bool) -> None:
    array = tissue(channels)
    stores = TemporaryStores()
    slide = slide_of_array(da.from_array(array, chunks=128) if lazy else array, 0.5, "layer")
    assert not is_on_disk(slide)
    store = stores.write(slide)
    assert stores.holds(store)
    again = open_slide(store)
    assert again.name == "layer"
    assert again.mpp == pytest.approx(0.5)
    np.testing.assert_array_equal(np.moveaxis(again.pyramid.levels[0].compute(), 0, -1), array[..., :3])
    assert is_on_disk(again)
    stores.close()
    assert not store.exists()
    assert not stores.holds(store)


def test_two_slides_of_one_name() -> None:
    stores = TemporaryStores()
    slide = slide_of_array(tissue(), None, "layer")
    one, other = stores.write(slide), stores.write(slide)
    assert one != other
    assert one.name == other.name == "layer.zarr"
    stores.close()


def test_closing_twice_and_unused_does_no_harm() -> None:
    stores = TemporaryStores()
    stores.close()
    stores.close()
    assert not stores.holds(Path("/anything"))


@pytest.mark.parametrize(
    "array",
    [np.zeros((20, 20), np.uint8), np.zeros((20, 20, 3), np.float32), np.zeros((4, 20, 20, 3), np.uint8)],
    ids=["grey", "floats", "stack"],
)
def test_what_is_no_colour_image(array: np.ndarray) -> None:
    with pytest.raises(InputError, match="no colour image of 8 bits") as caught:
        slide_of_array(array, 0.5, "labels")
    assert "layer" in caught.value.hint


def test_what_is_on_disk(make_slide: Callable[..., Slide]) -> None:
    assert not is_on_disk(make_slide(path=Path("nowhere.zarr")))
    assert is_on_disk(open_slide(sample_slide_path()))


def add_results(store: Path, *tables: str) -> None:
    for table in tables:
        (store / "tables" / table).mkdir(parents=True)


def test_results_in_words(tmp_path: Path) -> None:
    store = tmp_path / "tissue.zarr"
    assert results_in(store) == []
    add_results(store, "c2lst_grid_both_table", "c2lst_spots_both", "c2lst_cells_narrow_table", "c2lst_view", "table")
    assert results_in(store) == ["predictions 'both'", "nuclei 'narrow'"]


def test_what_would_be_lost_is_what_no_copy_has() -> None:
    stores = TemporaryStores()
    assert stores.only_here() == {}
    store = stores.write(slide_of_array(tissue(), 0.5, "layer"))
    assert stores.only_here() == {}  # the image itself is the layer
    add_results(store, "c2lst_grid_one_table")
    assert stores.only_here() == {store: ["predictions 'one'"]}
    stores.note_copied(store, results_in(store))
    assert stores.only_here() == {}
    add_results(store, "c2lst_cells_later_table")
    assert stores.only_here() == {store: ["nuclei 'later'"]}
    stores.close()
    assert stores.only_here() == {}


CRASH = """
import os, tempfile
from pathlib import Path
from napari_c2lst.plugin.jobs.temporary_store import TemporaryStores
store = TemporaryStores().folder / "some" / "tissue.zarr"
store.mkdir(parents=True)
print(store, flush=True)
os.kill(os.getpid(), 9)
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def test_what_a_killed_window_left_is_found(temporary: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", CRASH], capture_output=True, text=True, check=False)
    store = Path(killed.stdout.strip())
    assert temporary in store.parents
    assert left_behind() == [store]
    assert left_behind() == [store]  # looking takes nothing away
    shutil.rmtree(store.parents[1])
    assert left_behind() == []


def test_what_is_in_use_was_not_left(temporary: Path) -> None:
    stores = TemporaryStores()
    slide = slide_of_array(tissue(), 0.5, "layer")
    writing = threading.Thread(target=stores.write, args=(slide,))  # as the plugin does
    writing.start()
    writing.join()
    assert len(list(temporary.glob("c2lst_*/*/layer.zarr"))) == 1
    assert left_behind() == []
    stores.close()
    assert list(temporary.iterdir()) == []


def test_folders_that_cannot_be_looked_at_are_passed_by(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = temporary / "c2lst_others" / "some" / "tissue.zarr"
    store.mkdir(parents=True)
    assert left_behind() == []  # no lock: not one of ours
    (temporary / "c2lst_others" / "in_use.lock").touch()
    assert left_behind() == [store]

    def refuse(*_: object) -> None:
        raise PermissionError("another user's")

    monkeypatch.setattr(FileLock, "_acquire", refuse)
    assert left_behind() == []
