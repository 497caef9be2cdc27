"""Tools that choose spots by hand, what picking does, and undo."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtWidgets import (
    QButtonGroup,
    QDoubleSpinBox,
    QGridLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from .choice import How

HOWS = {
    How.ADD: ("A&dd", "Spots you pick are added to those chosen"),
    How.SUBTRACT: ("S&ubtract", "Spots you pick are no longer chosen: they are held out"),
    How.INTERSECT: ("&Intersect", "Only spots that were chosen and that you pick stay chosen"),
    How.LEAVE_OUT: ("Leave &out", "Spots you pick are neither learnt from nor scored: folds, glass, damage"),
}
TOOLS = {
    "lasso": ("L&asso", "Hold the left button and draw around spots; every shape counts"),
    "polygon": ("Pol&ygon", "Click the corners of a shape; double-click to close it"),
    "rectangle": ("&Rectangle", "Drag a rectangle around spots"),
    "brush": ("&Brush", "Drag over spots; with Shift or Alt they are taken away, with Ctrl the view moves"),
}
_LEAST, _MOST = 10, 2000  # radius of the brush in um


class ToolBox(QGroupBox):
    """Buttons for tools and effects; it knows neither the viewer nor the spots.

    Attributes
    ----------
    how
        What picking does.
    tool
        The tool in hand; empty for none.
    """

    tool_wanted = Signal(str)  # empty to put it down
    radius_wanted = Signal(float)
    undo_wanted = Signal()
    redo_wanted = Signal()
    invert_wanted = Signal()
    clear_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Pick spots", parent)
        self.how_buttons = {how: _toggle(self, *texts) for how, texts in HOWS.items()}
        self.tool_buttons = {tool: _toggle(self, *texts) for tool, texts in TOOLS.items()}
        self._hows = QButtonGroup(self)
        for button in self.how_buttons.values():
            self._hows.addButton(button)
        self.how_buttons[How.ADD].setChecked(True)
        for tool, button in self.tool_buttons.items():
            button.clicked.connect(_asking(self._on_tool, tool))
        self.undo = self._button("Undo", "Take the last step back (Ctrl+Z)", self.undo_wanted)
        self.redo = self._button("Redo", "Take it again (Ctrl+Shift+Z)", self.redo_wanted)
        self.invert = self._button("Invert", "Choose what is held out, hold out what is chosen", self.invert_wanted)
        self.clear = self._button("Clear", "Choose nothing; it can be undone", self.clear_wanted)
        self._make_radius()
        self._lay_out()

    @property
    def how(self) -> How:
        """What picking does."""
        return next(how for how, button in self.how_buttons.items() if button.isChecked())

    @property
    def tool(self) -> str:
        """The tool in hand; empty for none."""
        return next((tool for tool, button in self.tool_buttons.items() if button.isChecked()), "")

    def take(self, tool: str) -> None:
        """Show a tool as the one in hand; empty for none. Tells nobody."""
        for name, button in self.tool_buttons.items():
            button.setChecked(name == tool)
        self._show_radius()

    def set_how(self, how: How) -> None:
        """Choose what picking does."""
        self.how_buttons[how].setChecked(True)

    def allow(self, spots: bool, undo: bool, redo: bool, chosen: bool) -> None:
        """Enable what can be done."""
        for button in (*self.how_buttons.values(), *self.tool_buttons.values(), self.invert):
            button.setEnabled(spots)
        self.undo.setEnabled(undo)
        self.redo.setEnabled(redo)
        self.clear.setEnabled(chosen)
        self._show_radius()

    def use_unit(self, microns: bool) -> None:
        """Whether the radius is in microns; else it is in pixels."""
        self.radius.setSuffix(" µm" if microns else " px")

    def add_shortcuts(self, widget: QWidget) -> None:
        """Undo and redo by keys while a widget has the focus."""
        for keys, signal in (
            (QKeySequence.StandardKey.Undo, self.undo_wanted),
            (QKeySequence.StandardKey.Redo, self.redo_wanted),
        ):
            shortcut = QShortcut(QKeySequence(keys), widget)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(signal)

    def _on_tool(self, tool: str) -> None:
        wanted = tool if self.tool_buttons[tool].isChecked() else ""
        self.take(wanted)
        self.tool_wanted.emit(wanted)

    def _make_radius(self) -> None:
        self.radius_label = QLabel("Brush radius", self)
        self.radius = QDoubleSpinBox(self)
        self.radius.setRange(_LEAST, _MOST)
        self.radius.setDecimals(0)
        self.radius.setSingleStep(10)
        self.radius.setSuffix(" µm")
        self.radius.setValue(250)
        self.radius.setAccessibleName("Radius of the brush")
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setRange(_LEAST, _MOST)
        self.slider.setValue(250)
        self.slider.setAccessibleName("Radius of the brush")
        self.slider.valueChanged.connect(self.radius.setValue)
        self.radius.valueChanged.connect(self._on_radius)

    def _on_radius(self, value: float) -> None:
        self.slider.blockSignals(True)
        self.slider.setValue(round(value))
        self.slider.blockSignals(False)
        self.radius_wanted.emit(value)

    def _show_radius(self) -> None:
        for widget in (self.radius_label, self.radius, self.slider):
            widget.setVisible(self.tool == "brush")

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setSpacing(5)
        for buttons in (self.tool_buttons, self.how_buttons):
            column.addLayout(_row(list(buttons.values())))
        radius = QGridLayout()
        radius.addWidget(self.radius_label, 0, 0)
        radius.addWidget(self.slider, 0, 1)
        radius.addWidget(self.radius, 0, 2)
        radius.setColumnStretch(1, 1)
        column.addLayout(radius)
        column.addLayout(_row([self.undo, self.redo, self.invert, self.clear]))
        self._show_radius()

    def _button(self, text: str, tip: str, signal: object) -> QPushButton:
        button = QPushButton(text, self)
        button.setToolTip(tip)
        button.clicked.connect(lambda: signal.emit())  # type: ignore[attr-defined]
        _narrow(button)
        return button


def _row(buttons: list[QPushButton]) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(4)
    for button in buttons:
        row.addWidget(button, 1)
    return row


def _toggle(parent: QWidget, text: str, tip: str) -> QPushButton:
    button = QPushButton(text, parent)
    button.setCheckable(True)
    button.setToolTip(tip)
    button.setAccessibleDescription(tip)
    _narrow(button)
    return button


def _narrow(button: QPushButton) -> None:
    button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    button.setMinimumWidth(40)


def _asking(function: Callable[[str], None], name: str) -> Callable[[], None]:
    return lambda: function(name)
