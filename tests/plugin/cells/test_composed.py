"""What spots are composed of: the numbers that colour them, and results that come late or not at all."""

from __future__ import annotations

from threading import Event
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from napari_c2lst.common.errors import InputError
from napari_c2lst.plugin.cells import composed as module
from napari_c2lst.plugin.cells.composed import NUCLEI, Composed

TYPES = ("epithelial", "inflammatory")
COUNTS = np.array([[3, 1], [0, 0], [0, 5]], np.float32)
SLIDE: Any = SimpleNamespace(spots=SimpleNamespace(ids=np.array(["a", "b", "c"])))


class Bench:
    """A composition whose file is read when the test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.told: list[Any] = []
        self.goes_on = Event()
        self.goes_on.set()
        self.asked: list[tuple[Any, list[str]]] = []
        self.composed = Composed(lambda: self.told.append("changed"), lambda *said: self.told.append(said))
        monkeypatch.setattr(module, "load_composition", self.load)

    def load(self, result: Any, ids: Any) -> Any:
        self.asked.append((result, ids.tolist()))
        assert self.goes_on.wait(20)
        if isinstance(result, Exception):
            raise result
        return result

    def read(self, result: Any, slide: Any = SLIDE) -> None:
        self.composed.read(result, slide)


@pytest.fixture
def bench(qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(monkeypatch)


@pytest.fixture
def known(bench: Bench) -> Composed:
    bench.composed.counts = COUNTS
    return bench.composed


def test_it_is_read_for_the_spots_of_the_slide(bench: Bench, qtbot: Any) -> None:
    bench.read(COUNTS)
    assert bench.composed.reading
    qtbot.waitUntil(lambda: bool(bench.told), timeout=10_000)
    assert bench.told == ["changed"]
    assert bench.asked[0][1] == ["a", "b", "c"]
    np.testing.assert_array_equal(bench.composed.counts, COUNTS)  # type: ignore[arg-type]
    assert not bench.composed.reading


@pytest.mark.parametrize("slide", [None, SimpleNamespace(spots=None)])
def test_without_spots_nothing_is_read_and_what_was_known_goes(bench: Bench, known: Composed, slide: Any) -> None:
    bench.read(COUNTS, slide)
    assert bench.asked == []
    assert known.counts is None
    assert not known.reading


def test_a_result_that_cannot_be_read_is_told_with_its_hint(bench: Bench, qtbot: Any) -> None:
    bench.read(InputError("the composition of spots 'narrow' is damaged", "run 'cells' on the slide again"))
    qtbot.waitUntil(lambda: bool(bench.told), timeout=10_000)
    assert bench.told == [("the composition of spots 'narrow' is damaged", "run 'cells' on the slide again")]
    assert bench.composed.counts is None


def test_of_two_results_the_later_counts_and_one_that_is_forgotten_never_comes(bench: Bench, qtbot: Any) -> None:
    bench.goes_on.clear()
    bench.read(COUNTS)
    bench.read(2 * COUNTS)
    bench.goes_on.set()
    qtbot.waitUntil(lambda: bool(bench.told), timeout=10_000)
    np.testing.assert_array_equal(bench.composed.counts, 2 * COUNTS)  # type: ignore[arg-type]
    bench.goes_on.clear()
    bench.read(COUNTS)
    bench.composed.forget()
    bench.goes_on.set()
    qtbot.waitUntil(lambda: not bench.composed._thread._workers, timeout=10_000)
    assert bench.told == ["changed"]
    assert bench.composed.counts is None


def test_a_spot_and_what_is_none(known: Composed, bench: Bench) -> None:
    np.testing.assert_array_equal(known.of_spot(2), [0, 5])  # type: ignore[arg-type]
    assert known.of_spot(-1) is None  # not the last one
    assert known.of_spot(3) is None
    known.forget()
    assert known.of_spot(0) is None


def test_numbers_and_shares(known: Composed) -> None:
    total, name = known.numbers(NUCLEI, TYPES)
    assert (total.tolist(), name) == ([4, 0, 5], "nuclei in each spot")  # type: ignore[union-attr]
    share, name = known.numbers("epithelial", TYPES)
    assert name == "share of epithelial"
    np.testing.assert_array_equal(share, [0.75, np.nan, 0])  # type: ignore[arg-type]  # no nucleus: no share
    np.testing.assert_array_equal(known.counts, COUNTS)  # type: ignore[arg-type]


def test_nothing_to_colour_by(known: Composed) -> None:
    assert known.numbers("", TYPES) == (None, "")
    known.forget()
    assert known.numbers(NUCLEI, TYPES) == (None, "")
