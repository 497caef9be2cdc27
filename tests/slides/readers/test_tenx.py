from __future__ import annotations

import gzip
from pathlib import Path

import h5py
import numpy as np
import pytest
from tests.slides.inputs import cut, write_h5_counts, write_mtx_counts

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.readers import tenx
from napari_c2lst.slides.readers.reading import unreadable
from napari_c2lst.slides.readers.tenx import CountsFile, find_counts

COUNTS = np.random.default_rng(0).poisson(0.7, (50, 9))
BARCODES = [f"B{i}" for i in range(50)]
GENES = [f"G{i}" for i in range(9)]


@pytest.fixture(params=["h5", "mtx"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> CountsFile:
    if request.param == "h5":
        return CountsFile(write_h5_counts(tmp_path / "filtered_feature_bc_matrix.h5", COUNTS, BARCODES, GENES))
    return CountsFile(write_mtx_counts(tmp_path / "filtered_feature_bc_matrix", COUNTS, BARCODES, GENES))


def whole(file: CountsFile) -> np.ndarray:
    return np.vstack([counts.toarray() for _, counts in file.slabs()])


def test_names_and_counts(file: CountsFile) -> None:
    assert file.barcodes == BARCODES
    assert file.genes == GENES
    assert np.array_equal(whole(file), COUNTS)


@pytest.mark.parametrize("values", [1, 10, 100])
def test_slabs_are_bounded_and_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, values: int) -> None:
    file = CountsFile(write_h5_counts(tmp_path / "a.h5", COUNTS, BARCODES, GENES))
    monkeypatch.setattr(tenx, "SLAB_VALUES", values)
    slabs = list(file.slabs())
    assert [span.start for span, _ in slabs[1:]] == [span.stop for span, _ in slabs[:-1]]
    assert all(counts.nnz <= max(values, 9) for _, counts in slabs)
    assert np.array_equal(whole(file), COUNTS)


@pytest.mark.parametrize("kind", ["h5", "mtx"])
def test_antibodies_are_no_genes(tmp_path: Path, kind: str) -> None:
    if kind == "h5":
        path = write_h5_counts(tmp_path / "a.h5", COUNTS, BARCODES, GENES)
        with h5py.File(path, "a") as opened:
            opened["matrix/features/feature_type"][2:5] = b"Antibody"
    else:
        path = write_mtx_counts(tmp_path / "mtx", COUNTS, BARCODES, GENES)
        lines = [f"ID{i}\t{g}\t{'Antibody' if 2 <= i < 5 else 'Gene Expression'}" for i, g in enumerate(GENES)]
        (path / "features.tsv.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    file = CountsFile(path)
    genes = [0, 1, 5, 6, 7, 8]
    assert file.genes == [GENES[i] for i in genes]
    assert np.array_equal(whole(file), COUNTS[:, genes])


def test_features_of_unknown_kinds_are_taken_as_genes(tmp_path: Path) -> None:
    path = write_h5_counts(tmp_path / "a.h5", COUNTS, BARCODES, GENES)
    with h5py.File(path, "a") as opened:
        opened["matrix/features/feature_type"][:] = b"Custom"
    assert CountsFile(path).genes == GENES
    with h5py.File(path, "a") as opened:
        del opened["matrix/features/feature_type"]
    assert CountsFile(path).genes == GENES


def test_no_counts_at_all(tmp_path: Path) -> None:
    file = CountsFile(write_h5_counts(tmp_path / "a.h5", np.zeros((4, 2)), BARCODES[:4], GENES[:2]))
    assert whole(file).tolist() == [[0, 0]] * 4


def test_filtered_before_raw_and_h5_before_mtx(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has no counts: filtered_feature_bc_matrix.h5"):
        find_counts(tmp_path)
    (tmp_path / "raw_feature_bc_matrix.h5").touch()
    assert find_counts(tmp_path).name == "raw_feature_bc_matrix.h5"
    write_mtx_counts(tmp_path / "filtered_feature_bc_matrix", COUNTS, BARCODES, GENES)
    assert find_counts(tmp_path).name == "filtered_feature_bc_matrix"
    (tmp_path / "filtered_feature_bc_matrix.h5").touch()
    assert find_counts(tmp_path).name == "filtered_feature_bc_matrix.h5"


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_cut_off_h5_is_an_error_of_its_library_never_fewer_counts(tmp_path: Path, share: float) -> None:
    path = cut(write_h5_counts(tmp_path / "a.h5", COUNTS, BARCODES, GENES), share)
    with pytest.raises(InputError, match=r"a\.h5' cannot be read"), unreadable(path):
        whole(CountsFile(path))


def test_a_folder_without_its_names_cannot_be_read(tmp_path: Path) -> None:
    folder = write_mtx_counts(tmp_path / "filtered_feature_bc_matrix", COUNTS, BARCODES, GENES)
    (folder / "barcodes.tsv.gz").unlink()
    with pytest.raises(InputError, match="barcodes"), unreadable(folder):
        CountsFile(folder)


def test_slabs_of_barcodes_without_counts_are_there_too(tmp_path: Path) -> None:
    counts = COUNTS.copy()
    counts[10:40] = 0
    file = CountsFile(write_h5_counts(tmp_path / "a.h5", counts, BARCODES, GENES))
    rows = np.concatenate([np.arange(50)[span] for span, _ in file.slabs(20)])
    assert rows.tolist() == list(range(50))
    assert np.array_equal(np.vstack([part.toarray() for _, part in file.slabs(20)]), counts)


def test_names_of_one_column_and_of_any_letters(tmp_path: Path) -> None:
    folder = write_mtx_counts(tmp_path / "mtx", COUNTS[:2, :3], ["Fleck 1", "Fleck ä"], GENES[:3])
    (folder / "features.tsv.gz").write_bytes(gzip.compress("NA\nTNF-α\nGEN 3".encode()))
    assert CountsFile(folder).barcodes == ["Fleck 1", "Fleck ä"]
    assert CountsFile(folder).genes == ["NA", "TNF-α", "GEN 3"]


def test_a_file_without_barcodes_has_no_slabs(tmp_path: Path) -> None:
    file = CountsFile(write_h5_counts(tmp_path / "a.h5", np.zeros((0, 2)), [], GENES[:2]))
    assert (file.barcodes, list(file.slabs())) == ([], [])
