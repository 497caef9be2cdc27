"""Where a file was, as a file that may be given away can say it: without the folders of whoever made it.

A path inside the same piece of work is kept relative to the file that names it: it stays right when both are moved
together. Of any other place only the last name is kept, with a digest of the whole path, by which the place is known
again where it is the same.
"""

import hashlib
import os
from pathlib import Path, PurePosixPath

_UPWARD = 4  # levels above the file that names it at which a path still belongs to the same piece of work


def keep_place(path: Path, beside: Path) -> str:
    """What to keep of a path in a file that lies in the folder `beside`."""
    path, beside = _plain(path), _plain(beside)
    try:
        relative = Path(os.path.relpath(path, beside))
    except ValueError:  # another drive
        return _digest(path)
    shared = Path(os.path.commonpath([path, beside]))
    if relative.parts.count("..") > _UPWARD or shared == Path(shared.anchor) or shared in _plain(Path.home()).parents:
        return _digest(path)
    return relative.as_posix()


def is_place(kept: str | None, path: Path, beside: Path) -> bool:
    """Whether what was kept is that path; a whole path, as earlier versions kept it, is understood."""
    if kept is None:
        return False
    path = _plain(path)
    return kept in (str(path), _digest(path)) or find_place(kept, beside) == path


def find_place(kept: str, beside: Path) -> Path | None:
    """The path that was kept; None when only its digest is known."""
    if "@" in PurePosixPath(kept).name and len(kept.rpartition("@")[2]) == _DIGITS:
        return None
    return _plain(_plain(beside) / kept)


_DIGITS = 16


def _digest(path: Path) -> str:
    return f"{path.name}@{hashlib.sha256(str(path).encode()).hexdigest()[:_DIGITS]}"


def _plain(path: Path) -> Path:
    """Absolute, without `..`; links are left as they are, as the user sees them."""
    return Path(os.path.abspath(path))
