"""What is known of each slide of a cohort: small JSON files, written whole, so that a run goes on where it stopped."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from napari_c2lst.common.files import atomic_file

State = Literal["finished", "failed", "stopped"]
_KINDS = ("tables", "shapes", "images", "labels", "points")
_WEIGHTS = ("*.safetensors", "*.json", "*.tar", "*.pth", "*.toml")
VERSION = 1


@dataclass(frozen=True)
class Record:
    """How one task on one slide ended.

    Attributes
    ----------
    fingerprint
        Of what was asked: the settings and the content of the models they name.
    seconds, peak_mb
        Time and peak memory of the task's own process; the latter None where the system does not tell.
    result
        The task's result; paths and figures.
    """

    name: str
    slide: str
    task: str
    state: State
    fingerprint: str
    message: str = ""
    hint: str = ""
    seconds: float = 0.0
    peak_mb: float | None = None
    result: dict[str, Any] = field(default_factory=dict)


def bad_tiles(record: Record) -> int:
    """Tiles that a finished task had to leave out."""
    return int(record.result.get("bad_tiles") or 0) if record.state == "finished" else 0


def record_file(folder: Path, name: str, task: str) -> Path:
    """Where a record is kept."""
    return folder / "slides" / f"{name}.{task}.json"


def write_record(folder: Path, record: Record) -> None:
    """Keep a record; it replaces the one before."""
    with atomic_file(record_file(folder, record.name, record.task)) as temporary:
        temporary.write_text(json.dumps({"version": VERSION, **asdict(record)}, indent=1), encoding="utf-8")


def read_record(folder: Path, name: str, task: str) -> Record | None:
    """The record of a task on a slide; None when there is none, or none that can be read (it is then done again)."""
    try:
        values = json.loads(record_file(folder, name, task).read_text(encoding="utf-8"))
        if values.pop("version") != VERSION:
            return None
        return Record(**values)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def still_done(record: Record | None, fingerprint: str) -> bool:
    """Whether a task was finished with the same settings and models, and what it wrote is still there.

    One that had to leave tiles out is not done: the image may have been put right since.
    """
    if record is None or record.state != "finished" or bad_tiles(record) or record.fingerprint != fingerprint:
        return False
    store = record.result.get("store")
    if store is None:
        return True
    written = record.result.get("elements", ())
    return all(any((Path(store) / kind / name).exists() for kind in _KINDS) for name in written)


def fingerprint(settings: Mapping[str, Any]) -> str:
    """Of a task's settings and of the models they name by path: a model that was trained anew is another one."""
    digest = hashlib.sha256(json.dumps(dict(settings), sort_keys=True, default=str).encode())
    for name in ("predictor", "weights"):
        path = settings.get(name)
        if path:
            digest.update(_content_of(Path(str(path))))
    return f"sha256:{digest.hexdigest()}"


def _content_of(path: Path) -> bytes:
    if path.is_dir():
        files = sorted(f for pattern in _WEIGHTS for f in path.glob(pattern))
    else:
        files = [path] if path.is_file() else []
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.digest()
