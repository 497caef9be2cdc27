"""A small slide in memory, and whether napari can open a window here."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import pytest

from napari_c2lst.slides.images.pyramid import Pyramid
from napari_c2lst.slides.slide import Microns, Slide, Spots

HALF_A_MICRON = Microns(0.5, "given", "a test")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    screen = sys.platform != "linux" or os.environ.get("DISPLAY") or shutil.which("Xvfb")
    if screen:
        return
    skip = pytest.mark.skip(reason="no screen and no Xvfb: apt-get install xvfb")
    for item in items:
        if "make_napari_viewer" in getattr(item, "fixturenames", ()):
            item.add_marker(skip)


@pytest.fixture(autouse=True)
def _own_temporary_stores(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the user's windows left behind is none of the tests' business."""
    folder = tmp_path_factory.getbasetemp() / "temporary"
    folder.mkdir(exist_ok=True)
    monkeypatch.setattr(tempfile, "tempdir", str(folder))


@pytest.fixture(autouse=True)
def _close_without_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that leaves something unsaved in its window would wait for an answer for ever."""
    monkeypatch.setattr("napari_c2lst.plugin.jobs.questions.may_lose", lambda *_: True)


@pytest.fixture
def make_slide() -> Callable[..., Slide]:
    """A slide of pink noise with three spots; its microns and spots can be chosen."""

    def make(microns: Microns | None = HALF_A_MICRON, diameter_um: float | None = 100.0, **changes: Any) -> Slide:
        rng = np.random.default_rng(0)
        pixels = rng.integers(120, 255, (3, 400, 600), dtype=np.uint8)
        fine = da.from_array(pixels, chunks=(3, 200, 200))
        levels = [fine, fine[:, ::2, ::2]]
        yx = np.array([[100.0, 100.0], [200.0, 300.0], [300.0, 500.0]])
        values: dict[str, Any] = {
            "name": "P12",
            "path": Path("P12.zarr"),
            "kind": "a test",
            "sdata": None,
            "image_name": "image",
            "shapes_name": "spots",
            "table_name": "table",
            "coordinate_system": "global",
            "pyramid": Pyramid(levels, [1.0, 2.0]),
            "microns": microns,
            "spots": Spots(np.array(["a", "b", "c"]), yx, diameter_um),
            "is_zarr": True,
        }
        return Slide(**{**values, **changes})

    return make


@pytest.fixture
def watched(make_napari_viewer: Callable[..., Any]) -> Iterator[Any]:
    """A dock in a window, and all that is said in it."""
    from tests.plugin.watching import Watched

    made = Watched(make_napari_viewer(show=True))
    yield made
    made.close()
