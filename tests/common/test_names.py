from __future__ import annotations

from pathlib import Path

import pytest

from napari_c2lst.common.errors import InputError
from napari_c2lst.common.names import read_names


def test_first_column_without_comments_and_twins(tmp_path: Path) -> None:
    file = tmp_path / "names.txt"
    file.write_text('# mine\nACTB\n"GAPDH",x\nCD3E\tT cells # why\n\nACTB\n', encoding="utf-8-sig")
    assert read_names(file, "gene list", "gene name") == ["ACTB", "GAPDH", "CD3E"]


def test_faults_say_what_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no list of spots .*nope") as caught:
        read_names(tmp_path / "nope", "list of spots", "spot id")
    assert caught.value.hint == "give a text file with one spot id a line"
    (tmp_path / "empty").write_text("# nothing\n\n")
    with pytest.raises(InputError, match=r"the list of spots .* is empty"):
        read_names(tmp_path / "empty", "list of spots", "spot id")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(InputError, match=r"cannot be read as a gene list"):
        read_names(tmp_path / "binary", "gene list", "gene name")
    with pytest.raises(InputError, match=r"cannot be read as a gene list"):
        read_names(tmp_path, "gene list", "gene name")


def test_names_keep_their_order_case_and_inner_spaces(tmp_path: Path) -> None:
    file = tmp_path / "names.csv"
    file.write_bytes("  Krt5 \r\nKRT5\r\nspot one\r\nα-SMA\r\n".encode())  # as a spreadsheet on Windows writes it
    assert read_names(file, "gene list", "gene name") == ["Krt5", "KRT5", "spot one", "α-SMA"]
