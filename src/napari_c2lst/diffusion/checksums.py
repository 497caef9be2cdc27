"""Checksums of a published model, in the format that `sha256sum --check` reads."""

import hashlib
from pathlib import Path

from napari_c2lst.common.errors import InputError

SUMS = "SHA256SUMS"
_SLAB = 1 << 20


def write_checksums(folder: Path) -> Path:
    """Write `SHA256SUMS` over every other file of a folder."""
    files = sorted(f for f in folder.rglob("*") if f.is_file() and f.name != SUMS)
    lines = [f"{digest(file)}  {file.relative_to(folder).as_posix()}" for file in files]
    (folder / SUMS).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / SUMS


def check_checksums(folder: Path) -> None:
    """Compare a folder with its `SHA256SUMS`; a folder without one was not published and passes.

    Raises
    ------
    InputError
        If a file is missing or is not what was published; all of them at once.
    """
    sums = folder / SUMS
    if not sums.is_file():
        return
    try:
        lines = sums.read_text(encoding="utf-8").splitlines()
    except ValueError:
        raise InputError(f"'{sums}' is no list of checksums", "copy or download the model again") from None
    faults = []
    for line in filter(None, lines):
        expected, _, name = line.partition("  ")
        file = folder / name
        if not file.is_file():
            faults.append(f"{name} is missing")
        elif digest(file) != expected:
            faults.append(f"{name} is not what was published")
    if faults:
        raise InputError(f"central model '{folder}' is damaged: {'; '.join(faults)}", "copy or download it again")


def digest(file: Path) -> str:
    """SHA-256 of a file as hex digits, read in slabs."""
    total = hashlib.sha256()
    with file.open("rb") as stream:
        while slab := stream.read(_SLAB):
            total.update(slab)
    return total.hexdigest()
