"""What is kept of tiles over a stop or a kill."""

from pathlib import Path

import numpy as np
from tests.cells.maps import discs

from napari_c2lst.cells.found import Found
from napari_c2lst.cells.partial import PartialCells, PartialCounts
from napari_c2lst.cells.postprocess import measure

BASIS = {"weights": "sha256:a", "core": 64, "mpp": 0.5}


def some(tile: int) -> Found:
    return Found.of(measure(discs((80, 80), [(20, 20), (45, 45)], 6), None), tile, (0, 64 * tile), 64)


def test_groups_that_are_there_need_not_be_done_again(tmp_path: Path) -> None:
    part = PartialCells(tmp_path / ".part", BASIS, 4, resume=True)
    assert part.todo == [0, 1, 2, 3]
    part.write(2, some(2), [(5, "torn")])
    part.write(0, some(0))  # never closed: a kill comes here
    again = PartialCells(tmp_path / ".part", BASIS, 4, resume=True)
    assert again.todo == [1, 3]
    again.write(1, Found.none())
    again.write(3, some(3), [(7, "gone"), (8, "gone")])
    assert again.read().tile.tolist() == [0, 0, 2, 2, 3, 3]
    assert again.bad() == [(5, "torn"), (7, "gone"), (8, "gone")]
    again.discard()
    assert not list(tmp_path.iterdir())


def test_those_of_another_basis_are_thrown_away(tmp_path: Path) -> None:
    PartialCells(tmp_path / ".part", BASIS, 2, resume=True).write(0, some(0))
    assert PartialCells(tmp_path / ".part", {**BASIS, "core": 128}, 2, resume=True).todo == [0, 1]


def test_never_begins_anew(tmp_path: Path) -> None:
    PartialCells(tmp_path / ".part", BASIS, 2, resume=True).write(0, some(0))
    assert PartialCells(tmp_path / ".part", BASIS, 2, resume=False).todo == [0, 1]


def test_half_written_files_do_not_count(tmp_path: Path) -> None:
    part = PartialCells(tmp_path / ".part", BASIS, 2, resume=True)
    (part.folder / ".0000001.npz.ab12cd34.part").write_bytes(b"half")
    (part.folder / "basis.json").write_text("{")
    assert PartialCells(tmp_path / ".part", BASIS, 2, resume=True).todo == [0, 1]
    assert np.array_equal(list((tmp_path / ".part").glob("*.npz")), [])


def test_numbers_of_patches_come_back_in_their_order(tmp_path: Path) -> None:
    part = PartialCounts(tmp_path / ".part", BASIS, 3, resume=True)
    part.write(2, np.array([[5, 6]]))
    part.write(0, np.array([[1, 2], [3, 4]]))
    again = PartialCounts(tmp_path / ".part", BASIS, 3, resume=True)
    assert again.todo == [1]
    again.write(1, np.array([[7, 8]]))
    assert again.read().tolist() == [[1, 2], [3, 4], [7, 8], [5, 6]]
    assert again.todo == []
    again.discard()
    assert not list(tmp_path.iterdir())
