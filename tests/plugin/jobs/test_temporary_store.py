"""A slide in memory becomes a store that a child can read, and nothing of it stays at the end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import dask.array as da
import numpy as np
import pytest

from napari_c2lst.common.errors import InputError
from napari_c2lst.plugin.jobs.temporary_store import TemporaryStores, is_on_disk, slide_of_array
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
