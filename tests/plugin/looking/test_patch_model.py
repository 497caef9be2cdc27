"""The gallery's list: what is read, when, and what of it is kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from qtpy.compat import isalive
from qtpy.QtCore import QModelIndex, QObject, Qt

from napari_c2lst.common.errors import InputError
from napari_c2lst.plugin.looking import patch_model as module
from napari_c2lst.plugin.looking.paired import Row
from napari_c2lst.plugin.looking.patch_model import BATCH, KEPT, PATCHES, ROW, PatchModel

SLIDE: Any = object()
PAIRS: Any = object()


def rows(n: int, first: int = 0) -> list[Row]:
    return [Row(spot, f"s{spot}", np.arange(2)) for spot in range(first, first + n)]


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """Which spots are read together; spot 13 is damaged."""
    asked: list[list[int]] = []

    def read(slide: Any, paired: Any, wanted: tuple[Row, ...]) -> list[np.ndarray]:
        asked.append([row.spot for row in wanted])
        if any(row.spot == 13 for row in wanted):
            raise InputError("the pairs cannot be read", "sample again")
        return [np.full((3, 4, 4, 3), row.spot % 256, np.uint8) for row in wanted]

    monkeypatch.setattr(module, "read_rows", read)
    return asked


@pytest.fixture
def owner(qtbot: Any) -> QObject:
    return QObject()


@pytest.fixture
def model(qtbot: Any, owner: QObject, reads: list[list[int]]) -> Iterator[PatchModel]:
    model = PatchModel(owner)
    yield model
    work = model._work
    if isalive(model):
        model.show(None, None, [])
    qtbot.waitUntil(lambda: not work._workers, timeout=10_000)  # a thread must not speak in the next test


def look(qtbot: Any, model: PatchModel, *which: int) -> None:
    """Ask for the patches of some rows, as painting does, and wait until they are there."""
    for i in which:
        model.index(i).data(PATCHES)
    qtbot.waitUntil(lambda: all(model.index(i).data(PATCHES) is not None for i in which), timeout=10_000)


def test_a_row_is_a_spot_in_words(model: PatchModel) -> None:
    model.show(SLIDE, PAIRS, [Row(7, "AACG-1", np.arange(9))])
    index = model.index(0)
    assert index.data() == "AACG-1"
    assert index.data(ROW).spot == 7
    for role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleDescriptionRole):
        assert "its real patch, and 4 of 9 synthetic ones" in index.data(role)
    assert index.data(Qt.ItemDataRole.DecorationRole) is None
    assert model.data(QModelIndex()) is None
    assert model.rowCount(index) == 0


def test_nothing_is_read_before_it_is_seen(qtbot: Any, model: PatchModel, reads: list[list[int]]) -> None:
    model.show(SLIDE, PAIRS, rows(100))
    assert not model._soon.isActive()
    look(qtbot, model, 5)
    assert reads == [[5]]


def test_what_is_seen_together_is_read_together(qtbot: Any, model: PatchModel, reads: list[list[int]]) -> None:
    model.show(SLIDE, PAIRS, rows(100, 20))
    look(qtbot, model, *range(10))
    assert [sorted(each) for each in reads] == [list(range(20, 30))]
    assert model.index(3).data(PATCHES)[0, 0, 0, 0] == 23


def test_what_is_painted_again_meanwhile_is_not_read_again(
    qtbot: Any, model: PatchModel, reads: list[list[int]]
) -> None:
    model.show(SLIDE, PAIRS, rows(3))
    model.index(1).data(PATCHES)
    model._read()
    for _ in range(5):
        model.index(1).data(PATCHES)
    assert not model._wanted
    look(qtbot, model, 1)
    assert reads == [[1]]


def test_a_long_list_is_read_in_batches(qtbot: Any, model: PatchModel, reads: list[list[int]]) -> None:
    model.show(SLIDE, PAIRS, rows(60, 20))
    look(qtbot, model, *range(60))
    assert all(len(each) <= BATCH for each in reads)
    assert sorted(spot for each in reads for spot in each) == list(range(20, 80))


def test_what_was_asked_for_last_is_read_first(qtbot: Any, model: PatchModel, reads: list[list[int]]) -> None:
    model.show(SLIDE, PAIRS, rows(200, 20))
    for i in range(150):  # a fast scroll, within one turn of the loop
        model.index(i).data(PATCHES)
    look(qtbot, model, 149)
    assert 169 in reads[0]
    assert 20 not in reads[0]


def test_places_scrolled_past_long_ago_are_not_read(qtbot: Any, model: PatchModel, reads: list[list[int]]) -> None:
    model.show(SLIDE, PAIRS, rows(1000, 20))
    for i in range(1000):
        model.index(i).data(PATCHES)
    qtbot.waitUntil(lambda: bool(reads) and not model._work.awaited and not model._wanted, timeout=10_000)
    assert sum(map(len, reads)) <= 5 * BATCH


def test_a_row_is_drawn_again_when_its_patches_come(qtbot: Any, model: PatchModel) -> None:
    model.show(SLIDE, PAIRS, rows(5))
    changed: list[tuple[int, list[int]]] = []
    model.dataChanged.connect(lambda first, last, roles: changed.append((first.row(), roles)))
    look(qtbot, model, 2)
    assert changed == [(2, [PATCHES])]


def test_patches_that_were_read_are_kept_over_a_filter(qtbot: Any, model: PatchModel, reads: list[list[int]]) -> None:
    model.show(SLIDE, PAIRS, rows(5))
    look(qtbot, model, 2)
    model.show(SLIDE, PAIRS, rows(2, 2))
    assert model.index(0).data(PATCHES) is not None
    assert reads == [[2]]


def test_patches_of_other_pairs_are_not_kept(qtbot: Any, model: PatchModel, reads: list[list[int]]) -> None:
    model.show(SLIDE, PAIRS, rows(5))
    look(qtbot, model, 2)
    model.show(SLIDE, object(), rows(5))  # type: ignore[arg-type]
    assert model.index(2).data(PATCHES) is None
    look(qtbot, model, 2)
    assert reads == [[2], [2]]


def test_an_answer_for_pairs_that_were_left_is_dropped(qtbot: Any, model: PatchModel, reads: list[list[int]]) -> None:
    model.show(SLIDE, PAIRS, rows(5))
    model.index(2).data(PATCHES)
    model._read()
    assert model._work.awaited
    model.show(None, None, [])
    qtbot.waitUntil(lambda: not model._work._workers, timeout=10_000)
    assert not model._patches
    assert model.rowCount() == 0


def test_memory_holds_a_bounded_number(qtbot: Any, model: PatchModel) -> None:
    model.show(SLIDE, PAIRS, rows(KEPT + 50, 20))
    model._use({spot: np.zeros((1, 1, 1, 3), np.uint8) for spot in range(20, 20 + KEPT)})
    model.index(0).data(PATCHES)  # seen just now: not the first to go
    model._use({spot: np.zeros((1, 1, 1, 3), np.uint8) for spot in range(20 + KEPT, 70 + KEPT)})
    assert len(model._patches) == KEPT
    assert 20 in model._patches
    assert 21 not in model._patches


def test_a_damaged_patch_is_told_once_and_reading_ends(qtbot: Any, model: PatchModel, reads: list[list[int]]) -> None:
    told: list[tuple[str, str]] = []
    model.failed.connect(lambda *words: told.append(words))
    model.show(SLIDE, PAIRS, rows(30))
    model.index(13).data(PATCHES)
    qtbot.waitUntil(lambda: bool(told), timeout=10_000)
    assert told == [("the pairs cannot be read", "sample again")]
    model.index(14).data(PATCHES)
    assert not model._soon.isActive()
    model.show(SLIDE, PAIRS, rows(5))  # another choice tries again
    look(qtbot, model, 1)


def test_a_spot_is_found_where_it_is_shown(model: PatchModel) -> None:
    model.show(SLIDE, PAIRS, rows(3, 10))
    assert [model.row_of_spot(spot) for spot in (10, 12, 9, -1)] == [0, 2, -1, -1]


def test_a_model_that_is_gone_while_it_reads_is_left_alone(qtbot: Any, owner: QObject, model: PatchModel) -> None:
    model.show(SLIDE, PAIRS, rows(3))
    model.index(0).data(PATCHES)
    model._read()
    work = model._work
    with qtbot.waitSignal(model.destroyed):
        owner.deleteLater()
    qtbot.waitUntil(lambda: not work._workers, timeout=10_000)
