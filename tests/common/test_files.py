import errno
import shutil
from types import SimpleNamespace

import pytest

from napari_c2lst.common.errors import InputError
from napari_c2lst.common.files import (
    atomic_file,
    atomic_folder,
    check_free_space,
    content_hash,
    disk_errors,
    left_behind,
)


def test_a_file_is_there_whole(tmp_path):
    with atomic_file(tmp_path / "deep" / "a.txt") as temporary:
        temporary.write_text("whole")
        assert not (tmp_path / "deep" / "a.txt").exists()
    assert (tmp_path / "deep" / "a.txt").read_text() == "whole"
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["a.txt"]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("old")

    def fail():
        with atomic_file(file) as temporary:
            temporary.write_text("half")
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fail()
    assert file.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_folder_is_there_whole_or_not_at_all(tmp_path):
    with atomic_folder(tmp_path / "run") as folder:
        (folder / "x").write_text("1")
    assert (tmp_path / "run" / "x").read_text() == "1"

    def fail():
        with atomic_folder(tmp_path / "other") as folder:
            (folder / "x").write_text("1")
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(InputError, match="disk is full"):
        fail()
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


def test_a_folder_that_is_there_is_never_replaced(tmp_path):
    (tmp_path / "run").mkdir()
    with pytest.raises(InputError, match="is there already"), atomic_folder(tmp_path / "run"):
        pass


@pytest.mark.parametrize(("code", "text"), [(errno.ENOSPC, "disk is full"), (errno.EACCES, "no permission")])
def test_disk_errors_say_where(tmp_path, code, text):
    with pytest.raises(InputError, match=text) as caught, disk_errors(tmp_path / "a"):
        raise OSError(code, "x")
    assert str(tmp_path / "a") in caught.value.message


def test_a_full_disk_is_known_by_the_words_of_a_library_in_rust(tmp_path):
    """A checkpoint that no longer fits: safetensors raises an exception of its own, which is no OSError."""
    text = "Error while serializing: I/O error: No space left on device (os error 28)"
    with pytest.raises(InputError, match="disk is full"), disk_errors(tmp_path / "a"):
        raise RuntimeError(text)
    with pytest.raises(RuntimeError, match="os error 5"), disk_errors(tmp_path / "a"):
        raise RuntimeError("I/O error (os error 5)")
    with pytest.raises(ValueError, match="no code"), disk_errors(tmp_path / "a"):
        raise ValueError("no code")


def test_other_os_errors_stay_what_they_are(tmp_path):
    with pytest.raises(FileNotFoundError), disk_errors(tmp_path):
        raise FileNotFoundError("x")


def test_too_little_space_is_said_before_the_work(tmp_path):
    check_free_space(tmp_path / "not" / "yet", 1)
    with pytest.raises(InputError, match="MB left"):
        check_free_space(tmp_path / "not" / "yet", 2 * shutil.disk_usage(tmp_path).total)


def test_little_space_is_said_in_kb(tmp_path, monkeypatch):
    room = SimpleNamespace(free=0)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: room)
    with pytest.raises(InputError, match="needs about 13 kB, the disk has 0 MB left"):
        check_free_space(tmp_path, 12_600)
    room.free = 2_000_000
    with pytest.raises(InputError, match="needs about 3 MB, the disk has 2 MB left"):
        check_free_space(tmp_path, 3_000_000)


def test_content_hash_is_sha256_of_the_parts_in_a_row():
    assert content_hash([b"ab", b"c"]) == content_hash([b"abc"])
    assert content_hash([b"abc"]) == "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_what_a_killed_program_left_is_found_and_nothing_else(tmp_path):
    target = tmp_path / "slide[1].zarr"
    for name in (".slide[1].zarr.0a1b2c3d.part", ".slide1.zarr.0a1b2c3d.part", "slide[1].zarr", ".slide[1].zarr"):
        (tmp_path / name).mkdir()
    assert [path.name for path in left_behind(target)] == [".slide[1].zarr.0a1b2c3d.part"]


def test_while_a_folder_is_written_it_counts_as_left_behind(tmp_path):
    with atomic_folder(tmp_path / "out") as folder:
        assert left_behind(tmp_path / "out") == [folder]
    assert left_behind(tmp_path / "out") == []


@pytest.mark.parametrize("atomic", [atomic_file, atomic_folder])
@pytest.mark.parametrize("inside", ["notes.txt/run", "notes.txt/deep/run"])
def test_a_place_inside_a_file_is_refused(tmp_path, atomic, inside):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="is not a folder") as caught, atomic(tmp_path / inside):
        pass
    assert str(tmp_path / inside) in caught.value.message
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("atomic", [atomic_file, atomic_folder])
def test_a_folder_that_may_not_be_written_to_is_said(tmp_path, atomic, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(type(tmp_path), "mkdir", refuse)
    with pytest.raises(InputError, match="no permission to write") as caught, atomic(tmp_path / "new" / "a"):
        pass
    assert caught.value.hint == "choose another folder"


def test_a_failure_inside_a_folder_leaves_nothing(tmp_path):
    def fail():
        with atomic_folder(tmp_path / "deep" / "run") as folder:
            (folder / "x").write_text("1")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert list((tmp_path / "deep").iterdir()) == []


def test_a_file_replaces_the_old_one_in_one_move(tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("old")
    with atomic_file(file) as temporary:
        assert temporary.parent == file.parent  # on the same disk
        assert file.read_text() == "old"
        temporary.write_text("new")
    assert file.read_text() == "new"


def test_two_writers_of_one_file_do_not_meet(tmp_path):
    with atomic_file(tmp_path / "a") as first, atomic_file(tmp_path / "a") as second:
        assert first != second
        first.write_text("first")
        second.write_text("second")
    assert (tmp_path / "a").read_text() == "first"  # the last to finish


def test_a_file_that_was_never_written_is_an_error_and_no_empty_file(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_file(tmp_path / "a"):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("code", [errno.EDQUOT, errno.EROFS, errno.EPERM])
def test_quota_and_read_only_disks_are_said_too(tmp_path, code):
    with pytest.raises(InputError) as caught, disk_errors(tmp_path / "a"):
        raise OSError(code, "x")
    assert caught.value.hint


def test_a_folder_of_the_files_name_is_said_before_any_work(tmp_path):
    (tmp_path / "scores.csv").mkdir()
    with (
        pytest.raises(InputError, match=r"'.*scores\.csv' is a folder, not a file"),
        atomic_file(tmp_path / "scores.csv"),
    ):
        pytest.fail("no work was to be done")
    assert [path.name for path in tmp_path.iterdir()] == ["scores.csv"]
