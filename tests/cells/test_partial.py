"""What is kept of tiles over a stop or a kill."""

from pathlib import Path

import numpy as np
import pytest
from tests.cells.maps import discs

from napari_c2lst.cells.found import Found, joined
from napari_c2lst.cells.partial import PartialCells, PartialCounts
from napari_c2lst.cells.postprocess import measure
from napari_c2lst.common.errors import InputError

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


def test_bad_tiles_are_known_after_a_kill_and_mended_one_by_one(tmp_path: Path) -> None:
    part = PartialCells(tmp_path / ".part", BASIS, 2, resume=True)
    part.write(0, joined([some(0), some(2)]), [(1, "torn"), (3, "gone")])
    part.write(1, some(4))
    again = PartialCells(tmp_path / ".part", BASIS, 2, resume=True)
    assert (again.todo, {n: t.tolist() for n, t in again.bad_groups.items()}) == ([], {0: [1, 3]})
    again.mend(0, some(1), [(3, "gone")])
    assert again.bad() == [(3, "gone")]
    last = PartialCells(tmp_path / ".part", BASIS, 2, resume=True)
    assert last.bad() == [(3, "gone")]
    last.mend(0, some(3))
    assert (last.bad(), last.bad_groups) == ([], {})
    unbroken = joined([some(tile) for tile in range(5)])
    for name in ("tile", "own", "centroid", "corners", "length"):
        np.testing.assert_array_equal(getattr(last.read(), name), getattr(unbroken, name))


def test_a_kill_while_mending_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part = PartialCells(tmp_path / ".part", BASIS, 1, resume=True)
    part.write(0, some(0), [(1, "torn")])

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(np, "savez", killed)
        with pytest.raises(KeyboardInterrupt):
            part.mend(0, some(1))
    again = PartialCells(tmp_path / ".part", BASIS, 1, resume=True)
    assert (again.bad(), again.read().tile.tolist()) == ([(1, "torn")], [0, 0])
    again.mend(0, some(1))
    assert (again.bad(), again.read().tile.tolist()) == ([], [0, 0, 1, 1])


def test_a_group_done_anew_forgets_its_faults(tmp_path: Path) -> None:
    part = PartialCells(tmp_path / ".part", BASIS, 2, resume=True)
    part.write(1, some(1), [(3, "torn")])
    part.write(1, some(1))
    assert part.bad() == PartialCells(tmp_path / ".part", BASIS, 2, resume=True).bad() == []


def test_nothing_done_is_nothing_found(tmp_path: Path) -> None:
    part = PartialCells(tmp_path / "deep" / ".part", BASIS, 0, resume=True)
    assert (part.todo, len(part.read()), part.bad()) == ([], 0, [])


def test_a_full_disk_loses_that_group_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part = PartialCells(tmp_path / ".part", BASIS, 2, resume=True)
    part.write(0, some(0))

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(InputError, match="the disk is full"):
        part.write(1, some(1))
    assert part.todo == [1]
    again = PartialCells(tmp_path / ".part", BASIS, 2, resume=True)
    assert (again.todo, again.read().tile.tolist()) == ([1], [0, 0])


def test_what_was_found_comes_back_to_the_pixel(tmp_path: Path) -> None:
    part = PartialCells(tmp_path / ".part", BASIS, 1, resume=True)
    part.write(0, some(4))
    read = PartialCells(tmp_path / ".part", BASIS, 1, resume=True).read()
    for corners, wanted in zip(read.outlines(), some(4).outlines(), strict=True):
        np.testing.assert_array_equal(corners, wanted)
    assert read.centroid.tolist() == some(4).centroid.tolist()
