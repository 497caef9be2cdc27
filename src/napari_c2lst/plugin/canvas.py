"""What the viewer shows of the open slide: the picture, spots coloured by a gene, choices and sets; and clicks on it.

With `layer_stack` this is the only file that touches the viewer. Panels call the canvas or set the session.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from .colouring import Colouring
from .layer_stack import LayerStack
from .layers.choices import CHOSEN, SETS, choice_layer, sets_layer
from .layers.placing import LayerData, Opened, about_layer, from_world, mend_units, opened_of, placed, to_world
from .layers.slide_layers import SPOTS, slide_layers, spot_size_px, spot_symbol
from .side_by_side import SideBySide
from .viewer_parts import camera, canvas_px, scale_bar, soon

if TYPE_CHECKING:
    from napari_c2lst.slides.spots.spotsets import SpotSet

    from .session import Mask, Session

# A press that moves less than this many screen pixels is a click.
_CLICK_PX = 4.0
ClickCallback = Callable[[NDArray[np.float64]], None]


class Canvas:
    """The layers of the open slide in one viewer.

    It follows the session: a slide that is opened is shown, a gene that is chosen colours the spots. Layers that the
    user deleted are made again when they are asked for. A slide that comes in by drag and drop becomes the session's.

    Parameters
    ----------
    viewer
        A `napari.Viewer` or `ViewerModel`.
    session
        What is open in it.

    Attributes
    ----------
    colouring
        Counts of the open slide, and how a gene colours its spots and bins.
    """

    shown = Signal()  # the layers of another slide are there

    def __init__(self, viewer: Any, session: Session) -> None:
        self.viewer = viewer
        self.session = session
        self.stack = LayerStack(viewer)
        self.colouring = Colouring(self)
        self._opened: Opened | None = None
        self._side_by_side = SideBySide(self.stack)
        self._clicks: list[ClickCallback] = []
        self._closed = False
        self._tree: tuple[Any, Any] | None = None
        viewer.layers.events.inserted.connect(self._on_inserted)
        viewer.mouse_drag_callbacks.append(self._on_press)
        session.slide_changed.connect(self.show_slide)
        session.gene_changed.connect(self.show_gene)
        session.chosen_changed.connect(self._on_chosen)
        self._adopt_dropped()

    # -- the slide -------------------------------------------------------------------------------------------------

    def show_slide(self) -> None:
        """Show the session's slide in place of the one before; nothing to do when it is the one shown."""
        slide = self.session.slide
        if self._opened is not None and self._opened.slide is slide:
            return
        if slide is None:
            self._opened = None
            self.colouring.forget()
            self.stack.clear()
            return
        self._take(Opened(slide, dict(self.session.opening)))
        for data in slide_layers(slide, opened=self._opened):
            self.stack.add_or_update(data, str(data[1]["metadata"]["c2lst"]["key"]))
        self.colouring.repaint()
        self._settle()

    def _take(self, opened: Opened) -> None:
        """Make a slide the one that is shown; layers of another one go."""
        self._side_by_side.end()
        self._opened = opened
        self._tree = None
        self.stack.clear(keep=opened)
        self.colouring.begin(opened.slide)

    def _settle(self) -> None:
        scale_bar(self.viewer).visible = self.session.slide is not None and self.session.slide.microns is not None
        spots = self.layer(SPOTS)
        if spots is not None:
            self.stack.select(spots)
        self.viewer.reset_view()
        self.shown.emit()

    def _on_inserted(self, event: Any) -> None:
        mend_units(event.value)
        opened = opened_of(event.value)
        if opened is not None and opened is not self._opened:
            soon(self._adopt_dropped)

    def _adopt_dropped(self) -> None:
        """Make the slide of layers that came by drag and drop, or before us, the session's; the latest one wins."""
        if self._closed:
            return
        found = [opened for _, layer in self.stack.ours() if (opened := opened_of(layer)) is not None]
        if not found or found[-1] is self._opened:
            return
        self._take(found[-1])
        self.session.open(found[-1].slide, found[-1].opening)
        self._settle()

    # -- layers of panels ------------------------------------------------------------------------------------------

    def add_or_update(self, data: LayerData, key: str) -> Any:
        """Show layer data under a stable key; a layer of that key takes them in place. Returns the layer.

        Scale, units and metadata of the open slide are filled in where the options leave them out.
        """
        values, options, kind = data
        if self.session.slide is not None:
            defaults = placed(self.session.slide, key, self._opened)
            metadata = {**defaults.pop("metadata")["c2lst"], **(options.get("metadata") or {}).get("c2lst", {})}
            rest = {name: value for name, value in (options.get("metadata") or {}).items() if name != "c2lst"}
            metadata["opened"] = self._opened
            options = {**defaults, **options, "metadata": {**rest, "c2lst": metadata}}
        return self.stack.add_or_update((values, options, kind), key)

    def remove(self, key: str) -> None:
        """Take a layer of ours away, if it is there."""
        self.stack.remove(key)

    def layer(self, key: str) -> Any | None:
        """The layer of a key ("image", "spots", ...); None when it is not there."""
        return self.stack.layer(key)

    # -- spots -----------------------------------------------------------------------------------------------------

    def show_gene(self, gene: str) -> None:
        """Colour spots (and bins) by log(1 + counts) of a gene; empty for none.

        It is shown as soon as the counts are read.
        """
        self.colouring.show_gene(gene)

    def show_spots_colours(self, values: NDArray[np.floating] | None, name: str = "") -> None:
        """Colour the spots by any numbers, (N,); None brings the gene back."""
        self.colouring.show_values(values, name)

    def show_choice(self, mask: Mask) -> None:
        """Ring the chosen spots, (N,); nothing chosen shows nothing."""
        slide = self.session.slide
        if slide is None or slide.spots is None or not np.any(mask):
            self.remove(CHOSEN)
            return
        self.add_or_update(choice_layer(slide, mask), CHOSEN)

    def show_sets(
        self,
        sets: Mapping[str, SpotSet],
        colours: Mapping[str, str] | None = None,
        held_out_of: str | None = None,
    ) -> None:
        """Ring the spots of sets in the colours of their sets.

        Parameters
        ----------
        colours
            Colour of a set by its name; those without one get one of their own.
        held_out_of
            The set whose held-out spots are marked; of a single set that one.
        """
        slide = self.session.slide
        if slide is None or slide.spots is None or not sets:
            self.remove(SETS)
            return
        self.add_or_update(sets_layer(slide, sets, colours or {}, held_out_of), SETS)

    def _on_chosen(self) -> None:
        self.show_choice(self.session.chosen)

    # -- where the user looks --------------------------------------------------------------------------------------

    def go_to(self, yx_px: NDArray[np.floating] | tuple[float, float], *, across_um: float | None = None) -> None:
        """Centre the view on a place of the slide, (y, x) in level-0 pixels.

        Parameters
        ----------
        across_um
            Also zoom in so far that about this many microns are seen; never zooms out.
        """
        slide = self.session.require_slide()
        y, x = to_world(slide, np.asarray(yx_px, dtype=float))
        view = camera(self.viewer)
        view.center = (*view.center[:-2], float(y), float(x))
        if across_um is not None:
            view.zoom = max(view.zoom, canvas_px(self.viewer) / across_um)

    def centre_px(self) -> NDArray[np.float64]:
        """(2,) the place in the middle of the view, level-0 pixels."""
        return from_world(self.session.require_slide(), np.asarray(camera(self.viewer).center[-2:]))

    def linked_views(self, left: str | None = None, right: str | None = None) -> None:
        """Show two layers of ours side by side over the tissue, moving together; None brings the single view back."""
        if left is None or right is None:
            self._side_by_side.end()
        else:
            self._side_by_side.begin(left, right)

    # -- clicks ----------------------------------------------------------------------------------------------------

    def on_click(self, callback: ClickCallback) -> Callable[[], None]:
        """Call back with the place (y, x) in level-0 pixels of every click on the slide.

        Returns
        -------
        A function that ends it.
        """
        self._clicks.append(callback)

        def end() -> None:
            if callback in self._clicks:
                self._clicks.remove(callback)

        return end

    def spot_at(self, yx_px: NDArray[np.floating]) -> int:
        """Index of the spot at a place, level-0 pixels; -1 for tissue without one."""
        slide = self.session.slide
        if slide is None or slide.spots is None or len(slide.spots) == 0:
            return -1
        if self._tree is None or self._tree[0] is not slide:
            from scipy.spatial import cKDTree

            self._tree = (slide, cKDTree(slide.spots.yx))
        square = spot_symbol(slide) == "square"
        distance, index = self._tree[1].query(yx_px, p=np.inf if square else 2)
        return int(index) if distance <= spot_size_px(slide) / 2 else -1

    def _on_press(self, viewer: Any, event: Any) -> Any:
        start = np.asarray(event.pos if getattr(event, "pos", None) is not None else event.position[-2:], dtype=float)
        yield
        moved = 0.0
        while event.type == "mouse_move":
            here = np.asarray(event.pos if getattr(event, "pos", None) is not None else event.position[-2:], float)
            moved = max(moved, float(np.abs(here - start).max()))
            yield
        if moved <= _CLICK_PX and not self._is_drawing():
            self._click(np.asarray(event.position[-2:], dtype=float))

    def _click(self, position: NDArray[np.float64]) -> None:
        slide = self.session.slide
        if slide is None:
            return
        place = from_world(slide, position)
        if not ((place >= 0) & (place <= slide.pyramid.shape)).all():
            return
        for callback in list(self._clicks):
            callback(place)
        if slide.spots is not None:
            self.session.spot_clicked.emit(self.spot_at(place))

    def _is_drawing(self) -> bool:
        """Whether the active layer is one that clicks draw on, or the brush is in hand."""
        if self.layer("brush") is not None:
            return True
        active = self.viewer.layers.selection.active
        return active is not None and str(getattr(active, "mode", "pan_zoom")) != "pan_zoom"

    # -- the end ---------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Let go of viewer and session; the layers stay."""
        if self._closed:
            return
        self._closed = True
        self.colouring.forget()
        self.viewer.layers.events.inserted.disconnect(self._on_inserted)
        if self._on_press in self.viewer.mouse_drag_callbacks:
            self.viewer.mouse_drag_callbacks.remove(self._on_press)
        self.session.slide_changed.disconnect(self.show_slide)
        self.session.gene_changed.disconnect(self.show_gene)
        self.session.chosen_changed.disconnect(self._on_chosen)
        self._clicks.clear()

    @property
    def opened(self) -> Opened | None:
        """The slide that is shown."""
        return self._opened

    def keys(self) -> list[str]:
        """Keys of our layers, from the bottom."""
        return [str(about_layer(layer).get("key", "")) for _, layer in self.stack.ours()]
