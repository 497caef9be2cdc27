"""Pairs that stay on disk."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.expression.conftest import write_pairs
from tests.slides.stores import make_tiny_store

from napari_c2lst.common.errors import InputError
from napari_c2lst.diffusion.pairs import load_pairs
from napari_c2lst.diffusion.pairs_on_disk import open_pairs
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.spots.spotsets import SpotSet, write_spot_set


@pytest.fixture(scope="module")
def pairs_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pairs")
    store = make_tiny_store(folder / "tiny.zarr")
    slide = open_slide(store)
    ids = slide.require_spots().ids
    write_spot_set(slide, SpotSet.of("train", ids, np.arange(len(ids)) % 3 == 0, {"test": True}))
    return write_pairs(store, folder / "pairs.zarr", ratio=2)


@pytest.fixture
def pairs(pairs_once: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pairs_once, tmp_path / "pairs.zarr"))


def test_names_and_patches_are_those_of_the_whole(pairs: Path) -> None:
    whole, lazy = load_pairs(pairs), open_pairs(pairs)
    assert len(lazy) == len(whole) == 42
    assert lazy.facts == whole.facts
    assert (lazy.source_a == whole.source_a).all()
    assert (lazy.weight == whole.weight).all()
    rows = np.array([3, 40, 3, 0])
    assert (lazy.patches(rows) == whole.patches[rows]).all()


def test_the_rows_of_a_spot(pairs: Path) -> None:
    lazy = open_pairs(pairs.parent)  # the run folder does as well
    assert lazy.rows_of(str(lazy.source_a[4])).tolist() == [4, 25]
    assert lazy.rows_of("nowhere").tolist() == []


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there are no pairs"):
        open_pairs(tmp_path / "nothing")


def test_pairs_that_are_not_complete_are_refused(pairs: Path) -> None:
    pairs.rename(pairs.with_name("pairs.zarr.partial"))
    with pytest.raises(InputError, match="not complete"):
        open_pairs(pairs)


def test_a_later_version_is_refused(pairs: Path) -> None:
    import zarr
    from anndata.io import read_elem, write_elem

    group = zarr.open_group(pairs, mode="r+", use_consolidated=False)
    uns = read_elem(group["uns"])
    uns["c2lst"]["version"] = 99
    write_elem(group, "uns", uns)
    zarr.consolidate_metadata(pairs)
    with pytest.raises(InputError, match="version 99"):
        open_pairs(pairs)


def test_another_store_is_no_pairs(pairs: Path) -> None:
    shutil.rmtree(pairs / "uns")
    with pytest.raises(InputError, match=r"not a store of synthetic pairs|cannot be read"):
        open_pairs(pairs)


def test_a_damaged_chunk_is_said_when_it_is_read(pairs: Path) -> None:
    files = [path for path in (pairs / "obsm" / "patches").rglob("*") if path.is_file()]
    chunks = [path for path in files if not path.name.startswith((".z", "zarr"))]
    chunks[0].write_bytes(chunks[0].read_bytes()[:40])
    lazy = open_pairs(pairs)
    with pytest.raises(InputError, match="cannot be read"):
        lazy.patches(np.array([0]))


def test_no_torch_is_needed(pairs: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from napari_c2lst.diffusion.pairs_on_disk import open_pairs;"
        f"open_pairs(Path({str(pairs)!r})).patches([0]); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_no_rows_are_no_patches(pairs: Path) -> None:
    lazy = open_pairs(pairs)
    none = lazy.patches(lazy.rows_of("nowhere"))
    assert (none.shape, none.dtype) == ((0, 16, 16, 3), np.uint8)


def test_a_row_beyond_the_last_one_is_one_sentence(pairs: Path) -> None:
    with pytest.raises(InputError, match=r"pairs '.*pairs\.zarr' cannot be read: ."):
        open_pairs(pairs).patches(np.array([42]))


def test_a_store_that_goes_away_is_said(pairs: Path) -> None:
    lazy = open_pairs(pairs)
    assert lazy.patches(np.array([1])).any()
    shutil.rmtree(pairs)
    with pytest.raises(InputError, match=r"the pairs '.*pairs\.zarr' are gone"):
        lazy.patches(np.array([1]))


def test_a_store_that_was_copied_in_part_is_refused_when_it_is_opened(pairs: Path) -> None:
    chunk = next(file for file in (pairs / "obsm" / "patches").rglob("*") if file.is_file() and file.name[-1].isdigit())
    chunk.unlink()
    with pytest.raises(InputError, match="lack some of their patches"):
        open_pairs(pairs)
