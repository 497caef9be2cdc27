from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from napari_c2lst.common.errors import InputError
from napari_c2lst.plugin.guide.standing import SAVED_VIEW
from napari_c2lst.plugin.keeping.saving import plan_of, save
from napari_c2lst.plugin.keeping.view import SavedView, read_view
from napari_c2lst.plugin.session import Session
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.slide import Slide
from napari_c2lst.slides.spots.spotsets import SpotSet, read_spot_set, spot_set_names
from napari_c2lst.slides.store import moving


def opened(path: Path) -> Session:
    session = Session()
    session.open(open_slide(path))
    return session


def test_the_plan_tells_new_changed_and_same(store: Path, make_set: Callable[..., SpotSet]) -> None:
    session = opened(store)
    assert plan_of(session).words == "all spot sets are saved"
    assert plan_of(session).same == ("train",)
    slide = session.require_slide()
    session.sets["mine"] = make_set(slide, "mine", 20)
    session.sets["train"] = make_set(slide, "train", 60)
    plan = plan_of(session)
    assert [each.name for each in plan.new] == ["mine"]
    assert [each.name for each in plan.changed] == ["train"]
    assert plan.words == "new: mine; changed: train"
    assert "'train'" in plan.question


def test_new_sets_and_the_view_are_saved(store: Path, make_set: Callable[..., SpotSet]) -> None:
    session = opened(store)
    session.sets["mine"] = make_set(session.require_slide(), "mine", 20)
    written = save(session.require_slide(), plan_of(session), SavedView(gene="FASN"))
    assert written == ["c2lst_set_mine", SAVED_VIEW]
    again = open_slide(store)
    assert spot_set_names(again) == ["mine", "train"]
    assert read_spot_set(again, "mine").same_as(session.sets["mine"])
    view = read_view(again)
    assert view is not None
    assert view.gene == "FASN"
    assert "c2lst_spots_both" in again.sdata.tables  # and what was there is there
    assert plan_of(opened(store)).words == "all spot sets are saved"


def test_nothing_is_replaced_silently(store: Path, make_set: Callable[..., SpotSet]) -> None:
    session = opened(store)
    session.sets["train"] = make_set(session.require_slide(), "train", 60)
    with pytest.raises(InputError, match="already holds other spots under 'train'"):
        save(session.require_slide(), plan_of(session), None)
    assert read_spot_set(open_slide(store), "train").mask.sum() == 70
    assert save(session.require_slide(), plan_of(session), None, replace=True) == ["c2lst_set_train"]
    assert read_spot_set(open_slide(store), "train").mask.sum() == 60


def test_all_or_nothing(store: Path, make_set: Callable[..., SpotSet], monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk gets full at the last rename: the store is what it was."""
    session = opened(store)
    for name in ("one", "two"):
        session.sets[name] = make_set(session.require_slide(), name, 20)
    plan, before = plan_of(session), sorted(p.name for p in (store / "tables").iterdir())
    real, calls = moving._move, []

    def full(old: Path, new: Path) -> None:
        calls.append(new)
        if len(calls) == 2:
            raise OSError(28, os.strerror(28))
        real(old, new)

    monkeypatch.setattr(moving, "_move", full)
    with pytest.raises(InputError, match="disk is full"):
        save(session.require_slide(), plan, SavedView())
    assert sorted(p.name for p in (store / "tables").iterdir()) == before
    assert spot_set_names(open_slide(store)) == ["train"]
    assert [p for p in store.parent.iterdir() if p.name.startswith(".")] == []


def test_bad_names_are_said_before_anything_is_written(store: Path, make_set: Callable[..., SpotSet]) -> None:
    session = opened(store)
    for name in ("bad name", "good", "wörse"):
        session.sets[name] = make_set(session.require_slide(), name, 20)
    with pytest.raises(InputError, match=r"2 things are wrong.*'bad name'.*'wörse'"):
        save(session.require_slide(), plan_of(session), None)
    assert spot_set_names(open_slide(store)) == ["train"]


def test_only_a_store_can_be_saved_into(make_slide: Callable[..., Slide]) -> None:
    session = Session()
    with pytest.raises(InputError, match="no slide is open"):
        plan_of(session)
    session.slide = make_slide(is_zarr=False)
    with pytest.raises(InputError, match="not a SpatialData store"):
        plan_of(session)
