"""Files that are there whole or not at all."""

import errno
import hashlib
import os
import re
import shutil
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path

from .errors import InputError


def _temporary_beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Write a file under a temporary name beside it; it takes its name only when all went well.

    Raises
    ------
    InputError
        If the name is a folder's, the disk is full or may not be written to; nothing half-written stays.
    """
    _make_parent(path)
    if path.is_dir():
        raise InputError(f"'{path}' is a folder, not a file", "choose another name")
    temporary = _temporary_beside(path)
    try:
        with disk_errors(path):
            yield temporary
            os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Write a folder under a temporary name beside it; it takes its name only when all went well.

    An existing folder of that name is refused, never replaced.

    Raises
    ------
    InputError
        If `path` is there already, or the disk is full or may not be written to; nothing half-written stays.
    """
    if path.exists():
        raise InputError(f"'{path}' is there already", "choose another name, or move it away")
    _make_parent(path)
    temporary = _temporary_beside(path)
    with disk_errors(path):
        temporary.mkdir()
    try:
        with disk_errors(path):
            yield temporary
            os.rename(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _make_parent(path: Path) -> None:
    try:
        with disk_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise InputError(
            f"'{path}' cannot be written: '{path.parent}' is not a folder", "choose another name"
        ) from error


def left_behind(path: Path) -> list[Path]:
    """What a program that was killed while it wrote this file or folder left beside it, or another one writes now."""
    return sorted(path.parent.glob(f".{escape(path.name)}.*.part"))


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn 'disk full' and 'no permission' into an error that says where and what to do."""
    try:
        yield
    except Exception as error:
        code = _code_of(error)
        if code in (errno.ENOSPC, errno.EDQUOT):
            raise InputError(
                f"the disk is full: '{path}' was not written", f"free some space on {_mount(path)}, then run it again"
            ) from error
        if code in (errno.EACCES, errno.EROFS, errno.EPERM):
            raise InputError(f"no permission to write '{path}'", "choose another folder") from error
        raise


def _code_of(error: Exception) -> int | None:
    """What the system said; libraries written in Rust (safetensors) say it in their own exception's text."""
    if isinstance(error, OSError):
        return error.errno
    said = re.search(r"\(os error (\d+)\)", str(error))
    return None if said is None else int(said[1])


def check_free_space(path: Path, needed: int) -> None:
    """Refuse work whose result cannot fit.

    Parameters
    ----------
    needed
        Bytes the result takes.

    Raises
    ------
    InputError
        If the disk that holds `path` has less room.
    """
    free = shutil.disk_usage(_existing(path)).free
    if free < needed:
        raise InputError(
            f"'{path}' needs about {_size(needed)}, the disk has {_size(free)} left",
            f"free some space on {_mount(path)}, or choose another folder",
        )


def _size(number: int) -> str:
    """A number of bytes in words: 12 kB rather than 0 MB."""
    return f"{number / 1e3:.0f} kB" if 500 <= number < 1_000_000 else f"{number / 1e6:.0f} MB"


def content_hash(parts: Iterable[bytes]) -> str:
    """'sha256:' and the hex digest of the parts, one after the other."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return f"sha256:{digest.hexdigest()}"


def _existing(path: Path) -> Path:
    path = path.absolute()
    while not path.exists():
        path = path.parent
    return path


def _mount(path: Path) -> Path:
    path = _existing(path)
    while not path.is_mount():
        path = path.parent
    return path
