"""Move written elements into a store by renames: all of them, or the store is put back exactly as it was.

The consolidated metadata of the store is taken away before and made anew after, so that at every moment the store can
be read. A kill in between leaves a store without it, which is slower to open and right; stale metadata would be wrong.
"""

from __future__ import annotations

import json
import os
import shutil
import warnings
from contextlib import ExitStack
from pathlib import Path

from napari_c2lst.common.errors import InputError
from napari_c2lst.common.files import atomic_file

# Folders inside the temporary one: elements that were replaced, and the metadata of the store as it was.
_OLD, _ROOT = "c2lst_old", "c2lst_root"


def move_in(temporary: Path, store: Path, names: list[tuple[str, str]]) -> None:
    """Rename elements of a store written beside another into that one, in place of those of the same names.

    Parameters
    ----------
    temporary
        The store beside it, on the same disk; what is replaced is kept in it until all went well.
    store
        The store to change.
    names
        Kind (`tables`, ...) and name of the elements.

    Raises
    ------
    OSError
        As the disk raises it; then, as after any other exception, the store is what it was.
    """
    with ExitStack() as undo:
        undo.callback(_put_root_back, temporary, store)
        had = _drop_consolidated(temporary, store)
        for kind, name in names:
            group, kept = store / kind, temporary / _OLD / kind
            if not group.is_dir():
                # a store may have no tables yet: the group comes with its first element
                undo.callback(shutil.rmtree, group, ignore_errors=True)
                _make_group(temporary / kind, group)
            if (group / name).exists():
                kept.mkdir(parents=True, exist_ok=True)
                undo.callback(_move_back, group / name, kept / name)
                _move(group / name, kept / name)
            undo.callback(_move_back, temporary / kind / name, group / name)
            _move(temporary / kind / name, group / name)
        if had:
            _consolidate(store)
        undo.pop_all()
    shutil.rmtree(temporary / _OLD, ignore_errors=True)


def move_out(temporary: Path, store: Path, names: list[tuple[str, str]]) -> None:
    """Rename elements out of a store into a folder beside it, which is removed at the end.

    Parameters
    ----------
    temporary
        An empty folder beside the store, on the same disk.
    store
        The store to change.
    names
        Kind (`tables`, ...) and name of the elements; those that are not there are passed over.

    Raises
    ------
    OSError
        As the disk raises it; then, as after any other exception, the store is what it was.
    """
    with ExitStack() as undo:
        undo.callback(_put_root_back, temporary, store)
        had = _drop_consolidated(temporary, store)
        for kind, name in names:
            if (store / kind / name).exists():
                kept = temporary / _OLD / kind
                kept.mkdir(parents=True, exist_ok=True)
                undo.callback(_move_back, store / kind / name, kept / name)
                _move(store / kind / name, kept / name)
        if had:
            _consolidate(store)
        undo.pop_all()
    shutil.rmtree(temporary / _OLD, ignore_errors=True)


def remove_temporary(temporary: Path, store: Path) -> None:
    """Remove the store beside it, unless elements of the user lie in it that could not be put back.

    Raises
    ------
    InputError
        If there are such elements; it says where they are.
    """
    left = [path.name for path in (temporary / _OLD).glob("*/*")]
    if left:
        raise InputError(
            f"writing into '{store}' failed, and so did putting back {', '.join(left)}",
            f"move them back from '{temporary / _OLD}'",
        )
    shutil.rmtree(temporary, ignore_errors=True)


def _move(old: Path, new: Path) -> None:
    os.rename(old, new)


def _move_back(old: Path, new: Path) -> None:
    """Undo a rename, whether it had happened or not."""
    if new.exists() and not old.exists():
        os.rename(new, old)


def _drop_consolidated(temporary: Path, store: Path) -> bool:
    """Take away the consolidated metadata; without it a store is read file by file. Whether there was any."""
    root, kept = store / "zarr.json", temporary / _ROOT
    if root.is_file():
        body = json.loads(root.read_text())
        if body.pop("consolidated_metadata", None) is None:
            return False
        # a copy, not a rename: a store without this file cannot be read
        with atomic_file(kept) as file:
            shutil.copy2(root, file)
        with atomic_file(root) as file:
            file.write_text(json.dumps(body))
        return True
    old = store / ".zmetadata"
    if not old.is_file():
        return False
    os.rename(old, kept)
    return True


def _put_root_back(temporary: Path, store: Path) -> None:
    """The consolidated metadata as it was; takes no room on the disk, which may be full."""
    kept = temporary / _ROOT
    if kept.is_file():
        os.replace(kept, store / ("zarr.json" if (store / "zarr.json").is_file() else ".zmetadata"))


def _consolidate(store: Path) -> None:
    import zarr

    with warnings.catch_warnings():
        # parquet files are no zarr, which it warns about
        warnings.simplefilter("ignore")
        zarr.consolidate_metadata(zarr.open_group(store, mode="r+", use_consolidated=False).store)


def _make_group(example: Path, group: Path) -> None:
    """A group without elements, with the metadata of another one."""
    part = group.with_name(f".{group.name}.part")
    try:
        part.mkdir(exist_ok=True)
        for file in example.iterdir():
            if file.is_file():
                shutil.copy(file, part / file.name)
        os.rename(part, group)
    finally:
        shutil.rmtree(part, ignore_errors=True)
