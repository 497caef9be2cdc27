"""`SHA256SUMS`: what sha256sum reads, and every change is found."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from napari_c2lst.common.errors import InputError
from napari_c2lst.diffusion.checksums import SUMS, check_checksums, digest, write_checksums


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "unet").mkdir()
    (tmp_path / "unet" / "weights.safetensors").write_bytes(b"w" * 3_000_000)
    (tmp_path / "README.md").write_text("a card\n")
    write_checksums(tmp_path)
    return tmp_path


def test_every_other_file_is_listed(folder: Path) -> None:
    names = [line.split("  ")[1] for line in (folder / SUMS).read_text().splitlines()]
    assert names == ["README.md", "unet/weights.safetensors"]


def test_the_digest_is_sha256_over_all_slabs(folder: Path) -> None:
    assert digest(folder / "unet" / "weights.safetensors") == hashlib.sha256(b"w" * 3_000_000).hexdigest()


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="no sha256sum here")
def test_sha256sum_reads_it(folder: Path) -> None:
    done = subprocess.run(["sha256sum", "--check", "--strict", SUMS], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_untouched_folder_passes(folder: Path) -> None:
    check_checksums(folder)


def test_a_folder_without_sums_passes(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("never published")
    check_checksums(tmp_path)


def test_all_faults_are_named_at_once(folder: Path) -> None:
    (folder / "README.md").unlink()
    with (folder / "unet" / "weights.safetensors").open("r+b") as stream:
        stream.write(b"x")
    with pytest.raises(InputError) as caught:
        check_checksums(folder)
    assert "README.md is missing" in caught.value.message
    assert "unet/weights.safetensors is not what was published" in caught.value.message
    assert "again" in caught.value.hint


def test_writing_again_covers_what_has_changed(folder: Path) -> None:
    (folder / "README.md").write_text("another card\n")
    with pytest.raises(InputError, match="is not what was published"):
        check_checksums(folder)
    write_checksums(folder)
    check_checksums(folder)
    assert SUMS not in (folder / SUMS).read_text()  # it does not list itself


def test_files_that_were_added_later_are_no_fault(folder: Path) -> None:
    (folder / "notes.txt").write_text("mine")
    check_checksums(folder)


def test_names_of_any_alphabet(tmp_path: Path) -> None:
    (tmp_path / "Größe µm.txt").write_text("x")
    write_checksums(tmp_path)
    check_checksums(tmp_path)
    (tmp_path / "Größe µm.txt").write_text("y")
    with pytest.raises(InputError, match=r"Größe µm\.txt is not what was published"):
        check_checksums(tmp_path)


def test_an_empty_file_has_the_digest_of_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert digest(tmp_path / "empty") == hashlib.sha256().hexdigest()


def test_a_list_that_is_no_text_is_one_sentence(folder: Path) -> None:
    (folder / SUMS).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="is no list of checksums") as caught:
        check_checksums(folder)
    assert str(folder / SUMS) in caught.value.message


def test_empty_lines_name_no_file(folder: Path) -> None:
    (folder / SUMS).write_text((folder / SUMS).read_text().replace("\n", "\r\n") + "\n\n")
    check_checksums(folder)


def test_a_list_that_was_cut_off_is_found(folder: Path) -> None:
    (folder / SUMS).write_text((folder / SUMS).read_text()[:-5])
    with pytest.raises(InputError, match=r"weights\.safeten"):
        check_checksums(folder)
