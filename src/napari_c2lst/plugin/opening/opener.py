"""Open a slide beside the window: read it in a thread, then make it the session's; every error is one sentence."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal

from napari_c2lst.common.errors import InputError
from napari_c2lst.plugin.layers.levels import read_overview
from napari_c2lst.plugin.parts.latest import Latest, told_as
from napari_c2lst.plugin.shared import Shared, shared_of

from .wording import in_panel

if TYPE_CHECKING:
    from napari_c2lst.plugin.session import Session
    from napari_c2lst.slides.slide import Slide

_EXTRA = "opener"
_PLAIN: Mapping[str, Any] = {}
_NO_IMAGE = "pass --image FILE"  # how the readers say so
_CHOOSE_IMAGE = "choose its image file"  # ... and how the panel does


class Opener:
    """Opens slides for one viewer, one at a time; a newer request takes the place of one under way.

    Attributes
    ----------
    path
        What is being opened; None when nothing is.
    imageless
        What could not be opened because its image lies elsewhere, and how it was to be opened.
    """

    begun = Signal(str)  # path
    ended = Signal(bool)  # whether a slide is open now

    def __init__(self, session: Session) -> None:
        self.session = session
        self.path: Path | None = None
        self._opening: Mapping[str, Any] = _PLAIN  # how `path` is opened
        self.imageless: tuple[Path, Mapping[str, Any]] | None = None
        self._thread = Latest()

    def open(self, path: str | Path, **opening: Any) -> None:
        """Open a slide; arguments as `open_slide` takes them, None for what was not said."""
        path = Path(os.path.expanduser(path))  # Path's own raises where there is no such user
        said = {name: value for name, value in opening.items() if value is not None}
        if (self.path, self._opening) != (path, said):  # Return, and then leaving a field, are one wish
            self._read(path, str(path), _open, path, said, opening=said)

    def open_with_image(self, image: Path) -> None:
        """Open what lacked an image, with this one."""
        if self.imageless is not None:
            path, opening = self.imageless
            self.open(path, **{**opening, "image": image})

    def open_sample(self) -> None:
        """Open the slide that comes with the package; it is made on first use."""
        self._read(Path("her2st B4"), "the sample slide", _sample)

    def open_made(self, name: str, make: Callable[[], Path], then: Callable[[], None]) -> None:
        """Open a slide that may first have to be written, in the same thread.

        Parameters
        ----------
        name
            What is being opened, for the user.
        make
            Writes it, and says where.
        then
            Called once it is open.
        """
        self._read(Path(name), name, lambda: _open(make(), {}), then=then)

    def reopen(self, **changes: Any) -> None:
        """Open the open slide again with other arguments; None takes one back to its default."""
        slide = self.session.require_slide()
        self.open(slide.path, **{**self.session.opening, **changes})

    def cancel(self) -> None:
        """Forget what is being opened; the slide that is open stays."""
        self._thread.drop()
        if self.path is not None:
            self.path = None
            self.ended.emit(False)

    close = cancel

    def _read(
        self,
        path: Path,
        shown: str,
        function: Callable[..., Slide],
        *args: Any,
        opening: Mapping[str, Any] = _PLAIN,
        then: Callable[[], None] = lambda: None,
    ) -> None:
        if self.path not in (None, path):  # several were dropped, or another one was wished for meanwhile
            self.session.tell("info", f"'{self.path}' is not opened", "one slide is open at a time")
        self.path, self._opening, self.imageless = path, opening, None
        self.begun.emit(shown)

        def done(slide: Slide) -> None:
            self.path = None
            before = _Kept(self.session)
            self.session.open(slide, opening)
            before.bring_back(self.session)
            self.ended.emit(True)
            then()

        self._thread.ask(_in_our_words, function, *args, done=done, failed=self._on_failed)

    def _on_failed(self, message: str, hint: str) -> None:
        if self.path is not None and _CHOOSE_IMAGE in hint:
            self.imageless = self.path, self._opening
        self.path = None
        self.session.tell("error", message, hint)
        self.ended.emit(False)


class _Kept:
    """What stays when the same slide is opened in another way: gene, chosen spots, sets that are not stored yet."""

    def __init__(self, session: Session) -> None:
        self.slide, self.gene = session.slide, session.gene
        self.chosen, self.sets = session.chosen, dict(session.sets)

    def bring_back(self, session: Session) -> None:
        old, new = self.slide, session.slide
        if old is None or new is None or old.path != new.path or old.spots is None or new.spots is None:
            return
        if not np.array_equal(old.spots.ids, new.spots.ids):
            return
        unsaved = {name: each for name, each in self.sets.items() if name not in session.sets}
        if unsaved:
            session.sets = {**session.sets, **unsaved}
            session.sets_changed.emit()
        if self.chosen.any():
            session.choose(self.chosen)
        if self.gene and self.gene in new.genes:  # another table may lack it
            session.show_gene(self.gene)


def opener_of(shared: Shared) -> Opener:
    """The one opener of a viewer, made on first use."""
    if _EXTRA not in shared.extras:
        shared.extras[_EXTRA] = Opener(shared.session)
    opener: Opener = shared.extras[_EXTRA]
    return opener


def open_in_viewer(viewer: Any, path: str | Path, **opening: Any) -> None:
    """Open a slide in a viewer, in a thread; the session tells when it is there, or what is wrong.

    Parameters
    ----------
    viewer
        napari's viewer.
    path
        Anything `open_slide` takes.
    opening
        Further arguments of `open_slide`.
    """
    opener_of(shared_of(viewer)).open(path, **opening)


def _in_our_words(function: Callable[..., Slide], *args: Any) -> Slide:
    try:
        with told_as("the slide cannot be opened", "the file may be damaged: copy it again"):
            return function(*args)
    except InputError as error:
        raise InputError(error.message, in_panel(error.hint.replace(_NO_IMAGE, _CHOOSE_IMAGE))) from error


def _open(path: Path, opening: dict[str, Any]) -> Slide:
    from napari_c2lst.slides.opening import open_slide

    slide = open_slide(path, **opening)
    # here in the thread: napari would read it in the window's
    read_overview(slide.pyramid)
    return slide


def _sample() -> Slide:
    from napari_c2lst.slides.sample_data import sample_slide_path

    return _open(sample_slide_path(), {})
