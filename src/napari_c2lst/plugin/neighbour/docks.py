"""napari-spatialdata's docks with the open slide: opened on request, through what that plugin makes public."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psygnal import Signal
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDockWidget

from napari_c2lst.plugin.layers.placing import mend_units, placed
from napari_c2lst.plugin.layers.tables import no_table
from napari_c2lst.plugin.parts.latest import Latest, told_as
from napari_c2lst.plugin.viewer_parts import soon

from .elements import Lent, lend

if TYPE_CHECKING:
    from napari_c2lst.plugin.shared import Shared
    from napari_c2lst.slides.slide import Slide

PLUGIN = "napari-spatialdata"
DOCK = "SpatialData"  # by this name its widgets find the dock
_MODULE = "napari_spatialdata"
_EXTRA = "neighbour"


def is_there() -> bool:
    """Whether napari-spatialdata is installed and not disabled."""
    from npe2 import PluginManager

    return any(manifest.name == PLUGIN for manifest in PluginManager.instance().iter_manifests(disabled=False))


class Neighbour:
    """What napari-spatialdata was given of a slide in one window, and its docks.

    Attributes
    ----------
    lent
        The slide as it was given; None before it was asked for.
    busy
        Whether the docks are being opened.
    """

    changed = Signal()  # what is lent, or what was made there

    def __init__(self, shared: Shared) -> None:
        self._session, self._stack, self._viewer = shared.session, shared.canvas.stack, shared.canvas.viewer
        self._thread = Latest()
        self._dock: Any = None
        self.lent: Lent | None = None
        self._session.slide_changed.connect(self._on_slide)

    @property
    def busy(self) -> bool:
        return self._thread.awaited

    def show(self) -> None:
        """Show the open slide in its docks: in a moment, as importing that plugin and what it needs takes seconds."""
        slide = self._session.require_slide()
        if self.lent is not None and self.lent.slide is slide and self._is_open():
            _raise(self._dock)
            return
        problem, hint = self._in_the_way(slide)
        if problem:
            self._session.tell("warning", problem, hint)
            return
        self._thread.ask(_lend, slide, done=self._open, failed=self._failed)
        self.changed.emit()

    def in_hand(self) -> Lent | None:
        """What is lent of the slide that is open; None where nothing is, or that of another slide."""
        slide, lent = self._session.slide, self.lent
        return lent if lent is not None and slide is not None and lent.slide.path == slide.path else None

    def close(self) -> None:
        """Let go of the session; docks and layers stay."""
        self._thread.drop()
        self._session.slide_changed.disconnect(self._on_slide)

    # -- what is there ---------------------------------------------------------------------------------------------

    def _is_open(self) -> bool:
        return self._dock is not None and self._viewer.window.dock_widgets.get(DOCK) is self._dock

    def _in_the_way(self, slide: Slide) -> tuple[str, str]:
        """Why the docks cannot be opened for a slide, and what to do; empty when they can.

        It knows only the layers that came while its dock was there, and fails when another one goes.
        """
        layers = [layer.name for layer in self._stack.with_metadata("sdata") if _is_in_use(layer)]
        made = self.lent is not None and bool(self.lent.made("shapes"))
        if not self._is_open() and self._viewer.window.dock_widgets.get(DOCK) is not None:
            return f"{PLUGIN} shows another SpatialData", _clean_up(layers)
        if layers:
            return f"{PLUGIN} has layers of another slide, or of this one as it was", _clean_up(layers)
        if made and self.lent is not None and self.lent.slide.path != slide.path:
            return (
                f"shapes that were drawn on '{self.lent.slide.name}' are not saved",
                "open that slide again and save them: Keep",
            )
        return "", ""

    # -- opening ---------------------------------------------------------------------------------------------------

    def _open(self, lent: Lent) -> None:
        import napari

        if napari.current_viewer() is not self._viewer:
            self._failed("another window of napari is in front", "click into this one, then try again")
            return
        if self._session.slide is not lent.slide:  # another one was opened meanwhile
            self.changed.emit()
            return
        self._clear_away()
        right = _docks_at_the_right(self._viewer)
        from napari_spatialdata import Interactive

        interactive = Interactive(lent.sdata, headless=True)
        interactive.switch_coordinate_system(lent.system)
        self._dock = self._viewer.window.dock_widgets[DOCK]
        # before there is a layer to draw on: it hears of shapes only in layers that come later
        self._viewer.window.add_plugin_dock_widget(PLUGIN, "Annotation")
        _tab_onto(right, self._viewer)
        self._dock.viewer_model.layer_saved.connect(self._on_saved)
        _mend_before_adding(self._dock)
        self.lent = lent
        self._offer_drawing(lent)
        self.changed.emit()

    def _failed(self, message: str, hint: str) -> None:
        self._session.tell("error", message, hint)
        self.changed.emit()

    def _clear_away(self) -> None:
        """Close its docks, which know another SpatialData, and take away what was offered and not used."""
        window = self._viewer.window
        for widget in [each for each in window.dock_widgets.values() if type(each).__module__.startswith(_MODULE)]:
            window.remove_dock_widget(widget)
        for layer in self._stack.with_metadata("sdata"):
            if not _is_in_use(layer):
                self._stack.discard(layer)

    def _offer_drawing(self, lent: Lent) -> None:
        """An empty layer to draw on that is linked to the slide, as its button "Link layer to sdata" does it."""
        active = self._viewer.layers.selection.active
        options = placed(lent.slide)
        options.pop("metadata")  # the user's own: what is drawn stays when another slide is opened
        layer = self._stack.add_drawing({"name": "annotations", **options})
        layer.metadata.update(linked(lent))
        if active is not None:
            self._stack.select(active)

    # -- what happens there ----------------------------------------------------------------------------------------

    def _on_saved(self, _system: object) -> None:
        lent = self.lent
        if lent is not None and lent.made("shapes"):
            hint = "to write them into the slide: Keep > Save drawings"
            self._session.tell("info", f"{PLUGIN} keeps shapes in memory only", hint)
        self.changed.emit()

    def _on_slide(self) -> None:
        self.changed.emit()


def linked(lent: Lent) -> dict[str, Any]:
    """Metadata of a layer of shapes that belongs to a SpatialData and is no element of it yet."""
    names = ("name", "region_key", "instance_key", "_n_indices", "indices")
    return {
        "sdata": lent.sdata,
        "_current_cs": lent.system,
        "_active_in_cs": {lent.system},
        "adata": no_table(),
        **dict.fromkeys(names),
    }


def neighbour_of(shared: Shared) -> Neighbour:
    """The one neighbour of a viewer, made on first use."""
    if _EXTRA not in shared.extras:
        shared.extras[_EXTRA] = Neighbour(shared)
    found: Neighbour = shared.extras[_EXTRA]
    return found


def _lend(slide: Slide) -> Lent:
    """In a thread: import what its docks need, so that the window does not wait for it."""
    with told_as(f"{PLUGIN} cannot be opened", f"look whether it works: pip install -U {PLUGIN}"):
        import napari_spatialdata  # noqa: F401

        return lend(slide)


def _is_in_use(layer: Any) -> bool:
    """Whether a layer that is linked to a SpatialData shows something of it, or something is drawn on it."""
    return bool(layer.metadata.get("name")) or len(layer.data) > 0


def _clean_up(layers: list[str]) -> str:
    first = f"remove its layers ({', '.join(layers)}) and" if layers else ""
    return f"{first} close its docks, then press the button again".strip()


def _mend_before_adding(dock: Any) -> None:
    """Let a layer have its units before its dock adds it: napari warns of each that comes with others than the rest."""
    model = dock.viewer_model
    try:
        coming = dock.worker_thread.returned
        coming.disconnect(model.viewer.add_layer)
    except (AttributeError, TypeError):  # another version: they are mended when they are there
        return
    coming.connect(mend_units)
    coming.connect(model.viewer.add_layer)


def _docks_at_the_right(viewer: Any) -> list[QDockWidget]:
    window = viewer.window._qt_window
    docks = [dock for dock in window.findChildren(QDockWidget) if not dock.isFloating()]
    return [dock for dock in docks if window.dockWidgetArea(dock) == Qt.DockWidgetArea.RightDockWidgetArea]


def _tab_onto(before: list[QDockWidget], viewer: Any) -> None:
    """Put docks that came at the right behind one another, with those before: each keeps the height of the window."""
    came = [dock for dock in _docks_at_the_right(viewer) if dock not in before]  # those are not shown yet
    shown = [dock for dock in before if dock.isVisible()]
    for dock in came:
        first = (shown or came)[0]
        if dock is not first:
            viewer.window._qt_window.tabifyDockWidget(first, dock)
    if came:
        soon(came[0].raise_)


def _raise(widget: Any) -> None:
    dock = widget.parent()
    dock.show()
    dock.raise_()
