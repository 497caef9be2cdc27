from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import zarr
from spatialdata import read_zarr

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.store import moving
from napari_c2lst.slides.store.moving import move_in, remove_temporary

# Calls of these while the elements below are moved into a store: one table is replaced, one is new, shapes come first.
STEPS = [
    "_drop_consolidated",
    *["_move", "_move"],  # tables/c2lst_a: the old one out, the new one in
    "_move",  # tables/c2lst_b
    *["_make_group", "_move"],  # shapes/c2lst_g, the first shapes
    "_consolidate",
]
NAMES = [("tables", "c2lst_a"), ("tables", "c2lst_b"), ("shapes", "c2lst_g")]


class Crash(BaseException):
    """What no code catches by accident."""


def make_store(path: Path, names: list[tuple[str, str]], value: int, version: int = 3) -> Path:
    """A zarr store with groups of elements, each of one number."""
    root = zarr.create_group(path, zarr_format=version, attributes={"kept": True})
    for kind, name in names:
        group = root.require_group(kind)
        group.create_array(name, shape=(1,), dtype="i4")[:] = value
    return path


@pytest.fixture(params=[3, 2], ids=["zarr3", "zarr2"])
def store(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    path = make_store(tmp_path / "user.zarr", [("tables", "table"), ("tables", "c2lst_a")], 1, request.param)
    with warnings.catch_warnings():
        # the third version of zarr has no consolidated metadata in its specification yet
        warnings.simplefilter("ignore")
        zarr.consolidate_metadata(zarr.open_group(path, mode="r+").store)
    make_store(tmp_path / "new", NAMES, 2, request.param)
    return path


def contents(store: Path) -> dict[str, bytes]:
    return {str(p.relative_to(store)): p.read_bytes() if p.is_file() else b"" for p in sorted(store.rglob("*"))}


def listed(store: Path) -> dict[str, int]:
    """Elements as a reader sees them, by the consolidated metadata, and their number."""
    root = zarr.open_group(store, mode="r", use_consolidated=True)
    return {f"{kind}/{name}": int(array[0]) for kind, group in root.groups() for name, array in group.arrays()}


def crash_at(patch: pytest.MonkeyPatch, number: int, *, after: bool) -> list[str]:
    """Let the step of that number fail, before or after it did its work; the list grows by the steps taken."""
    taken: list[str] = []

    def failing(name: str, real: Callable[..., object]) -> Callable[..., object]:
        def step(*args: object) -> object:
            taken.append(name)
            if len(taken) - 1 == number and not after:
                raise Crash
            result = real(*args)
            if len(taken) - 1 == number:
                raise Crash
            return result

        return step

    for name in dict.fromkeys(STEPS):
        patch.setattr(moving, name, failing(name, getattr(moving, name)))
    return taken


def test_elements_move_in(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = crash_at(monkeypatch, -1, after=False)
    move_in(store.parent / "new", store, NAMES)
    assert taken == STEPS, "the steps that the test below lets fail are all there are"
    assert listed(store) == {"tables/table": 1, "tables/c2lst_a": 2, "tables/c2lst_b": 2, "shapes/c2lst_g": 2}
    assert zarr.open_group(store, mode="r").attrs["kept"] is True
    remove_temporary(store.parent / "new", store)
    assert [p.name for p in store.parent.iterdir()] == ["user.zarr"]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", range(len(STEPS)))
def test_a_failure_at_any_step_puts_everything_back(
    store: Path, monkeypatch: pytest.MonkeyPatch, number: int, after: bool
) -> None:
    before, names = contents(store), listed(store)
    with monkeypatch.context() as patch:
        taken = crash_at(patch, number, after=after)
        with pytest.raises(Crash):
            move_in(store.parent / "new", store, NAMES)
    assert taken == STEPS[: number + 1]
    assert contents(store) == before, "byte for byte, consolidated metadata too"
    assert listed(store) == names == {"tables/table": 1, "tables/c2lst_a": 1}
    assert all((store.parent / "new" / kind / name).exists() for kind, name in NAMES)
    remove_temporary(store.parent / "new", store)
    assert [p.name for p in store.parent.iterdir()] == ["user.zarr"]


@pytest.mark.parametrize("number", range(len(STEPS)))
def test_a_kill_at_any_step_leaves_a_store_that_can_be_read(
    store: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """A kill undoes nothing: every listed element is there, and what was replaced is still on the disk."""
    for name in ("_move_back", "_put_root_back"):
        monkeypatch.setattr(moving, name, lambda *args: None)
    monkeypatch.setattr(moving.shutil, "rmtree", lambda *args, **kwargs: None)
    crash_at(monkeypatch, number, after=True)
    with pytest.raises(Crash):
        move_in(store.parent / "new", store, NAMES)
    root = zarr.open_group(store, mode="r")
    found = {f"{k}/{n}": int(array[0]) for k, group in root.groups() for n, array in group.arrays()}
    assert found["tables/table"] == 1
    if "tables/c2lst_a" not in found:
        kept = zarr.open_array(store.parent / "new" / "c2lst_old" / "tables" / "c2lst_a", mode="r")
        assert kept[0] == 1


def test_what_cannot_be_put_back_is_not_removed(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new = store.parent / "new"
    monkeypatch.setattr(moving, "_move_back", lambda *args: None)
    crash_at(monkeypatch, 2, after=False)
    with pytest.raises(Crash):
        move_in(new, store, NAMES)
    with pytest.raises(InputError, match=r"so did putting back c2lst_a / move them back from '.*new/c2lst_old'"):
        remove_temporary(new, store)
    assert (new / "c2lst_old" / "tables" / "c2lst_a").is_dir()


def test_a_store_that_was_not_consolidated_stays_so(tmp_path: Path) -> None:
    store = make_store(tmp_path / "user.zarr", [("tables", "table")], 1)
    root = (store / "zarr.json").read_bytes()
    move_in(make_store(tmp_path / "new", NAMES, 2), store, NAMES)
    assert (store / "zarr.json").read_bytes() == root
    assert "consolidated_metadata" not in json.loads(root)
    assert (store / "shapes" / "c2lst_g").is_dir()


def test_a_real_store_keeps_its_consolidated_metadata(tiny_store: Path) -> None:
    """The metadata that SpatialData wrote is back after a failure, and made anew after success."""
    before = contents(tiny_store)
    new = make_store(tiny_store.parent / "new", [("tables", "c2lst_a")], 2)
    with pytest.raises(FileNotFoundError):
        move_in(new, tiny_store, [("tables", "c2lst_a"), ("tables", "c2lst_missing")])
    assert contents(tiny_store) == before
    assert read_zarr(tiny_store).has_consolidated_metadata()
    move_in(new, tiny_store, [("tables", "c2lst_a")])
    text = (tiny_store / "zarr.json").read_text()
    assert "tables/c2lst_a" in json.loads(text)["consolidated_metadata"]["metadata"]
    shutil.rmtree(new)
