from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.expression.conftest import train_settings
from tests.slides.stores import tiny_image

from napari_c2lst.common.errors import InputError
from napari_c2lst.common.reporter import RecordingReporter
from napari_c2lst.expression.stores import open_stored


def test_a_store_is_opened_as_it_is(store: Path) -> None:
    reporter = RecordingReporter()
    slide = open_stored(train_settings(store, store.parent / "run"), reporter)
    assert slide.path == store
    assert slide.is_zarr
    assert reporter.messages == []


def test_an_image_is_converted_once_and_found_again(tmp_path: Path) -> None:
    file = tmp_path / "tissue.png"
    Image.fromarray(np.moveaxis(tiny_image(), 0, -1)).save(file)
    settings = train_settings(file, tmp_path / "run", mpp=2.5)
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
    with pytest.raises(InputError, match="has no microns per pixel"):
        open_stored(train_settings(file, tmp_path / "run"), RecordingReporter())
