"""Pairs are written in parts: each part a chunk of its own, the whole under its name only when it is complete."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from tests.diffusion.tiny import PX, tiny_panel, tiny_patches, tiny_targets

from napari_c2lst.common.errors import InputError
from napari_c2lst.diffusion.conditions import Conditions, plan_conditions
from napari_c2lst.diffusion.pairs import PAIRS_FILE, PairsFacts, load_pairs, partial_store
from napari_c2lst.diffusion.pairs_writing import PairsWriter
from napari_c2lst.slides.patches.cutting import PatchSpec

N = 10


def conditions() -> Conditions:
    return plan_conditions(tiny_targets(N), np.array([f"spot{i}" for i in range(N)]), ratio=1)


def writer(path: Path, **options: Any) -> PairsWriter:
    facts = PairsFacts(
        slide="S1",
        training_ids=tuple(f"spot{i}" for i in range(N)),
        panel=tiny_panel(tiny_targets(N)),
        spec=PatchSpec(patch_px=PX),
        central_hash="sha256:central",
        local_hash="sha256:local",
    )
    return PairsWriter(path, conditions(), facts, seed=1, **options)


def stored(folder: Path) -> Any:
    return zarr.open_group(folder, mode="r", use_consolidated=False)["obsm/patches"]


@pytest.mark.parametrize(("rows", "chunk"), [(4, 4), (10, 10), (64, 10)])
def test_a_chunk_holds_a_part_and_never_more_than_there_is(tmp_path: Path, rows: int, chunk: int) -> None:
    writer(tmp_path / PAIRS_FILE, rows=rows)
    assert stored(partial_store(tmp_path / PAIRS_FILE)).chunks == (chunk, PX, PX, 3)


def test_every_chunk_has_a_checksum(tmp_path: Path) -> None:
    """One turned bit in the middle of a chunk must not become pixels."""
    out = writer(tmp_path / PAIRS_FILE, rows=N)
    out.write(0, tiny_patches(N))
    path = out.finish()
    chunk = max((p for p in (path / "obsm" / "patches").rglob("*") if p.is_file()), key=lambda p: p.stat().st_size)
    data = bytearray(chunk.read_bytes())
    data[len(data) // 2] ^= 1
    chunk.write_bytes(bytes(data))
    with pytest.raises(InputError, match="cannot be read"):
        load_pairs(path)


def test_parts_may_come_in_any_order(tmp_path: Path) -> None:
    out, patches = writer(tmp_path / PAIRS_FILE, rows=4), tiny_patches(N)
    for start in (8, 0, 4):
        out.write(start, patches[start : start + 4])
    assert np.array_equal(load_pairs(out.finish()).patches, patches)


def test_what_is_not_finished_has_no_name(tmp_path: Path) -> None:
    out = writer(tmp_path / "run" / PAIRS_FILE)
    out.write(0, tiny_patches(N))
    assert [path.name for path in (tmp_path / "run").iterdir()] == [f"{PAIRS_FILE}.partial"]
    assert out.finish() == tmp_path / "run" / PAIRS_FILE
    assert [path.name for path in (tmp_path / "run").iterdir()] == [PAIRS_FILE]


def test_going_on_without_a_beginning_is_a_beginning(tmp_path: Path) -> None:
    out = writer(tmp_path / PAIRS_FILE, resume=True)
    assert out.partial.is_dir()
    out.write(0, tiny_patches(N))
    assert len(load_pairs(out.finish())) == N


def test_the_finished_store_is_opened_by_one_file(tmp_path: Path) -> None:
    """Consolidated: on a network disk a store of many small files opens slowly otherwise."""
    path = writer(tmp_path / PAIRS_FILE).finish()
    group = zarr.open_group(path, mode="r", use_consolidated=True)
    assert {"obs", "obsm", "uns", "X"} <= set(group.keys())
    assert group["obsm/patches"].shape == (N, PX, PX, 3)


def test_a_disk_that_fills_while_writing_is_one_sentence(tmp_path: Path) -> None:
    class Full:
        def __setitem__(self, _place: slice, _patches: Any) -> None:
            raise OSError(28, "No space left on device")

    out = writer(tmp_path / PAIRS_FILE)
    out._patches = Full()
    with pytest.raises(InputError, match=r"the disk is full: '.*pairs\.zarr' was not written") as caught:
        out.write(0, tiny_patches(N))
    assert "run it again" in caught.value.hint
    assert not (tmp_path / PAIRS_FILE).exists()


def test_room_is_asked_for_the_patches_and_the_expression(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needed = N * (3 * PX * PX + 4 * 6)
    for free, fits in ((needed - 1, False), (needed, True)):
        usage = shutil._ntuple_diskusage(free, 0, free)  # type: ignore[attr-defined]
        monkeypatch.setattr(shutil, "disk_usage", lambda _path, usage=usage: usage)
        if fits:
            writer(tmp_path / PAIRS_FILE)
        else:
            with pytest.raises(InputError, match="kB left"):
                writer(tmp_path / PAIRS_FILE)
