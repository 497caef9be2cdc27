from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.slides.inputs import write_h5_counts, write_mtx_counts

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.readers import tenx
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
