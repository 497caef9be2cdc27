"""What a step can work on: spot sets of the slide, runs on disk, predictions in the store. Knows no Qt."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_c2lst.cells.facts import EMBEDDED, PANNUKE, embedded_file
from napari_c2lst.plugin.runs import RunInfo, find_runs
from napari_c2lst.slides.facts import SPOTS

if TYPE_CHECKING:
    from napari_c2lst.plugin.session import Session

Choices = list[tuple[str, Any]]


def sets_of(session: Session) -> Choices:
    """The spot sets, stored or not: 'train (71 spots)'."""
    return [(f"{name} ({_spots(int(each.mask.sum()))})", name) for name, each in session.sets.items()]


def runs_of(session: Session, task: str) -> Choices:
    """The finished runs of a task, the newest first: 'local (71 spots, 300 steps)'."""
    runs = [run for run in find_runs(session.runs_folder) if run.task == task and run.state == "finished"]
    return [(_named(run), run.path) for run in runs]


def weights_of(session: Session) -> Choices:
    """Weights that find nuclei: of the package, of own trainings, and public ones."""
    own = [(f"Own: {label}", str(path)) for label, path in runs_of(session, "train-cells")]
    package = [("Package: CoNSeP, 4 types", EMBEDDED)] if Path(embedded_file()).is_file() else []
    return [*package, *own, ("PanNuke, public: 6 types", PANNUKE)]


def stopped_run(session: Session, task: str, running: list[Path]) -> RunInfo | None:
    """The newest run of a task that can go on, or None."""
    runs = find_runs(session.runs_folder, running=running)
    return next((run for run in runs if run.task == task and run.state == "stopped" and run.checkpoint), None)


def predictions_of(session: Session) -> Choices:
    """The predictions at spots that are stored in the slide."""
    tables = {} if session.slide is None else getattr(session.slide.sdata, "tables", {})
    found = sorted(name.removeprefix(SPOTS) for name in tables if name.startswith(SPOTS))
    return [(name, name) for name in found]


def slide_line(session: Session) -> str:
    """'her2st-B4: 283 spots, 2 sets'; or what to do when no slide is open."""
    if session.slide is None:
        return "No slide is open. Open one first: Plugins > C2L-ST > Open slide..."
    slide = session.slide
    if slide.spots is None:
        return f"{slide.name}: an image without spots"
    n = len(session.sets)
    return f"{slide.name}: {_spots(len(slide.spots))}, {n or 'no'} set{'s' * (n > 1)} of spots{'' if n else ' yet'}"


def _spots(count: int) -> str:
    return f"{count} spot{'s' * (count != 1)}"


def _named(run: RunInfo) -> str:
    detail = _DETAILS.get(run.task, lambda result: "")(run.result or {})
    return f"{run.name} ({detail})" if detail else run.name


def _adapted(result: dict[str, Any]) -> str:
    spots, steps = result.get("spots"), result.get("steps")
    return f"{_spots(spots)}, {steps} steps" if isinstance(spots, int) and isinstance(steps, int) else ""


def _sampled(result: dict[str, Any]) -> str:
    patches = result.get("patches")
    return f"{patches:,} patches" if isinstance(patches, int) else ""


def _trained(result: dict[str, Any]) -> str:
    return str(result.get("arm", ""))


_DETAILS: dict[str, Callable[[dict[str, Any]], str]] = {"adapt": _adapted, "sample": _sampled, "train": _trained}
