from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
import pytest

from napari_c2lst.common.errors import InputError
from napari_c2lst.plugin.session import Session
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.sample_data import sample_slide_path
from napari_c2lst.slides.slide import Slide, Spots
from napari_c2lst.slides.spots.spotsets import SpotSet, write_spot_set

SIGNALS = ("slide_changed", "sets_changed", "chosen_changed", "gene_changed", "results_changed", "told", "spot_clicked")


def heard(session: Session) -> list[str]:
    """Names of the signals as they come."""
    names: list[str] = []
    for name in SIGNALS:
        getattr(session, name).connect(lambda *_, name=name: names.append(name))
    return names


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample slide with one stored set."""
    path = tmp_path_factory.mktemp("session") / "B4.zarr"
    shutil.copytree(sample_slide_path(), path)
    slide = open_slide(path)
    write_spot_set(slide, a_set(slide, "train", 70))
    return path


def a_set(slide: Slide, name: str, count: int) -> SpotSet:
    ids = slide.require_spots().ids
    return SpotSet.of(name, ids, np.arange(len(ids)) < count, {"way": "test"})


def test_opening_brings_the_stored_sets(store: Path) -> None:
    session = Session()
    names = heard(session)
    session.gene = "FASN"
    session.open(open_slide(store), {"mpp": 0.7, "image": None})
    assert {name: int(spots.mask.sum()) for name, spots in session.sets.items()} == {"train": 70}
    assert session.opening == {"mpp": 0.7}
    assert session.chosen.shape == (283,)
    assert not session.chosen.any()
    assert session.gene == ""
    assert names == ["slide_changed", "sets_changed", "chosen_changed", "results_changed"]


class Tables:
    """What a store says of its tables."""

    def __init__(self, **tables: Any) -> None:
        self.tables = {f"c2lst_set_{name}": table for name, table in tables.items()}


def stored(role: dict[str, str], version: int = 1, index: str = "") -> Any:
    return anndata.AnnData(
        np.zeros((len(role), 1), dtype=np.float32),
        obs=pd.DataFrame({"role": list(role.values())}, index=list(index or role)),
        uns={"c2lst": {"version": version, "how": "{}"}},
    )


def test_a_set_that_cannot_be_read_keeps_no_slide_closed(make_slide: Callable[..., Slide]) -> None:
    """As with bins of another size, a newer version of this program, or a table that somebody changed."""
    tables = Tables(
        good=stored({"a": "selected", "b": "held out"}),
        bins=stored({"a": "selected", "another": "selected"}),
        newer=stored({"a": "selected"}, version=9),
        twice=stored({"a": "selected", "b": "held out"}, index="aa"),
        foreign=anndata.AnnData(np.zeros((1, 1), dtype=np.float32)),
    )
    session = Session()
    told: list[tuple[str, str, str]] = []
    session.told.connect(lambda *said: told.append(said))
    slide = make_slide(sdata=tables)
    session.open(slide)
    assert session.slide is slide
    assert list(session.sets) == ["good"]
    # a spot that the set does not know was never chosen, and is not scored on either
    assert (session.sets["good"].mask.tolist(), session.sets["good"].left_out.tolist()) == (
        [True, False, False],
        [False, False, True],
    )
    assert [level for level, *_ in told] == ["warning"] * 4
    said = " / ".join(message for _, message, _ in told)
    assert "1 spots of set 'bins' are not in slide 'P12': another" in said
    assert "is of format 9" in said
    assert "set 'twice' of slide 'P12'" in said
    assert all(hint for *_, hint in told)
    session.refresh(make_slide(sdata=tables))
    assert list(session.sets) == ["good"]
    assert len(told) == 4  # said once


def test_a_slide_that_is_closed_leaves_nothing(make_slide: Callable[..., Slide]) -> None:
    session = Session()
    session.open(make_slide(), {"mpp": 0.5})
    session.choose(np.array([True, False, True]))
    session.show_gene("FASN")
    names = heard(session)
    session.close()
    assert (session.slide, session.opening, session.sets, session.gene) == (None, {}, {}, "")
    assert session.chosen.shape == (0,)
    assert (session.store, session.runs_folder) == (None, None)
    assert names == ["slide_changed", "sets_changed", "chosen_changed", "results_changed"]
    session.close()  # harmless twice
    with pytest.raises(InputError, match="no slide is open"):
        session.require_slide()


def test_sets_that_are_not_stored_last_as_long_as_the_viewer(make_slide: Callable[..., Slide]) -> None:
    """As the panel Spots says where a slide is no store, or its disk is full."""
    session = Session()
    raw = make_slide(path=Path("raw.svs"), is_zarr=False)
    session.open(raw)
    session.sets = {"mine": SpotSet.of("mine", raw.require_spots().ids, np.array([True, False, True]), {})}
    session.open(make_slide(path=Path("other.zarr")))
    assert session.sets == {}
    session.close()
    session.open(make_slide(path=Path("raw.svs"), is_zarr=False))
    assert session.sets["mine"].mask.tolist() == [True, False, True]
    session.sets = {}  # deleted by the user: it stays so
    session.close()
    session.open(raw)
    assert session.sets == {}


def test_sets_come_back_to_their_own_spots_alone(make_slide: Callable[..., Slide]) -> None:
    session = Session()
    raw = make_slide(path=Path("raw.svs"))
    session.open(raw)
    session.sets = {"mine": SpotSet.of("mine", raw.require_spots().ids, np.array([True, False, True]), {})}
    session.open(make_slide(path=Path("raw.svs"), spots=Spots(np.array(["x", "y", "z"]), np.zeros((3, 2)), 10.0)))
    assert session.sets == {}
    session.open(raw)
    session.sets = {"mine": SpotSet.of("mine", raw.require_spots().ids, np.array([True, False, True]), {})}
    # the store has one of that name by now: it is what counts
    session.open(make_slide(path=Path("raw.svs"), sdata=Tables(mine=stored({"a": "selected"}))))
    assert session.sets["mine"].mask.tolist() == [True, False, False]


def test_an_image_without_spots_has_no_sets(make_slide: Callable[..., Slide]) -> None:
    session = Session()
    session.open(make_slide(spots=None, sdata=Tables(good=stored({"a": "selected"}))))
    assert (session.sets, session.chosen.shape) == ({}, (0,))
    session.refresh(make_slide(spots=None))
    assert session.sets == {}


def test_where_results_and_runs_go(store: Path, make_slide: Callable[..., Slide]) -> None:
    session = Session()
    assert session.store is None
    assert session.runs_folder is None
    session.open(open_slide(store))
    assert session.store == store
    assert session.runs_folder == store.parent / "B4_c2lst"
    folder = make_slide(path=Path("/data/sample/outs"), is_zarr=False, spots=None)
    session.open(folder)
    assert session.store is None
    assert session.runs_folder == Path("/data/sample/sample_c2lst")


def test_refreshing_keeps_what_is_not_stored(store: Path) -> None:
    session = Session()
    session.open(open_slide(store), {"mpp": 0.7})
    session.sets["mine"] = a_set(session.require_slide(), "mine", 5)
    session.choose(np.arange(283) == 3)
    session.show_gene("FASN")
    train, names = session.sets["train"], heard(session)
    again = open_slide(store)
    session.refresh(again)
    assert session.slide is again
    assert set(session.sets) == {"train", "mine"}
    assert session.sets["train"] is train  # the same spots: nobody needs to draw them anew
    assert session.chosen.sum() == 1
    assert (session.gene, session.opening) == ("FASN", {"mpp": 0.7})
    assert names == ["results_changed"]


def test_refreshing_takes_over_stored_sets(store: Path, tmp_path: Path) -> None:
    path = tmp_path / "B4.zarr"
    shutil.copytree(store, path)
    session = Session()
    session.open(open_slide(path))
    names = heard(session)
    write_spot_set(open_slide(path), a_set(session.require_slide(), "new", 20))
    session.refresh(open_slide(path))
    assert set(session.sets) == {"train", "new"}
    assert names == ["sets_changed", "results_changed"]


def test_another_slide_is_opened_not_refreshed(store: Path, make_slide: Callable[..., Slide]) -> None:
    session = Session()
    session.open(open_slide(store))
    session.choose(np.ones(283, dtype=bool))
    session.refresh(make_slide())
    assert session.sets == {}
    assert session.chosen.tolist() == [False] * 3
    alone = make_slide(spots=None)
    session.refresh(alone)
    assert session.slide is alone
    assert session.chosen.size == 0


def test_closing_forgets_the_slide(store: Path) -> None:
    session = Session()
    session.open(open_slide(store))
    names = heard(session)
    session.close()
    assert session.slide is None
    assert session.sets == {}
    assert names == ["slide_changed", "sets_changed", "chosen_changed", "results_changed"]
    with pytest.raises(InputError, match="no slide is open"):
        session.require_slide()


def test_a_gene_is_told_once() -> None:
    session = Session()
    genes: list[Any] = []
    session.gene_changed.connect(genes.append)
    session.show_gene("FASN")
    session.show_gene("FASN")
    session.show_gene("")
    assert genes == ["FASN", ""]


def test_what_is_told_reaches_who_listens() -> None:
    session = Session()
    said: list[Any] = []
    session.told.connect(lambda *parts: said.append(parts))
    session.tell("error", "no such path", "check it")
    session.tell("info", "done")
    assert said == [("error", "no such path", "check it"), ("info", "done", "")]


def test_predictions_are_unseen_until_a_map_of_them_is_shown(make_slide: Callable[..., Slide]) -> None:
    session = Session()
    session.open(make_slide())
    heard: list[int] = []
    session.map_seen.connect(lambda: heard.append(1))
    session.note_predicted("a")
    assert (session.unseen, heard) == ({"a"}, [])
    session.note_seen("a")
    session.note_seen("a")  # every gene that is drawn
    assert (session.unseen, session.looked_at, heard) == (set(), {"a"}, [1])
    session.note_predicted("a")  # anew
    assert (session.unseen, session.looked_at) == ({"a"}, set())
    session.open(make_slide(path=Path("other.zarr")))
    assert (session.unseen, session.looked_at) == (set(), set())
    session.note_seen("b")
    session.note_predicted("c")
    session.close()
    assert (session.unseen, session.looked_at) == (set(), set())


def test_sets_that_no_store_has(store: Path) -> None:
    session, slide = Session(), open_slide(store)
    assert session.unsaved_sets() == {}
    session.open(slide)
    assert session.unsaved_sets() == {}
    session.sets = {**session.sets, "new": a_set(slide, "new", 20), "late": a_set(slide, "late", 30)}
    assert session.unsaved_sets() == {slide.path: ["late", "new"]}
    session.saving = "late"  # on its way
    assert session.unsaved_sets() == {slide.path: ["new"]}
    session.saving = ""
    session.sets["train"] = a_set(slide, "train", 60)  # the store has other spots under this name
    assert session.unsaved_sets() == {slide.path: ["late", "new", "train"]}
    session.close()
    assert session.unsaved_sets() == {slide.path: ["late", "new"]}  # what comes back with the slide


def test_a_copy_that_holds_the_sets_makes_them_safe(store: Path, tmp_path: Path) -> None:
    session, slide = Session(), open_slide(store)
    session.open(slide)
    session.sets = {**session.sets, "new": a_set(slide, "new", 20), "late": a_set(slide, "late", 30)}
    copy = open_slide(Path(shutil.copytree(store, tmp_path / "copy.zarr")))
    write_spot_set(copy, a_set(copy, "new", 20))
    session.open(copy)
    assert session.unsaved_sets() == {slide.path: ["late"]}
