"""Run folders: `config.toml  environment.json  events.jsonl  checkpoints/  result.json`.

Everything is written to a temporary name first. A run that stopped goes on where its last checkpoint stands;
a path to resume from that does not exist is an error, never a silent new start.
"""

import json
import re
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomli_w

from .basis import Basis, check_basis
from .environment import environment
from .errors import InputError, MismatchError, first_line
from .events import EventsReporter
from .files import atomic_file, atomic_folder
from .reporter import Reporter
from .results import TaskResult
from .run_paths import PLACES, kept_places, path_fields, places_of
from .settings import RunSettings

if TYPE_CHECKING:
    import torch

CONFIG, ENVIRONMENT, EVENTS, RESULT, CHECKPOINTS = (
    "config.toml",
    "environment.json",
    "events.jsonl",
    "result.json",
    "checkpoints",
)
STATE_VERSION = 1
_USE_OLDER = "remove it: the one before it is used"
# what may differ between the run that stopped and the one that goes on: where and how it is computed, not what
FREE_TO_CHANGE = {
    "resume",
    "device",
    "precision",
    "workers",
    "out",
    "checkpoint_every",
    "preview_every",
    "preset",
    "allow_download",
    "accept_licence",
}


class RunFolder:
    """One run on disk; made by `RunFolder.open`.

    Attributes
    ----------
    path
        The folder.
    reporter
        Passes on to the given reporter and writes `events.jsonl` as well.
    checkpoint
        The checkpoint to go on from, or None for a new run.
    """

    def __init__(
        self, path: Path, reporter: Reporter, checkpoint: Path | None, kind: str, basis: Basis | None = None
    ) -> None:
        self.path = path
        self.kind = kind
        self.basis = basis
        self.checkpoint = checkpoint
        self.reporter: Reporter = EventsReporter(reporter, path / EVENTS)

    @classmethod
    def open(
        cls,
        settings: RunSettings,
        reporter: Reporter,
        *,
        kind: str,
        free: Collection[str] = (),
        basis: Basis | None = None,
    ) -> "RunFolder":
        """Make the run folder of `settings.out`, or open the one that is there, as `settings.resume` says.

        Parameters
        ----------
        kind
            The task; a folder of another one is refused.
        free
            Settings of this task that may differ from those of the run that is there.
        basis
            What the run is made from besides its settings; kept in `config.toml` and in every checkpoint.

        Raises
        ------
        InputError
            If the folder holds something else, may not be resumed, or the checkpoint to resume from is not there.
        MismatchError
            If the run in the folder has other settings, or it or the checkpoint was made from something else.
        """
        path = Path(settings.out)
        config = _config(settings, kind, basis)
        checkpoint = None if settings.resume in ("auto", "never") else _named_checkpoint(Path(settings.resume), config)
        if path.exists():
            _refuse_foreign(path)
            if settings.resume == "never":
                raise InputError(f"'{path}' already holds a run", "choose another --out, or go on with --resume auto")
            _refuse_other_settings(path, config, FREE_TO_CHANGE | set(free), path_fields(type(settings)))
            checkpoint = checkpoint or latest_checkpoint(path)
            _check_basis(path, checkpoint, basis, reporter)
            # a run without a checkpoint has kept nothing of what it was to be made from
            if free or (basis is not None and checkpoint is None and not (path / RESULT).exists()):
                with atomic_file(path / CONFIG) as file:
                    file.write_text(tomli_w.dumps(config))
        else:
            _check_basis(path, checkpoint, basis, reporter)
            _create(path, config)
        return cls(path, reporter, checkpoint, kind, basis)

    def finished_result(self) -> dict[str, Any] | None:
        """The result of a run that is finished already, or None."""
        file = self.path / RESULT
        return _read_json(file, "remove it, and go on with --resume auto") if file.exists() else None

    def save_checkpoint(
        self, step: int, tensors: "Mapping[str, torch.Tensor]", state: Mapping[str, Any], *, keep: int = 2
    ) -> Path:
        """Write a checkpoint of a step (safetensors and versioned JSON); the last `keep` stay."""
        from safetensors.torch import save_file

        target = self.path / CHECKPOINTS / f"step_{step:08d}"
        if target.exists():
            shutil.rmtree(target)
        with atomic_folder(target) as folder:
            save_file(
                {k: v.detach().cpu().contiguous().clone() for k, v in tensors.items()}, folder / "tensors.safetensors"
            )
            body = {"version": STATE_VERSION, "kind": self.kind, "step": step, **state}
            if self.basis is not None:
                body["basis"] = dict(self.basis)
            (folder / "state.json").write_text(json.dumps(body, indent=1))
        for old in _checkpoints(self.path)[:-keep]:
            shutil.rmtree(old)
        self.checkpoint = target
        return target

    def load_checkpoint(self) -> "tuple[dict[str, torch.Tensor], dict[str, Any]] | None":
        """The tensors and the state of the checkpoint to go on from, or None for a new run."""
        return None if self.checkpoint is None else load_checkpoint(self.checkpoint)

    def finish(self, result: TaskResult) -> None:
        """Write `result.json`: the run is finished."""
        with atomic_file(self.path / RESULT) as file:
            file.write_text(result.model_dump_json(indent=1))

    def continue_hint(self) -> str:
        """What to do to go on after a stop."""
        return f"go on with the same command and --resume auto (the run folder is '{self.path}')"


def load_checkpoint(folder: Path) -> "tuple[dict[str, torch.Tensor], dict[str, Any]]":
    """Read a checkpoint folder.

    Raises
    ------
    InputError
        If it is not a checkpoint of this program, or of a newer version.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    state_file = folder / "state.json"
    if not state_file.exists():
        raise InputError(f"'{folder}' is not a checkpoint", "give a folder like RUN/checkpoints/step_00000300")
    state = _read_state(folder)
    try:
        tensors = load_file(folder / "tensors.safetensors")
    except (OSError, ValueError, SafetensorError) as error:
        raise InputError(f"checkpoint '{folder}' cannot be read: {first_line(error)}", _USE_OLDER) from error
    if state.get("version") != STATE_VERSION:
        raise InputError(f"checkpoint '{folder}' has version {state.get('version')}", "update napari-c2lst")
    return tensors, state


def latest_checkpoint(run: Path) -> Path | None:
    """The last checkpoint of a run folder, or None."""
    found = _checkpoints(run)
    return found[-1] if found else None


def read_config(run: Path) -> dict[str, Any]:
    """The settings a run folder was made with.

    Raises
    ------
    InputError
        If the folder is not a run folder.
    """
    import tomllib

    file = run / CONFIG
    if not file.exists():
        raise InputError(f"'{run}' is not a run folder: it has no {CONFIG}", "give the folder that --out named")
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"'{file}' cannot be read: {error}", "choose another --out") from error


def _read_state(checkpoint: Path) -> dict[str, Any]:
    return _read_json(checkpoint / "state.json", _USE_OLDER, f"checkpoint '{checkpoint}'")


def _read_json(file: Path, hint: str, what: str = "") -> dict[str, Any]:
    """An object of a JSON file that may have been cut off."""
    what = what or f"'{file}'"
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{what} cannot be read: {error}", hint) from error
    if not isinstance(found, dict):
        raise InputError(f"{what} cannot be read: it holds no object", hint)
    return found


def _checkpoints(run: Path) -> list[Path]:
    return sorted(p for p in (run / CHECKPOINTS).glob("step_*") if re.fullmatch(r"step_\d+", p.name))


def _config(settings: RunSettings, kind: str, basis: Basis | None) -> dict[str, Any]:
    # TOML has no null: a field without a value is left out
    values = settings.model_dump(mode="json", exclude_none=True)
    places = places_of(settings, Path(settings.out))
    return {"kind": kind, "settings": values, PLACES: places} | ({} if basis is None else {"basis": dict(basis)})


def _create(path: Path, config: Mapping[str, Any]) -> None:
    with atomic_folder(path) as folder:
        (folder / CHECKPOINTS).mkdir()
        (folder / CONFIG).write_text(tomli_w.dumps(config))
        (folder / ENVIRONMENT).write_text(json.dumps(environment(), indent=1))
        (folder / EVENTS).touch()


def _refuse_foreign(path: Path) -> None:
    if not (path / CONFIG).exists():
        raise InputError(f"'{path}' is there already and is not a run folder", "choose another --out")


def _refuse_other_settings(path: Path, config: Mapping[str, Any], free: Collection[str], paths: set[str]) -> None:
    there = read_config(path)
    if there.get("kind") != config["kind"]:
        raise MismatchError(
            f"'{path}' holds a run of '{there.get('kind')}', not of '{config['kind']}'", "choose another --out"
        )
    old, new = there.get("settings", {}), config["settings"]
    changed = [k for k in sorted({*old, *new} - set(free)) if old.get(k) != new.get(k)]
    then, now = kept_places(path, there, paths), config[PLACES]
    changed = [k for k in changed if k not in then or then[k] != now.get(k)]
    if changed:
        texts = ", ".join(f"{k} was {old.get(k)!r}, now {new.get(k)!r}" for k in changed)
        raise MismatchError(
            f"'{path}' holds a run with other settings: {texts}", "choose another --out, or use its settings"
        )


def _check_basis(path: Path, checkpoint: Path | None, basis: Basis | None, reporter: Reporter) -> None:
    """Refuse a finished run, or a checkpoint to go on from, that was made from something else."""
    if basis is not None and (path / RESULT).exists():
        check_basis(path, read_config(path).get("basis"), basis, reporter)
    elif basis is not None and checkpoint is not None:
        check_basis(checkpoint, _read_state(checkpoint).get("basis", {}), basis, reporter)


def _named_checkpoint(path: Path, config: Mapping[str, Any]) -> Path:
    if not path.exists():
        raise InputError(f"the checkpoint '{path}' to resume from does not exist", "check --resume")
    checkpoint = latest_checkpoint(path) if (path / CONFIG).exists() else path
    if checkpoint is None:
        raise InputError(
            f"the run '{path}' has no checkpoint yet", "start it anew with --resume never and another --out"
        )
    state_file = checkpoint / "state.json"
    if not state_file.exists():
        raise InputError(f"'{checkpoint}' is not a checkpoint", "give a folder like RUN/checkpoints/step_00000300")
    kind = _read_state(checkpoint).get("kind")
    if kind != config["kind"]:
        raise MismatchError(f"checkpoint '{checkpoint}' is of '{kind}', not of '{config['kind']}'", "check --resume")
    return checkpoint
