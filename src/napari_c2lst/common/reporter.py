"""How work tells what it does: messages, progress, metrics, pictures, and whether it was asked to stop."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

Level = Literal["info", "warning"]
GOING_ON = "going on "  # how what `going_on` says begins


class Reporter:
    """A silent reporter; the command line, the plugin and run folders override what they show.

    A task calls these methods as often as it likes: throttling is the subclass's affair.
    """

    def message(self, text: str, level: Level = "info") -> None:
        """Say one line."""

    def going_on(self, after: str) -> None:
        """Say that the work goes on where it was stopped, as "after step 300"."""
        self.message(GOING_ON + after)

    def progress(self, done: int, total: int, what: str = "") -> None:
        """Say that `done` of `total` units of `what` are done."""

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """Give the figures of one step; never dropped."""

    def picture(self, path: Path, caption: str) -> None:
        """Point to a picture that was written."""

    def stop_requested(self) -> bool:
        """Whether the user asked to stop; a task then saves a checkpoint and raises `Stopped`."""
        return False


class CallbackReporter(Reporter):
    """A reporter that hands every event to one function as `(kind, fields)`.

    Parameters
    ----------
    on_event
        Called with the kind ("message", "progress", "metrics", "picture") and the event's fields (JSON-able).
    stop
        Asked for whether the user wants to stop.
    """

    def __init__(self, on_event: Callable[[str, dict[str, Any]], None], stop: Callable[[], bool] | None = None) -> None:
        self._on_event = on_event
        self._stop = stop

    def message(self, text: str, level: Level = "info") -> None:
        self._on_event("message", {"text": text, "level": level})

    def progress(self, done: int, total: int, what: str = "") -> None:
        self._on_event("progress", {"done": done, "total": total, "what": what})

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        self._on_event("metrics", {"step": step, "values": dict(values)})

    def picture(self, path: Path, caption: str) -> None:
        self._on_event("picture", {"path": str(path), "caption": caption})

    def stop_requested(self) -> bool:
        return self._stop is not None and self._stop()


class RecordingReporter(CallbackReporter):
    """A reporter that keeps what it was told.

    Parameters
    ----------
    stop_after
        Ask to stop once so many progress events came in; None never asks.

    Attributes
    ----------
    events
        All events as `(kind, fields)`, in order.
    """

    def __init__(self, stop_after: int | None = None) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        super().__init__(lambda kind, fields: self.events.append((kind, fields)), self._enough)
        self._stop_after = stop_after

    @property
    def messages(self) -> list[str]:
        """The lines that were said, in order."""
        return [fields["text"] for kind, fields in self.events if kind == "message"]

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        """The fields of every event of a kind, in order."""
        return [fields for k, fields in self.events if k == kind]

    def _enough(self) -> bool:
        return self._stop_after is not None and len(self.of_kind("progress")) >= self._stop_after


class ForwardingReporter(Reporter):
    """A reporter that passes everything on to another one; the base for those that add something.

    Parameters
    ----------
    inner
        Where everything goes.
    """

    def __init__(self, inner: Reporter) -> None:
        self.inner = inner

    def message(self, text: str, level: Level = "info") -> None:
        self.inner.message(text, level)

    def progress(self, done: int, total: int, what: str = "") -> None:
        self.inner.progress(done, total, what)

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        self.inner.metrics(step, values)

    def picture(self, path: Path, caption: str) -> None:
        self.inner.picture(path, caption)

    def stop_requested(self) -> bool:
        return self.inner.stop_requested()


class OnceReporter(ForwardingReporter):
    """A reporter that passes on each message once: a slide that is opened again has the same notes."""

    def __init__(self, inner: Reporter) -> None:
        super().__init__(inner)
        self._said: set[str] = set()

    def message(self, text: str, level: Level = "info") -> None:
        if text not in self._said:
            self._said.add(text)
            super().message(text, level)
