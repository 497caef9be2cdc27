"""One spot: its words, its tissue and its bars, also when the tissue comes late, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tests.plugin.looking.made import values

from napari_c2lst.common.errors import InputError
from napari_c2lst.plugin.looking import inspector as module
from napari_c2lst.plugin.looking.inspector import NOTHING, SIDE_PX, Inspector, pixmap_of

PINK = np.full((20, 20, 3), (230, 120, 180), np.uint8)


@pytest.fixture
def inspector(qtbot: Any) -> Inspector:
    inspector = Inspector()
    qtbot.addWidget(inspector)
    inspector.show()
    return inspector


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, float]]:
    """Which tissue is read, and how wide; spot 3 cannot be read."""
    asked: list[tuple[int, float]] = []

    def read(slide: Any, spot: int, patch_um: float) -> np.ndarray:
        asked.append((spot, patch_um))
        if spot == 3:
            raise InputError("the file of the image is gone", "open the slide again")
        return PINK

    monkeypatch.setattr(module, "read_patch", read)
    return asked


@pytest.fixture
def slide() -> Any:
    spots = SimpleNamespace(ids=np.array([f"s{i}" for i in range(6)]), diameter_um=56.0)
    return SimpleNamespace(require_spots=lambda: spots, microns=object(), spots=spots)


VALUES = values(np.arange(18).reshape(6, 3), np.arange(18).reshape(6, 3) * 2)


def settled(inspector: Inspector) -> Callable[[], bool]:
    return lambda: not inspector._work.awaited


def has_picture(inspector: Inspector) -> bool:
    return inspector.patch.isVisible() and not inspector.patch.pixmap().isNull()


def test_at_first_it_says_what_to_do(inspector: Inspector) -> None:
    assert inspector.words.text() == NOTHING
    assert inspector.spot == -1
    assert inspector.facts is None
    for widget in (inspector.patch, inspector.caption, inspector.bars):
        assert not widget.isVisible()


def test_a_spot_has_words_bars_and_tissue(qtbot: Any, inspector: Inspector, slide: Any, reads: list[Any]) -> None:
    inspector.show_spot(slide, VALUES, 4, "FASN")
    assert inspector.words.text() == "Spot s4: held out: the predictor has not seen it."
    assert inspector.facts.genes == ("FASN", "ERBB2", "ACTB")  # type: ignore[union-attr]
    assert inspector.bars.shown_gene == "FASN"
    qtbot.waitUntil(settled(inspector), timeout=10_000)
    assert reads == [(4, 112.0)]
    assert has_picture(inspector)
    assert inspector.caption.text() == "112 µm wide"
    assert "the ring is the spot itself" in inspector.patch.toolTip()


def test_another_gene_of_the_same_spot_reads_no_tissue_again(
    qtbot: Any, inspector: Inspector, slide: Any, reads: list[Any]
) -> None:
    inspector.show_spot(slide, VALUES, 4, "FASN")
    qtbot.waitUntil(settled(inspector), timeout=10_000)
    inspector.show_spot(slide, VALUES, 4, "ACTB")
    assert not inspector._work.awaited
    assert has_picture(inspector)
    assert inspector.bars.shown_gene == "ACTB"


def test_the_tissue_of_the_spot_before_does_not_stay_beside_another(
    qtbot: Any, inspector: Inspector, slide: Any, reads: list[Any]
) -> None:
    inspector.show_spot(slide, VALUES, 4)
    qtbot.waitUntil(settled(inspector), timeout=10_000)
    inspector.show_spot(slide, VALUES, 2)
    assert "s2" in inspector.words.text()
    assert not has_picture(inspector)
    assert inspector.caption.text() == ""
    qtbot.waitUntil(settled(inspector), timeout=10_000)
    assert has_picture(inspector)


def test_tissue_that_comes_after_the_spot_was_left_is_dropped(
    qtbot: Any, inspector: Inspector, slide: Any, reads: list[Any]
) -> None:
    inspector.show_spot(slide, VALUES, 4)
    inspector.clear("There is no spot here.")
    qtbot.waitUntil(lambda: not inspector._work._workers, timeout=10_000)
    assert inspector.words.text() == "There is no spot here."
    assert not inspector.patch.isVisible()
    assert inspector.spot == -1


def test_of_two_quick_clicks_the_last_is_shown(qtbot: Any, inspector: Inspector, slide: Any, reads: list[Any]) -> None:
    inspector.show_spot(slide, VALUES, 3)  # which cannot be read
    inspector.show_spot(slide, VALUES, 4)
    qtbot.waitUntil(lambda: not inspector._work._workers, timeout=10_000)
    assert "cannot be read" not in inspector.words.text()
    assert has_picture(inspector)


def test_tissue_that_cannot_be_read_is_said_and_the_genes_stay(
    qtbot: Any, inspector: Inspector, slide: Any, reads: list[Any]
) -> None:
    inspector.show_spot(slide, VALUES, 3)
    qtbot.waitUntil(settled(inspector), timeout=10_000)
    assert "Its tissue cannot be read: the file of the image is gone" in inspector.words.text()
    assert not inspector.patch.isVisible()
    assert inspector.bars.isVisible()
    inspector.show_spot(slide, VALUES, 4)
    qtbot.waitUntil(settled(inspector), timeout=10_000)
    assert has_picture(inspector)


def test_a_slide_without_microns_has_no_tissue_to_cut(inspector: Inspector, slide: Any, reads: list[Any]) -> None:
    slide.microns = None
    inspector.show_spot(slide, VALUES, 4)
    assert not inspector._work.awaited
    assert not inspector.patch.isVisible()
    assert inspector.bars.isVisible()


def test_without_a_prediction_there_is_tissue_all_the_same(
    qtbot: Any, inspector: Inspector, slide: Any, reads: list[Any]
) -> None:
    inspector.show_spot(slide, None, 4)
    qtbot.waitUntil(settled(inspector), timeout=10_000)
    assert has_picture(inspector)
    assert not inspector.bars.isVisible()
    assert "no prediction is chosen" in inspector.words.text()


def test_a_gene_that_is_clicked_is_told(qtbot: Any, inspector: Inspector, slide: Any, reads: list[Any]) -> None:
    inspector.show_spot(slide, VALUES, 4)
    with qtbot.waitSignal(inspector.gene_clicked) as heard:
        inspector.bars.gene_clicked.emit("ACTB")
    assert heard.args == ["ACTB"]
    qtbot.waitUntil(settled(inspector), timeout=10_000)


def test_an_inspector_closed_while_it_reads_is_left_alone(qtbot: Any, slide: Any, reads: list[Any]) -> None:
    inspector = Inspector()
    inspector.show_spot(slide, VALUES, 4)
    work = inspector._work
    with qtbot.waitSignal(inspector.destroyed):
        inspector.deleteLater()
    qtbot.waitUntil(lambda: not work._workers, timeout=10_000)


def test_the_ring_is_as_wide_as_the_spot(qtbot: Any, inspector: Inspector) -> None:
    inspector._show_patch((PINK, 112.0, 56.0))
    image = inspector.patch.pixmap().toImage()
    pink = image.pixelColor(2, 2)
    middle = SIDE_PX // 2
    row = [x for x in range(SIDE_PX) if image.pixelColor(x, middle) != pink]
    assert abs(row[0] - SIDE_PX // 4) <= 3
    assert abs(row[-1] - 3 * SIDE_PX // 4) <= 3


@pytest.mark.parametrize("diameter", [None, 112.0, 300.0])
def test_without_a_width_or_wider_than_the_patch_there_is_no_ring(inspector: Inspector, diameter: float | None) -> None:
    inspector._show_patch((PINK, 112.0, diameter))
    image = inspector.patch.pixmap().toImage()
    assert len({image.pixelColor(x, SIDE_PX // 2).rgb() for x in range(SIDE_PX)}) == 1


@pytest.mark.parametrize("shape", [(20, 20), (7, 31), (1, 1)])
def test_any_picture_becomes_a_square_of_its_colours(qtbot: Any, shape: tuple[int, int]) -> None:
    pixmap = pixmap_of(np.broadcast_to(PINK[0, 0], (*shape, 3))[:, ::-1], 30)
    assert (pixmap.width(), pixmap.height()) == (30, 30)
    colour = pixmap.toImage().pixelColor(15, 15)
    assert (colour.red(), colour.green(), colour.blue()) == (230, 120, 180)


def test_the_tissue_is_named_for_a_screen_reader(inspector: Inspector) -> None:
    assert inspector.patch.accessibleName() == "Tissue of the spot"
