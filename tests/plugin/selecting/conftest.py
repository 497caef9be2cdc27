"""A store with labels, and panels over it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.sample_data import sample_slide_path
from napari_c2lst.slides.slide import Spots


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A copy of the sample slide."""
    path = tmp_path / "B4.zarr"
    shutil.copytree(sample_slide_path(), path)
    return path


@pytest.fixture
def slide(store: Path) -> Any:
    """The sample slide, open; tests may write into it."""
    return open_slide(store)


@pytest.fixture
def panel(make_napari_viewer: Callable[..., Any], slide: Any) -> Iterator[Any]:
    """A panel alone, with the sample slide open."""
    from napari_c2lst.plugin.selecting.panel import SelectPanel
    from napari_c2lst.plugin.shared import shared_of

    viewer = make_napari_viewer()
    shared_of(viewer).session.open(slide)
    made = SelectPanel(viewer)
    made.keeper.agree = lambda question: pytest.fail(f"nothing was to be asked: {question}")
    yield made
    made.close()


class Plain:
    """A panel over a slide of 20 spots in memory, without a window."""

    def __init__(self, make_slide: Callable[..., Any], folder: Path) -> None:
        from napari.components import ViewerModel

        from napari_c2lst.plugin.selecting.panel import SelectPanel
        from napari_c2lst.plugin.shared import shared_of

        self._make_slide, self.folder = make_slide, folder
        self.viewer = ViewerModel()
        self.shared = shared_of(self.viewer)
        self.session = self.shared.session
        self.open()
        self.panel = SelectPanel(self.viewer)  # type: ignore[arg-type]
        self.panel.keeper.agree = lambda question: pytest.fail(f"nothing was to be asked: {question}")
        self.told: list[tuple[str, str, str]] = []
        self.session.told.connect(lambda *said: self.told.append(said))

    def open(self, name: str = "P12", **changes: Any) -> Any:
        """Open a slide with spots 20 px apart on a diagonal."""
        at = np.arange(1, 21) * 19.0
        spots = Spots(np.array([f"{name}-{i}" for i in range(20)]), np.stack([at, at], axis=1), 10.0)
        slide = self._make_slide(
            **{"name": name, "path": self.folder / f"{name}.zarr", "spots": spots, "table_name": None, **changes}
        )
        self.session.open(slide)
        return slide

    def draw(self, *corners: tuple[float, float]) -> None:
        """Draw around places of the slide, level-0 pixels (y, x)."""
        self.panel.hand.drawing.drawn.emit(np.array(corners, dtype=float), "polygon")

    @property
    def spots(self) -> list[int]:
        """The spots that are chosen."""
        return np.flatnonzero(self.panel.choice.mask).tolist()


@pytest.fixture
def plain(qtbot: Any, make_slide: Callable[..., Any], tmp_path: Path) -> Iterator[Plain]:
    from napari_c2lst.plugin.shared import forget

    made = Plain(make_slide, tmp_path)
    qtbot.addWidget(made.panel)
    yield made
    made.panel.close()
    forget(made.viewer)
