from __future__ import annotations

import shutil
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest

from napari_c2lst.common.errors import InputError
from napari_c2lst.expression.rows import RowsOnDisk


def filled(folder: Path, n: int = 10, d: int = 3) -> tuple[RowsOnDisk, np.ndarray]:
    rows = RowsOnDisk(folder, (n, d))
    values = np.random.default_rng(0).random((n, d)).astype(np.float32)
    order = np.random.default_rng(1).permutation(n)
    for part in np.array_split(order, 3):
        rows.write(part, values[part])
    return rows, values


def test_rows_written_in_any_order_are_read_in_order(tmp_path: Path) -> None:
    rows, values = filled(tmp_path)
    with rows:
        assert np.array_equal(rows.read(0, 10), values)
        assert np.array_equal(rows.read(4, 6), values[4:6])
        assert np.array_equal(rows.column(1), values[:, 1])


def test_rows_never_written_are_zero(tmp_path: Path) -> None:
    with RowsOnDisk(tmp_path, (4, 2)) as rows:
        rows.write(np.array([2]), np.ones((1, 2), np.float32))
        assert rows.read(0, 4).tolist() == [[0, 0], [0, 0], [1, 1], [0, 0]]


def test_lazy_rows_are_read_in_parts(tmp_path: Path) -> None:
    rows, values = filled(tmp_path, 9000, 2)
    with rows:
        lazy = rows.lazy()
        assert lazy.shape == (9000, 2)
        assert lazy.chunks[0] == (4096, 4096, 808)
        assert np.array_equal(lazy.compute(scheduler="threads", num_workers=4), values)
        assert rows.parts() == [(0, 4096), (4096, 8192), (8192, 9000)]
        assert rows.parts(4000, 8500) == [(4000, 8096), (8096, 8500)]
        np.testing.assert_array_equal(rows.lazy(4000, 8500).compute(), rows.lazy()[4000:8500].compute())


def test_long_rows_are_read_fewer_at_a_time(tmp_path: Path) -> None:
    with RowsOnDisk(tmp_path, (300, 20_000)) as rows:
        assert rows.parts() == [(0, 64), (64, 128), (128, 192), (192, 256), (256, 300)]


def test_no_rows_at_all(tmp_path: Path) -> None:
    with RowsOnDisk(tmp_path, (0, 3)) as rows:
        assert rows.lazy().compute().shape == (0, 3)
        assert rows.column(0).shape == (0,)


def test_the_file_has_no_name_and_goes_with_it(tmp_path: Path) -> None:
    rows, _ = filled(tmp_path)
    assert list(tmp_path.iterdir()) == []
    rows.close()
    with pytest.raises(ValueError, match="closed"):
        rows.read(0, 1)


def test_a_disk_without_room_is_said_before_any_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(100, 90, 10))
    with pytest.raises(InputError, match="the disk has 0 MB left"):
        RowsOnDisk(tmp_path, (10, 3))


def test_a_path_stands_for_its_folder(tmp_path: Path) -> None:
    with RowsOnDisk(tmp_path / "slide.zarr", (1, 1)) as rows:
        assert rows.read(0, 1).tolist() == [[0]]
