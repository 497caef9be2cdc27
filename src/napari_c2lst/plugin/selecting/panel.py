"""The panel "Spots": choose the spots to learn from, by hand or by rule, and keep them as named sets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtGui import QCloseEvent
from qtpy.QtWidgets import QInputDialog, QVBoxLayout, QWidget

from napari_c2lst.common.errors import C2LError
from napari_c2lst.plugin.parts.listening import Listening
from napari_c2lst.plugin.parts.message_bar import MessageBar
from napari_c2lst.plugin.parts.scrolled import scrolled
from napari_c2lst.plugin.parts.tab_order import ReadPanel
from napari_c2lst.plugin.shared import shared_of
from napari_c2lst.plugin.viewer_keys import ViewerKeys

from . import recipes
from .by_rule import ByRule
from .choice import Choice, How, Step
from .count_bar import CountBar
from .hand import Hand
from .keeper import Keeper, told_of
from .named import COLOUR, colours_of, free_name, set_lines
from .regions import Regions
from .repeating import command_of
from .sets_box import SetsBox
from .tool_box import ToolBox
from .ways_box import WaysBox
from .words import advice_on, counted_on

if TYPE_CHECKING:
    import napari.viewer


class SelectPanel(ReadPanel):
    """Chooses spots of the open slide.

    Everything that chooses (tools, random share, suggestion, column, files, sets) gives one step, and the four
    buttons say what a step does: add, subtract, intersect, leave out. So every step can be undone.

    Parameters
    ----------
    viewer
        napari's viewer.
    """

    def __init__(self, viewer: napari.viewer.Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("SelectPanel")
        self._shared = shared_of(viewer)
        self.session = self._shared.session
        self.choice = Choice()
        self.count, self.tools, self.ways = CountBar(self), ToolBox(self), WaysBox(self)
        self.sets, self.message = SetsBox(self), MessageBar(self)
        self.hand = Hand(self._shared.canvas, self.choice, lambda: self.tools.how, self)
        self.keeper = Keeper(self._shared, self)
        self.regions = Regions(self._shared, self.choice, self.hand, lambda: self.tools.how, self)
        self.rules = ByRule(self.session, self.choice, self.ways, lambda: self.tools.how, self)
        self._slide: Any = None
        self._telling = False  # whether the session hears of the choice from us just now
        self._lay_out()
        self._connect()
        self._use_slide()

    # -- what the steps of others ask for ----------------------------------------------------------------------------

    def as_command(self) -> tuple[str, dict[str, Any]]:
        """Task and settings that choose the same spots again; a hand-drawn choice is written to a file first.

        Raises
        ------
        InputError
            If no slide is open, nothing is chosen, or the file cannot be written.
        """
        same = self.session.sets.get(self.sets.selected)
        typed = self.sets.name.text().strip() or free_name(self.session.sets)
        name = same.name if same is not None and np.array_equal(same.mask, self.choice.mask) else typed
        return command_of(self.session, self.choice, name)

    def import_regions(self, path: Path, classes: tuple[str, ...] = (), system: str | None = None) -> None:
        """Pick the spots inside the shapes of a GeoJSON file; as `Regions.take_file`."""
        self._try(lambda: self.regions.take_file(path, classes, system))

    def export_regions(self, what: str, path: Path) -> None:
        """Write "chosen" spots, all "sets" or the "drawn" shapes as GeoJSON; as `Regions.write`."""
        self.regions.write(what, path, self.sets.name.text().strip())

    # -- from signals to steps ----------------------------------------------------------------------------------------

    def _use_slide(self) -> None:
        """Another slide is open: begin anew."""
        self.rules.drop()
        self.regions.drop()
        self.tools.take("")
        self._try(lambda: self.hand.take(""))
        slide = self.session.slide
        self._slide = slide
        number = 0 if slide is None or slide.spots is None else len(slide.spots)
        columns = {} if slide is None or number == 0 else recipes.label_columns(slide)
        self.ways.offer(number, columns)
        self.tools.use_unit(slide is not None and slide.microns is not None)
        self.message.clear()
        chosen = self.session.chosen
        self.choice.begin(number)
        if number and len(chosen) == number and chosen.any():
            self.choice.adopt(chosen, way="restored")
        self._suggest_name()
        self._use_sets()

    def _use_sets(self) -> None:
        self.sets.show_sets(set_lines(self.session))
        self._show_sets()
        self._allow()

    def _show_sets(self) -> None:
        """Sets that are ticked in their colours, and what the selected one holds out."""
        sets = {name: self.session.sets[name] for name in self.sets.ticked() if name in self.session.sets}
        selected = self.sets.selected
        self._shared.canvas.show_sets(
            sets, colours=colours_of(self.session.sets), held_out_of=selected if selected in sets else None
        )

    def _on_choice(self) -> None:
        """Another choice: the session, the slide and the numbers show it."""
        choice = self.choice
        self._clear_error()  # what was wrong with the last shape is no longer
        self.hand.show_shapes()
        if not np.array_equal(choice.mask, self.session.chosen):
            self._telling = True
            try:
                self.session.choose(choice.mask)
            finally:
                self._telling = False
        else:
            self._shared.canvas.show_choice(choice.mask)  # a stroke of the brush may have shown more
        self._show_count()
        self._allow()

    def _on_session_choice(self) -> None:
        """Somebody else chose spots."""
        chosen = self.session.chosen
        if not self._telling and len(chosen) == len(self.choice.mask) and not np.array_equal(chosen, self.choice.mask):
            self.choice.adopt(chosen, way="restored")

    def _show_count(self) -> None:
        choice, total = self.choice, max(1, len(self.choice.mask))
        shares = tuple(float(mask.sum()) / total for mask in (choice.mask, choice.held_out, choice.left_out))
        slide = self.session.slide
        self.count.show_count(counted_on(slide, choice), advice_on(slide, choice), (shares[0], shares[1], shares[2]))

    def _allow(self) -> None:
        choice = self.choice
        any_spots, chosen = len(choice.mask) > 0, bool(choice.mask.any())
        self.tools.allow(any_spots, choice.can_undo, choice.can_redo, bool(choice.steps))
        self.sets.allow(any_spots, chosen, any(step.area is not None for step in choice.steps))

    def _on_tool(self, tool: str) -> None:
        if not self._try(lambda: self.hand.take(tool)):
            self.tools.take("")

    # -- sets ---------------------------------------------------------------------------------------------------------

    def _on_keep(self, name: str) -> None:
        def keep() -> None:
            if self.keeper.keep(self.choice, name):
                self.sets.select(name)
                self._suggest_name()

        self._try(keep)

    def _on_take(self, name: str) -> None:
        spots = self.session.sets[name]
        said = {key: value for key, value in spots.how.items() if key != COLOUR}
        if self.tools.how is How.ADD and self.choice.untouched:
            self.choice.adopt(spots.mask, spots.left_out, "set", said)
        else:
            first = self.tools.how is How.ADD and not self.choice.mask.any()
            left_out = spots.left_out if first else None
            self.choice.apply(Step(self.tools.how, spots.mask, f"set {name}", buffer=left_out))

    def _on_rename(self, name: str) -> None:
        new, agreed = QInputDialog.getText(self, "Rename a set", f"New name of '{name}':", text=name)
        if agreed:
            self.rename(name, new.strip())

    def rename(self, name: str, new: str) -> None:
        """Give a set another name."""
        if self._try(lambda: self.keeper.rename(name, new)):
            self.sets.select(new)

    def _suggest_name(self) -> None:
        self.sets.name.setText(free_name(self.session.sets))

    # -- helpers ------------------------------------------------------------------------------------------------------

    def _try(self, function: Callable[[], None]) -> bool:
        """Do something; an error of the user's becomes a message. Whether it went well."""
        try:
            function()
        except C2LError as error:
            self._fail(*told_of(error))
            return False
        self._clear_error()
        return True

    def _clear_error(self) -> None:
        if self.message.level == "error":
            self.message.clear()

    def _tell(self, level: str, message: str, hint: str = "") -> None:
        if message:
            self.message.show_message(level, message, hint)
        elif self.message.level == "info":  # what was under way has ended
            self.message.clear()
        if level in ("warning", "error"):
            self.session.tell(level, message, hint)

    def _fail(self, message: str, hint: str = "") -> None:
        self._tell("error", message, hint)

    def _lay_out(self) -> None:
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 4, 0)
        column.setSpacing(8)
        for widget in (self.tools, self.ways, self.sets):
            column.addWidget(widget)
        column.addStretch()
        # count and message stay in sight, however far down one works
        whole = QVBoxLayout(self)
        whole.setContentsMargins(6, 6, 6, 6)
        whole.setSpacing(8)
        for part in (self.count, self.message):
            whole.addWidget(part)
        whole.addWidget(scrolled(inside), 1)
        self.tools.add_shortcuts(self)

    def _connect(self) -> None:
        self.choice.changed.connect(self._on_choice)
        tools, ways, sets = self.tools, self.ways, self.sets
        tools.tool_wanted.connect(self._on_tool)
        tools.radius_wanted.connect(self.hand.brush.set_radius)
        tools.undo_wanted.connect(self.choice.undo)
        tools.redo_wanted.connect(self.choice.redo)
        tools.invert_wanted.connect(self.choice.invert)
        tools.clear_wanted.connect(self.choice.clear)
        ways.geojson_wanted.connect(lambda: self._try(self.regions.ask_file))
        ways.layer_wanted.connect(lambda: self._try(self.regions.take_layer))
        sets.keep_wanted.connect(self._on_keep)
        sets.take_wanted.connect(self._on_take)
        sets.rename_wanted.connect(self._on_rename)
        sets.delete_wanted.connect(lambda name: self._try(lambda: self.keeper.delete(name)))
        sets.colour_wanted.connect(lambda name, colour: self._try(lambda: self.keeper.recolour(name, colour)))
        sets.export_wanted.connect(lambda what: self.regions.ask_export(what, self.sets.name.text().strip()))
        sets.shown_changed.connect(self._show_sets)
        self.rules.told.connect(self._tell)
        self.rules.went_well.connect(self._clear_error)
        self.keeper.told.connect(self._tell)
        self.regions.told.connect(self._tell)
        self.hand.put_down.connect(lambda: self.tools.take(""))
        self.hand.refused.connect(self._fail)
        self._keys = ViewerKeys(
            self._shared.canvas.viewer,
            {"Control-Z": self.choice.undo, "Control-Shift-Z": self.choice.redo, "Control-Y": self.choice.redo},
        )
        self._heard = Listening(self)
        self._heard.to(self.session.slide_changed, self._use_slide)
        self._heard.to(self.session.sets_changed, self._use_sets)
        self._heard.to(self.session.chosen_changed, self._on_session_choice)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Let go of the viewer: the tools are put down."""
        self.let_go()
        super().closeEvent(event)

    def let_go(self) -> None:
        """End what outlives the widget; called when it is closed, harmless twice."""
        if self._keys is None:
            return
        self._keys.end()
        self._keys = None
        self._heard.stop()
        self.rules.drop()
        self.regions.drop()
        self.hand.close()
