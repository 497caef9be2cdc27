"""The gallery: pairs found, filtered, decoded when they are seen, clicked."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QStyleOptionViewItem
from tests.plugin.results import make_pairs, training_spots

from napari_c2lst.common.errors import InputError
from napari_c2lst.plugin.looking.gallery import NO_PAIRS, NO_SLIDE, GalleryPanel
from napari_c2lst.plugin.looking.paired import SHOWN, Paired, open_paired, read_rows, runs_with_pairs
from napari_c2lst.plugin.looking.patch_model import PATCHES, ROW
from napari_c2lst.plugin.pointing import NEAR_UM
from napari_c2lst.plugin.session import Session
from napari_c2lst.plugin.viewer_parts import canvas_px
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.slide import Slide


@pytest.fixture
def gallery(qtbot: Any, viewer: ViewerModel) -> GalleryPanel:
    panel = GalleryPanel(viewer)
    qtbot.addWidget(panel)
    panel.resize(380, 600)
    panel.show()
    return panel


@pytest.fixture
def filled(qtbot: Any, gallery: GalleryPanel, session: Session, slide: Slide) -> GalleryPanel:
    session.open(slide)
    qtbot.waitUntil(lambda: gallery.paired is not None, timeout=20_000)
    return gallery


def test_finished_runs_of_sample_are_found(results: Path) -> None:
    runs = results.with_name("tiny_c2lst")
    assert [path.name for path in runs_with_pairs(runs)] == ["pairs"]
    (runs / "pairs" / "result.json").unlink()
    assert runs_with_pairs(runs) == []
    assert runs_with_pairs(None) == []


def test_every_training_spot_has_its_pairs(slide: Slide, results_once: Path) -> None:
    paired = open_paired(slide, results_once.with_name("tiny_c2lst") / "pairs")
    assert [row.spot for row in paired.rows] == np.flatnonzero(training_spots(slide)).tolist()
    assert paired.rows[2].rows.tolist() == [2, 23]  # row k * n + i is the k-th patch of spot i
    ids = slide.require_spots().ids
    assert all(row.name == ids[row.spot] for row in paired.rows)


def test_real_and_synthetic_are_of_one_spot(slide: Slide, results_once: Path) -> None:
    paired = open_paired(slide, results_once.with_name("tiny_c2lst") / "pairs")
    some = (paired.rows[5], paired.rows[1])
    for patches in read_rows(slide, paired, some):
        assert patches.shape == (3, 16, 16, 3)
        assert (patches[0] == patches[1]).all()  # the tests' synthetic patches are the real ones
    assert SHOWN >= 2


def test_pairs_of_another_slide_are_refused(results: Path) -> None:
    folder = results.with_name("tiny_c2lst") / "other"
    shutil.copytree(results.with_name("tiny_c2lst") / "pairs", folder)
    slide = open_slide(results)
    object.__setattr__(slide.spots, "yx", slide.require_spots().yx + 1)
    with pytest.raises(InputError, match="not from 'tiny'"):
        open_paired(slide, folder)


def test_without_slide_or_pairs_it_says_what_to_do(gallery: GalleryPanel, session: Session, results: Path) -> None:
    assert gallery.words.text() == NO_SLIDE
    shutil.rmtree(results.with_name("tiny_c2lst"))
    session.open(open_slide(results))
    assert gallery.words.text() == NO_PAIRS
    assert not gallery.list.isEnabled()


def test_new_pairs_appear(qtbot: Any, gallery: GalleryPanel, session: Session, results: Path) -> None:
    session.open(open_slide(results))
    make_pairs(results, "more", ratio=1)
    session.results_changed.emit()
    assert {gallery.runs.itemText(i) for i in range(gallery.runs.count())} == {"pairs", "more"}


def test_patches_are_read_when_they_are_seen(qtbot: Any, filled: GalleryPanel) -> None:
    index = filled.model.index(0)
    qtbot.waitUntil(lambda: index.data(PATCHES) is not None, timeout=30_000)
    assert index.data(PATCHES).shape == (3, 16, 16, 3)
    assert index.data() == index.data(ROW).name
    assert "real" in index.data(3)  # the tooltip


def test_real_and_synthetic_are_named_in_words(filled: GalleryPanel) -> None:
    assert "Blue: the real patch" in filled.words.text()
    assert "Orange: synthetic patches" in filled.words.text()


def test_chosen_spots_alone(filled: GalleryPanel, session: Session, slide: Slide) -> None:
    filled.filter.setCurrentIndex(1)
    assert filled.model.rowCount() == 0
    assert "No spot is chosen" in filled.words.text()
    mask = np.zeros(63, dtype=bool)
    mask[[0, 1, 3]] = True
    session.choose(mask)
    assert [row.spot for row in filled.shown_rows()] == [0, 3]
    mask[[0, 3]] = False
    session.choose(mask)
    assert "made for 21 training spots" in filled.words.text()


def test_a_set_alone(filled: GalleryPanel) -> None:
    i = filled.filter.findText("Set “train”")
    assert i > 0
    filled.filter.setCurrentIndex(i)
    assert filled.model.rowCount() == 21


def test_a_click_goes_to_the_spot(qtbot: Any, filled: GalleryPanel, session: Session, viewer: ViewerModel) -> None:
    heard: list[int] = []
    session.spot_clicked.connect(heard.append)
    filled.list.clicked.emit(filled.model.index(4))
    assert heard == [12]
    slide = session.require_slide()
    centre = (slide.require_spots().yx[12] - 0.5) * slide.mpp
    np.testing.assert_allclose(viewer.camera.center[-2:], centre, atol=1e-6)
    assert viewer.camera.zoom == pytest.approx(canvas_px(viewer) / NEAR_UM)  # the spot, not the whole slide askew


def test_a_spot_clicked_elsewhere_is_shown(filled: GalleryPanel, session: Session) -> None:
    session.spot_clicked.emit(15)
    assert filled.list.currentIndex().data(ROW).spot == 15
    session.spot_clicked.emit(16)  # not a training spot
    assert filled.list.currentIndex().data(ROW).spot == 15


def test_damaged_patches_are_said_once(qtbot: Any, gallery: GalleryPanel, session: Session, results: Path) -> None:
    chunks = results.with_name("tiny_c2lst") / "pairs" / "pairs.zarr" / "obsm" / "patches"
    for chunk in [path for path in chunks.rglob("*") if path.is_file() and not path.name.startswith((".z", "zarr"))]:
        chunk.write_bytes(chunk.read_bytes()[:50])
    told: list[tuple[str, ...]] = []
    session.told.connect(lambda *args: told.append(args))
    session.open(open_slide(results))
    qtbot.waitUntil(lambda: bool(told), timeout=30_000)
    assert "cannot be read" in gallery.words.text()
    gallery.list.viewport().update()
    qtbot.wait(50)
    assert len(told) == 1


def test_a_box_is_wide_enough_for_its_patches_and_fits_a_dock(filled: GalleryPanel) -> None:
    option = QStyleOptionViewItem()
    assert filled.delegate.sizeHint(option, filled.model.index(0)).width() <= 380
    filled.resize(300, 600)
    assert filled.delegate.shown == 2


# -- in the wrong order


def test_a_destroyed_gallery_hears_nothing(qtbot: Any, viewer: ViewerModel, session: Session) -> None:
    import gc

    signals = (session.results_changed, session.sets_changed, session.chosen_changed, session.spot_clicked)
    heard = [len(signal) for signal in signals]
    panel = GalleryPanel(viewer)
    gc.collect()  # what listens must be kept by the panel itself
    assert [len(signal) for signal in signals] == [n + 1 for n in heard]
    with qtbot.waitSignal(panel.destroyed):
        panel.deleteLater()
    assert [len(signal) for signal in signals] == heard


@pytest.fixture
def runs(results_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two runs of pairs that a test may write into, for the one slide that no test writes into."""
    folder = tmp_path / "runs"
    for name in ("early", "late"):
        shutil.copytree(results_once.with_name("tiny_c2lst") / "pairs", folder / name)
    monkeypatch.setattr(Session, "runs_folder", property(lambda self: None if self.slide is None else folder))
    return folder


def test_the_run_that_was_chosen_stays_when_new_results_come(
    qtbot: Any, gallery: GalleryPanel, session: Session, slide: Slide, runs: Path
) -> None:
    session.open(slide)
    gallery.runs.setCurrentIndex(1)
    kept = gallery.runs.currentText()
    qtbot.waitUntil(lambda: gallery.paired is not None, timeout=20_000)
    shutil.copytree(runs / "late", runs / "newest")
    session.results_changed.emit()
    assert gallery.runs.count() == 3
    assert gallery.runs.currentText() == kept


def test_who_looked_at_the_newest_pairs_sees_those_that_come(
    qtbot: Any, gallery: GalleryPanel, session: Session, slide: Slide, runs: Path
) -> None:
    session.open(slide)
    qtbot.waitUntil(lambda: gallery.paired is not None, timeout=20_000)
    paired = gallery.paired
    shutil.copytree(runs / "late", runs / "newest")
    stamp = (runs / "late" / "result.json").stat().st_mtime + 100
    os.utime(runs / "newest" / "result.json", (stamp, stamp))
    session.results_changed.emit()
    assert gallery.runs.currentText() == "newest"
    qtbot.waitUntil(lambda: gallery.paired not in (None, paired), timeout=20_000)


def test_results_of_another_step_leave_the_gallery_as_it_is(
    qtbot: Any, gallery: GalleryPanel, session: Session, slide: Slide, runs: Path
) -> None:
    session.open(slide)
    qtbot.waitUntil(lambda: gallery.paired is not None, timeout=20_000)
    paired = gallery.paired
    gallery.list.setCurrentIndex(gallery.model.index(9))
    session.results_changed.emit()
    assert gallery.paired is paired
    assert gallery.list.currentIndex().row() == 9
    chosen = Path(gallery.runs.currentData())
    stamp = (chosen / "result.json").stat().st_mtime + 100
    os.utime(chosen / "result.json", (stamp, stamp))  # sampled again into the same folder
    session.results_changed.emit()
    qtbot.waitUntil(lambda: gallery.paired not in (None, paired), timeout=20_000)


def test_closing_the_slide_empties_it(filled: GalleryPanel, session: Session) -> None:
    session.close()
    assert filled.words.text() == NO_SLIDE
    assert filled.paired is None
    assert filled.model.rowCount() == 0
    assert not filled.list.isEnabled()
    session.spot_clicked.emit(3)
    session.choose(np.ones(63, dtype=bool))


def test_pairs_that_come_after_the_slide_was_closed_are_dropped(
    qtbot: Any, gallery: GalleryPanel, session: Session, slide: Slide, runs: Path
) -> None:
    session.open(slide)
    assert gallery._work.awaited
    session.close()
    qtbot.waitUntil(lambda: not gallery._work._workers, timeout=20_000)
    assert gallery.paired is None
    assert gallery.model.rowCount() == 0


def test_a_set_that_is_shown_and_deleted_gives_way_to_all(filled: GalleryPanel, session: Session) -> None:
    filled.filter.setCurrentIndex(filled.filter.findText("Set “train”"))
    session.sets = {}
    session.sets_changed.emit()
    assert filled.filter.currentIndex() == 0
    assert filled.model.rowCount() == 21


def test_pairs_that_were_all_mixed_say_so(filled: GalleryPanel) -> None:
    filled.paired = Paired(filled.paired.pairs, ())  # type: ignore[union-attr]
    filled._show()
    assert "all mixed between spots" in filled.words.text()


def test_keys_walk_and_enter_goes(qtbot: Any, filled: GalleryPanel, session: Session) -> None:
    heard: list[int] = []
    session.spot_clicked.connect(heard.append)
    filled.list.setCurrentIndex(filled.model.index(0))
    qtbot.keyClick(filled.list, Qt.Key.Key_End)
    assert filled.list.currentIndex().row() == 20
    qtbot.keyClick(filled.list, Qt.Key.Key_Return)
    assert heard == [60]
