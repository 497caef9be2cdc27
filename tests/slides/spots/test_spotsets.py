from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from spatialdata import read_zarr
from tests.slides.stores import make_tiny_store

from napari_c2lst.common.errors import InputError, MismatchError
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.spots.spotsets import (
    SpotSet,
    checked_name,
    checked_set_table,
    delete_spot_set,
    list_spot_sets,
    read_spot_set,
    refuse_taken_name,
    set_of_training,
    spot_set_names,
    write_spot_set,
)

HOW = {
    "fraction": 0.25,
    "seed": 0,
    "split": "random",
    "classes": ["Tumor, invasive", "µ"],
    "system": None,
    "nested": {"a": []},
}


def _set(slide: Any, name: str = "train", step: int = 4) -> SpotSet:
    ids = slide.require_spots().ids
    mask = np.arange(len(ids)) % step == 0
    left_out = np.arange(len(ids)) % step == 1
    return SpotSet.of(name, ids, mask, HOW, left_out)


@pytest.mark.parametrize("name", ["train", "A-1_b", "0", "x" * 64])
def test_good_names(name: str) -> None:
    assert checked_name(name) == name


@pytest.mark.parametrize("name", ["", "a b", "a/b", "../x", "a.b", "é", "x" * 65, "a\n"])
def test_bad_names(name: str) -> None:
    with pytest.raises(InputError, match="cannot be the name of a spot set"):
        checked_name(name)


def test_held_out_is_what_is_neither_chosen_nor_left_out() -> None:
    spots = SpotSet.of(
        "t", np.array(["a", "b", "c"]), np.array([True, False, False]), {}, np.array([False, True, False])
    )
    assert spots.ids.tolist() == ["a"]
    assert spots.held_out.tolist() == [False, False, True]
    assert SpotSet("t", spots.ids, spots.mask).held_out.tolist() == [False, True, True]
    with pytest.raises(AssertionError):
        SpotSet("t", spots.ids, spots.mask, {}, spots.mask)


def test_reopened_as_saved(tiny_store: Path) -> None:
    slide = open_slide(tiny_store)
    spots = _set(slide)
    write_spot_set(slide, spots)
    again = read_spot_set(open_slide(tiny_store), "train")
    assert again.same_as(spots)
    assert again.how == HOW
    assert read_spot_set(slide, "train").same_as(spots)  # also in the slide that is open


def test_nothing_of_the_user_changes(tiny_store: Path) -> None:
    before = read_zarr(tiny_store)
    slide = open_slide(tiny_store)
    write_spot_set(slide, _set(slide))
    after = read_zarr(tiny_store)
    assert sorted(after.tables) == ["c2lst_set_train", "table"]
    assert (after.tables["table"].X != before.tables["table"].X).nnz == 0
    assert after.tables["table"].obs.equals(before.tables["table"].obs)
    assert after.shapes["tiny"].equals(before.shapes["tiny"])
    table = after.tables["c2lst_set_train"]
    assert table.uns["spatialdata_attrs"]["region"] == "tiny"
    assert table.obs["spot"].tolist() == after.shapes["tiny"].index.tolist()
    assert np.asarray(table.X).ravel().tolist() == _set(slide).mask.astype(float).tolist()


def test_several_sets_and_their_order(tiny_store: Path) -> None:
    slide = open_slide(tiny_store)
    assert list_spot_sets(slide) == []
    for name, step in (("z", 3), ("a", 5)):
        write_spot_set(slide, _set(slide, name, step))
    reopened = open_slide(tiny_store)
    assert spot_set_names(reopened) == ["a", "z"]
    assert [int(spots.mask.sum()) for spots in list_spot_sets(reopened)] == [13, 21]


def test_replacing_must_be_said(tiny_store: Path) -> None:
    slide = open_slide(tiny_store)
    write_spot_set(slide, _set(slide))
    with pytest.raises(InputError, match="already has a spot set 'train'") as caught:
        write_spot_set(slide, _set(slide, step=7))
    assert "--replace" in caught.value.hint
    assert read_spot_set(open_slide(tiny_store), "train").same_as(_set(slide))
    write_spot_set(slide, _set(slide, step=7), replace=True)
    assert read_spot_set(open_slide(tiny_store), "train").same_as(_set(slide, step=7))


def test_a_set_that_is_not_there(tiny_store: Path) -> None:
    slide = open_slide(tiny_store)
    with pytest.raises(InputError, match="has no spot set 'train'") as caught:
        read_spot_set(slide, "train")
    assert "c2lst select" in caught.value.hint
    write_spot_set(slide, _set(slide, "other"))
    with pytest.raises(InputError, match="has no spot set 'train'") as caught:
        read_spot_set(slide, "train")
    assert caught.value.hint == "it has 'other'"


def test_sets_of_another_slide_are_refused(tiny_store: Path) -> None:
    slide = open_slide(tiny_store)
    foreign = SpotSet.of("train", np.array(["a", "b"]), np.array([True, False]), {})
    with pytest.raises(MismatchError, match="is of another slide"):
        write_spot_set(slide, foreign)
    assert spot_set_names(open_slide(tiny_store)) == []


def test_spots_that_came_or_went_since(tiny_store: Path) -> None:
    slide = open_slide(tiny_store)
    write_spot_set(slide, _set(slide))
    table = slide.sdata.tables["c2lst_set_train"]
    slide.sdata.tables["c2lst_set_train"] = table[1:].copy()
    fewer = read_spot_set(slide, "train")
    assert fewer.left_out[0]  # a spot the set does not know is never scored
    assert not fewer.mask[0]
    renamed = table.copy()
    renamed.obs_names = ["GONE", *renamed.obs_names[1:]]
    slide.sdata.tables["c2lst_set_train"] = renamed
    with pytest.raises(MismatchError, match=r"1 spots of set 'train' are not in slide '.*': GONE"):
        read_spot_set(slide, "train")


def test_a_later_format_is_refused(tiny_store: Path) -> None:
    slide = open_slide(tiny_store)
    write_spot_set(slide, _set(slide))
    slide.sdata.tables["c2lst_set_train"].uns["c2lst"]["version"] = 99
    with pytest.raises(MismatchError, match="is of format 99"):
        read_spot_set(slide, "train")


def test_only_a_store_can_hold_sets(tiny_store: Path) -> None:
    slide = open_slide(tiny_store)
    object.__setattr__(slide, "is_zarr", False)
    with pytest.raises(
        InputError, match=r"2 things are wrong: \(1\) 'a b' cannot .*; \(2\) .* is no SpatialData store"
    ):
        write_spot_set(slide, _set(slide, "a b"))


def test_numbered_shapes_and_a_table_in_another_order(tmp_path: Path) -> None:
    store = make_tiny_store(tmp_path / "numbered.zarr", numbered=True)
    slide = open_slide(store)
    ids = slide.require_spots().ids
    spots = SpotSet.of("few", ids, np.isin(ids, ids[[1, 5, 40]]), HOW)
    write_spot_set(slide, spots)
    assert read_spot_set(open_slide(store), "few").same_as(spots)
    sdata = read_zarr(store)
    mine, theirs = sdata.tables["c2lst_set_few"], sdata.tables["table"]
    key_of = dict(zip(theirs.obs_names, theirs.obs["spot_id"], strict=True))
    assert mine.obs["spot"].dtype.kind == "i"  # as the shapes are numbered, so that SpatialData can join them
    assert [key_of[name] for name in mine.obs_names] == mine.obs["spot"].tolist()


def test_a_set_can_be_joined_to_its_circles(tiny_store: Path) -> None:
    from spatialdata import get_values, join_spatialelement_table

    slide = open_slide(tiny_store)
    spots = _set(slide)
    write_spot_set(slide, spots)
    sdata = read_zarr(tiny_store)
    _, table = join_spatialelement_table(sdata=sdata, spatial_element_names="tiny", table_name="c2lst_set_train")
    assert table.n_obs == 63
    role = get_values("role", sdata=sdata, element_name="tiny", table_name="c2lst_set_train")["role"]
    assert role[spots.ids].unique().tolist() == ["selected"]
    assert role.value_counts().to_dict() == {"held out": 31, "selected": 16, "left out": 16}


def test_a_write_that_fails_leaves_the_store_as_it_was(tiny_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slide = open_slide(tiny_store)
    write_spot_set(slide, _set(slide))
    before = {path: path.read_bytes() for path in sorted(tiny_store.rglob("*")) if path.is_file()}

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("anndata.AnnData.write_zarr", full)
    monkeypatch.setattr("spatialdata.SpatialData.write", full)
    with pytest.raises(InputError, match="the disk is full"):
        write_spot_set(slide, _set(slide, step=7), replace=True)
    after = {path: path.read_bytes() for path in sorted(tiny_store.rglob("*")) if path.is_file()}
    assert after == before
    assert [path.name for path in tiny_store.parent.iterdir()] == ["tiny.zarr"]


def test_the_set_of_training_spots_is_found_by_its_spots(tmp_path: Path) -> None:
    slide = open_slide(make_tiny_store(tmp_path / "tiny.zarr"))
    some = _set(slide)
    write_spot_set(slide, SpotSet.of("lax", slide.require_spots().ids, some.mask, {}))
    write_spot_set(slide, some)
    write_spot_set(slide, _set(slide, "other", step=3))
    found = set_of_training(slide, some.mask)
    assert found is not None
    assert found.same_as(some)
    assert set_of_training(slide, ~some.mask) is None


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a set `train`, for tests that change it in memory only."""
    store = make_tiny_store(tmp_path_factory.mktemp("sets") / "tiny.zarr")
    slide = open_slide(store)
    write_spot_set(slide, _set(slide))
    return store


@pytest.mark.parametrize("body", [None, "text", {}, {"version": "new"}, {"version": None}, {"version": 0}])
def test_a_table_that_only_looks_like_a_set_is_refused(written: Path, body: Any) -> None:
    slide = open_slide(written)
    slide.sdata.tables["c2lst_set_train"].uns["c2lst"] = body
    with pytest.raises(MismatchError, match=r"table 'c2lst_set_train' of slide '.*' is of format 0") as caught:
        read_spot_set(slide, "train")
    assert "select the spots again" in caught.value.hint


def test_a_set_without_roles_is_refused(written: Path) -> None:
    slide = open_slide(written)
    del slide.sdata.tables["c2lst_set_train"].obs["role"]
    with pytest.raises(MismatchError, match="this version reads 1"):
        list_spot_sets(slide)


def test_roles_that_nobody_knows_are_never_taken_as_held_out(written: Path) -> None:
    slide = open_slide(written)
    obs = slide.sdata.tables["c2lst_set_train"].obs
    obs["role"] = obs["role"].astype(str).replace("held out", "heldout")
    with pytest.raises(MismatchError, match=r"set 'train' of slide '.*' has the role 'heldout'"):
        read_spot_set(slide, "train")


def test_spots_named_twice_in_a_set_are_refused(written: Path) -> None:
    slide = open_slide(written)
    table = slide.sdata.tables["c2lst_set_train"]
    names = table.obs_names.to_list()
    table.obs_names = [names[1], *names[1:]]
    with pytest.raises(MismatchError, match="spots that are named twice"):
        read_spot_set(slide, "train")


@pytest.mark.parametrize("how", ["", "{", "5", None])
def test_a_set_whose_way_of_choosing_is_lost_still_has_its_spots(written: Path, how: Any) -> None:
    slide = open_slide(written)
    slide.sdata.tables["c2lst_set_train"].uns["c2lst"]["how"] = how
    found = read_spot_set(slide, "train")
    assert found.how == {}
    assert np.array_equal(found.mask, _set(slide).mask)
    assert np.array_equal(found.left_out, _set(slide).left_out)


def test_sets_differ_by_any_of_their_parts(written: Path) -> None:
    slide = open_slide(written)
    ids, one = slide.require_spots().ids, _set(slide)
    assert one.same_as(read_spot_set(slide, "train"))
    others = (
        _set(slide, "other"),
        _set(slide, step=5),
        SpotSet.of("train", ids, one.mask, {}, one.left_out),
        SpotSet.of("train", ids, one.mask, HOW),
    )
    assert not any(one.same_as(other) or other.same_as(one) for other in others)


def test_deleting_what_is_not_there_deletes_nothing(written: Path) -> None:
    slide = open_slide(written)
    with pytest.raises(InputError, match="has no spot set 'test'"):
        delete_spot_set(slide, "test")
    assert spot_set_names(open_slide(written)) == ["train"]


def test_a_deleted_set_is_gone_and_its_name_is_free(tiny_store: Path) -> None:
    slide = open_slide(tiny_store)
    write_spot_set(slide, _set(slide))
    write_spot_set(slide, _set(slide, "other"))
    delete_spot_set(slide, "train")
    again = open_slide(tiny_store)
    assert spot_set_names(again) == ["other"]
    refuse_taken_name(again, "train", replace=False)
    with pytest.raises(InputError, match="already has a spot set 'other'"):
        refuse_taken_name(again, "other", replace=False)


def test_a_set_table_is_checked_before_it_is_made(written: Path) -> None:
    slide = open_slide(written)
    with pytest.raises(InputError, match="cannot be the name of a spot set"):
        checked_set_table(slide, _set(slide, "a b"))
    table = checked_set_table(slide, _set(slide, "train"))  # a name that is taken is replaced
    assert table.X[:, 0].astype(bool).tolist() == _set(slide).mask.tolist()
