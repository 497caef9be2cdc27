from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.slides.stores import make_tiny_legacy, tiny_image

from napari_c2lst.common.errors import InputError
from napari_c2lst.common.reporter import RecordingReporter
from napari_c2lst.slides.settings import SlideSettings
from napari_c2lst.slides.spots.selecting import run
from napari_c2lst.slides.spots.selection_settings import SelectSettings
from napari_c2lst.slides.spots.spotsets import list_spot_sets
from napari_c2lst.slides.store.stored import open_stored


def test_a_store_is_opened_as_it_is(tiny_store: Path) -> None:
    reporter = RecordingReporter()
    slide = open_stored(SlideSettings(slide=tiny_store), reporter)
    assert slide.path == tiny_store
    assert slide.is_zarr
    assert reporter.messages == []


def test_an_image_is_converted_once_and_found_again(tmp_path: Path) -> None:
    file = tmp_path / "tissue.png"
    Image.fromarray(np.moveaxis(tiny_image(), 0, -1)).save(file)
    settings = SlideSettings(slide=file, mpp=2.5)
    first, again = RecordingReporter(), RecordingReporter()
    slide = open_stored(settings, first)
    assert slide.is_zarr
    assert slide.mpp == 2.5
    assert any("is converted to" in m for m in first.messages)
    assert open_stored(settings, again).path == slide.path
    assert any("made from" in m and "before" in m for m in again.messages)


def test_an_unknown_scale_is_refused_before_any_work(tmp_path: Path) -> None:
    file = tmp_path / "tissue.png"
    Image.fromarray(np.moveaxis(tiny_image(), 0, -1)).save(file)
    reporter = RecordingReporter()
    with pytest.raises(InputError, match="has no microns per pixel"):
        open_stored(SlideSettings(slide=file), reporter)
    assert [each.name for each in tmp_path.iterdir()] == ["tissue.png"]  # nothing was converted
    assert reporter.messages == []


def test_an_unknown_scale_of_a_store_is_refused_too(tmp_path: Path) -> None:
    file = tmp_path / "tissue.png"
    Image.fromarray(np.moveaxis(tiny_image(), 0, -1)).save(file)
    open_stored(SlideSettings(slide=file), RecordingReporter(), scale=False)
    with pytest.raises(InputError, match="has no microns per pixel"):
        open_stored(SlideSettings(slide=file), RecordingReporter())


def test_an_unknown_scale_may_be_allowed(tmp_path: Path) -> None:
    file = tmp_path / "tissue.png"
    Image.fromarray(np.moveaxis(tiny_image(), 0, -1)).save(file)
    assert open_stored(SlideSettings(slide=file), RecordingReporter(), scale=False).microns is None


def test_what_was_selected_on_a_folder_is_found_when_it_is_named_again(tmp_path: Path) -> None:
    legacy = make_tiny_legacy(tmp_path / "legacy")
    run(SelectSettings(slide=legacy, name="train", fraction=0.5), RecordingReporter())
    slide = open_stored(SlideSettings(slide=legacy), RecordingReporter())
    assert [s.name for s in list_spot_sets(slide)] == ["train"]


def test_what_a_user_should_know_of_a_store_is_said(tiny_store: Path) -> None:
    next(p for p in (tiny_store / "images" / "tiny_full_image").glob("*0/c/0/*/*") if p.is_file()).unlink()
    reporter = RecordingReporter()
    open_stored(SlideSettings(slide=tiny_store), reporter)
    assert any("1 of 12 chunks of image 'tiny_full_image' are missing" in text for text in reporter.messages)


def test_an_image_alone_is_not_converted_for_a_task_that_needs_spots(tmp_path: Path) -> None:
    file = tmp_path / "tissue.png"
    Image.fromarray(np.moveaxis(tiny_image(), 0, -1)).save(file)
    with pytest.raises(InputError, match="slide 'tissue' has no spots"):
        open_stored(SlideSettings(slide=file, mpp=0.5), RecordingReporter(), spots=True)
    assert [each.name for each in tmp_path.iterdir()] == ["tissue.png"]
