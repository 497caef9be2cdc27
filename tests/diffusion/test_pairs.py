import json
import shutil
from dataclasses import replace
from pathlib import Path

import anndata
import numpy as np
import pytest
import zarr
from tests.diffusion.tiny import PX, tiny_central, tiny_facts, tiny_patches, tiny_targets

from napari_c2lst.common.errors import InputError, MismatchError
from napari_c2lst.diffusion.conditions import Conditions, plan_conditions
from napari_c2lst.diffusion.pairs import PAIRS_FILE, Pairs, PairsFacts, load_pairs
from napari_c2lst.diffusion.pairs_writing import PairsWriter

N, RATIO = 12, 3


def _conditions() -> Conditions:
    ids = np.array([f"spot{i}" for i in range(N)])
    return plan_conditions(tiny_targets(N), ids, ratio=RATIO, interpolate="pairs")


def _facts() -> PairsFacts:
    f = tiny_facts(tiny_central(), N)
    return PairsFacts(
        slide=f.slide,
        training_ids=f.training_ids,
        panel=f.panel,
        spec=f.spec,
        central_hash=f.central_hash,
        local_hash="sha256:local",
        sampling={"sampler": "dpm++2m"},
    )


def _write(path: Path, rows: int = 16) -> Path:
    writer = PairsWriter(path, _conditions(), _facts(), seed=4, rows=rows)
    patches = tiny_patches(N * RATIO)
    for start in range(0, len(patches), rows):
        writer.write(start, patches[start : start + rows])
    return writer.finish()


@pytest.fixture
def pairs(tmp_path: Path) -> Pairs:
    return load_pairs(_write(tmp_path / PAIRS_FILE))


def test_pairs_come_back_as_they_were_written(pairs: Pairs) -> None:
    c = _conditions()
    assert len(pairs) == N * RATIO
    assert np.array_equal(pairs.patches, tiny_patches(N * RATIO))
    assert np.array_equal(pairs.targets, c.targets)
    assert np.array_equal(pairs.source_a, c.source_a)
    assert np.array_equal(pairs.source_b, c.source_b)
    assert np.allclose(pairs.weight, c.weight)
    assert pairs.facts == _facts()
    assert pairs.genes == _facts().panel.genes


def test_anndata_reads_them_without_us(tmp_path: Path) -> None:
    _write(tmp_path / PAIRS_FILE)
    table = anndata.read_zarr(tmp_path / PAIRS_FILE)
    assert table.X.dtype == np.float32
    assert table.obsm["patches"].shape == (N * RATIO, PX, PX, 3)
    assert table.obsm["patches"].dtype == np.uint8
    assert list(table.var_names) == list(_facts().panel.genes)
    assert {"source_a", "source_b", "weight", "seed", "image"} <= set(table.obs)
    assert set(table.obs["seed"]) == {4}
    assert list(table.obs["image"]) == list(range(N * RATIO))
    facts = json.loads(table.uns["c2lst"]["facts"])
    assert facts["training_ids"] == list(_facts().training_ids)
    subset = table[:5].copy()  # an ordinary AnnData: views and copies work
    assert np.array_equal(subset.obsm["patches"], tiny_patches(N * RATIO)[:5])


def test_a_store_is_found_through_its_run_folder(tmp_path: Path) -> None:
    _write(tmp_path / "run" / PAIRS_FILE)
    assert len(load_pairs(tmp_path / "run")) == N * RATIO


def test_writing_can_be_taken_up_again(tmp_path: Path) -> None:
    path, patches = tmp_path / PAIRS_FILE, tiny_patches(N * RATIO)
    PairsWriter(path, _conditions(), _facts(), seed=4, rows=16).write(0, patches[:16])
    assert not path.exists()
    with pytest.raises(InputError, match="not complete"):
        load_pairs(tmp_path)
    second = PairsWriter(path, _conditions(), _facts(), seed=4, rows=16, resume=True)
    second.write(16, patches[16:])
    second.finish()
    assert np.array_equal(load_pairs(path).patches, patches)
    assert [p.name for p in tmp_path.iterdir()] == [PAIRS_FILE]


def test_without_resume_a_partial_store_is_begun_again(tmp_path: Path) -> None:
    path = tmp_path / PAIRS_FILE
    PairsWriter(path, _conditions(), _facts(), seed=4).write(0, tiny_patches(N * RATIO))
    PairsWriter(path, _conditions(), _facts(), seed=4).finish()
    with pytest.raises(InputError, match="lack some of their patches"):
        load_pairs(path)


def test_a_store_that_is_there_is_never_replaced(tmp_path: Path) -> None:
    path = _write(tmp_path / PAIRS_FILE)
    with pytest.raises(InputError, match="is there already"):
        PairsWriter(path, _conditions(), _facts(), seed=4)
    assert len(load_pairs(path)) == N * RATIO


def test_a_full_disk_is_said_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: shutil._ntuple_diskusage(10, 10, 0))  # type: ignore[attr-defined]
    with pytest.raises(InputError, match="MB left"):
        PairsWriter(tmp_path / PAIRS_FILE, _conditions(), _facts(), seed=4)
    assert not list(tmp_path.iterdir())


def test_a_smaller_ratio_is_a_part(pairs: Pairs) -> None:
    part = pairs.first(2)
    assert len(part) == 2 * N
    assert np.array_equal(part.patches, pairs.patches[: 2 * N])
    assert set(part.source_a) == set(pairs.facts.training_ids)
    assert len(pairs.first(RATIO)) == len(pairs)
    with pytest.raises(InputError, match="hold 3 for each spot, not 4"):
        pairs.first(4)


def test_pairs_of_held_out_spots_are_refused_by_name(pairs: Pairs) -> None:
    ids = list(pairs.facts.training_ids)
    pairs.refuse_held_out("S1", "sha256:any", [*ids, "another"])  # a larger training set is fine
    with pytest.raises(MismatchError, match="2 spots that are held out here") as caught:
        pairs.refuse_held_out("S1", "sha256:any", ids[2:])
    assert "spot0, spot1" in caught.value.message
    assert "--spots" in caught.value.hint


def test_a_slide_is_known_by_its_spots_not_by_its_name(pairs: Pairs) -> None:
    ids = pairs.facts.training_ids
    known = replace(pairs, facts=pairs.facts.model_copy(update={"spots_hash": "sha256:S1"}))
    known.refuse_held_out("renamed", "sha256:S1", ids)
    with pytest.raises(MismatchError, match="slide 'S1', not from this one of the same name: its spots are others"):
        known.refuse_held_out("S1", "sha256:S2", ids)
    with pytest.raises(MismatchError, match="from slide 'S1', not from 'S2'"):
        known.refuse_held_out("S2", "sha256:S2", ids)


def test_pairs_without_a_hash_of_spots_are_known_by_the_name(pairs: Pairs) -> None:
    ids = pairs.facts.training_ids
    pairs.refuse_held_out("S1", "sha256:any", ids)
    with pytest.raises(MismatchError, match="from slide 'S1', not from 'S2'"):
        pairs.refuse_held_out("S2", "sha256:any", ids)


def test_what_is_no_store_of_pairs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there are no pairs"):
        load_pairs(tmp_path / "nowhere")
    anndata.AnnData(np.zeros((2, 2), dtype=np.float32)).write_zarr(tmp_path / "other.zarr")
    with pytest.raises(InputError, match="not a store of synthetic pairs"):
        load_pairs(tmp_path / "other.zarr")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="cannot be read"):
        load_pairs(tmp_path / "empty")


@pytest.mark.parametrize("kept", [20, -1])
def test_a_damaged_store_is_refused(tmp_path: Path, kept: int) -> None:
    path = _write(tmp_path / PAIRS_FILE)
    chunk = max((p for p in (path / "obsm" / "patches").rglob("*") if p.is_file()), key=lambda p: p.stat().st_size)
    chunk.write_bytes(chunk.read_bytes()[:kept])
    with pytest.raises(InputError, match="cannot be read"):
        load_pairs(path)


def test_a_store_that_was_copied_in_part_gives_no_black_patches(tmp_path: Path) -> None:
    path = _write(tmp_path / PAIRS_FILE)
    chunks = [file for file in (path / "obsm" / "patches").rglob("*") if file.is_file() and file.name[-1].isdigit()]
    assert len(chunks) == 3
    chunks[1].unlink()
    with pytest.raises(InputError, match="lack some of their patches") as caught:
        load_pairs(path)
    assert "copy them again" in caught.value.hint


def test_patches_that_are_black_are_patches(tmp_path: Path) -> None:
    writer = PairsWriter(tmp_path / PAIRS_FILE, _conditions(), _facts(), seed=4, rows=16)
    writer.write(0, np.zeros((N * RATIO, PX, PX, 3), np.uint8))
    assert not load_pairs(writer.finish()).patches.any()


def test_a_newer_store_is_refused(tmp_path: Path) -> None:
    path = _write(tmp_path / PAIRS_FILE)
    group = zarr.open_group(path, mode="r+", use_consolidated=False)
    group["uns/c2lst/version"][...] = 2
    with pytest.raises(InputError, match="have version 2"):
        load_pairs(path)


def test_the_folder_one_is_in_can_be_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(tmp_path / PAIRS_FILE)
    for folder in (tmp_path, tmp_path / PAIRS_FILE):
        monkeypatch.chdir(folder)
        assert len(load_pairs(Path("."))) == N * RATIO
    (tmp_path / PAIRS_FILE).rename(tmp_path / f"{PAIRS_FILE}.partial")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"the pairs of '\.' are not complete"):
        load_pairs(Path("."))


def test_many_held_out_spots_are_counted_and_some_are_named(pairs: Pairs) -> None:
    with pytest.raises(MismatchError, match="12 spots that are held out here") as caught:
        pairs.refuse_held_out("S1", "sha256:any", [])
    assert caught.value.message.endswith("(spot0, spot1, spot10, spot11, spot2, ...)")


def test_a_source_that_is_no_training_spot_counts_as_seen(pairs: Pairs) -> None:
    ids = pairs.facts.training_ids
    strange = replace(pairs, source_b=np.array(["elsewhere", *pairs.source_b[1:]]))
    with pytest.raises(MismatchError, match=r"1 spots that are held out here \(elsewhere\)"):
        strange.refuse_held_out("S1", "sha256:any", ids)
