"""The dock "C2L-ST": guides through the steps, from opening a slide to keeping what was made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QSize, Qt, QTimer
from qtpy.QtGui import QCloseEvent, QShowEvent
from qtpy.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from napari_c2lst.common.errors import C2LError
from napari_c2lst.plugin.parts.scrolled import scrolled

from .closing import guard_dock
from .guide.bar import StepBar
from .guide.jobs_line import JobsLine
from .guide.messages import MessageArea
from .guide.standing import Standing, facts_of, next_step, standings
from .guide.steps import STEPS, panel_class, step_named
from .parts.listening import Listening
from .parts.message_bar import MessageBar
from .parts.tab_order import ReadPanel
from .parts.theme import plain_tabs
from .shared import shared_of

if TYPE_CHECKING:
    import napari.viewer

_WIDTH, _HEIGHT = 390, 640


class C2LDock(ReadPanel):
    """The steps in order, what is done and what is next, and the panel of the chosen step.

    Panels are built when they are first looked at. What is done is read from the slide and from the runs on disk each
    time something changes, so that it is right whoever made the change.
    """

    def __init__(self, viewer: napari.viewer.Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("C2LDock")
        self._viewer = viewer
        self._shared = shared_of(viewer)
        self.panels: dict[str, list[QWidget]] = {}
        self._pages: dict[str, QWidget] = {}
        self.current = ""
        self._found: dict[str, Standing] = {}
        self._next: Standing | None = None
        self._docked = self._shown = self._closed = False
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self.renew)
        self._build()
        self._connect()
        self.renew()
        self.show_step(self._next.step.key if self._next is not None else STEPS[0].key)

    def sizeHint(self) -> QSize:
        """Narrow enough for a laptop's screen."""
        return QSize(_WIDTH, _HEIGHT)

    def minimumSizeHint(self) -> QSize:
        """Panels scroll: none of them makes the window larger."""
        return QSize(320, 320)

    def show_step(self, key: str) -> None:
        """Show the panel of a step; it is built now if this is the first time."""
        if key != self.current:
            self.messages.leave_step()
        self.current = step_named(key).key
        self.bar.choose(key)
        self.jobs_line.look_at(key)
        if key not in self.panels:
            self._add_panel(key)
        if key in self._pages:
            self.stack.setCurrentWidget(self._pages[key])
        self._show_next()

    def renew(self) -> None:
        """Read anew what is done and what is next."""
        jobs = [(job.task, job.out) for job in self._shared.jobs.running()]
        found = standings(facts_of(self._shared.session, jobs))
        self.bar.show_standings(found)
        self._found = {each.step.key: each for each in found}
        self._next = next_step(found)
        self._show_next()

    def shut(self) -> None:
        """Let go of everything; called once, when the dock is closed for good."""
        if self._closed:
            return
        self._closed = True
        self._soon.stop()
        self._heard.stop()
        self.jobs_line.let_go()
        self.messages.let_go()
        for panel in (panel for several in self.panels.values() for panel in several):
            panel.close()
        for page in self._pages.values():
            page.deleteLater()
        self.panels.clear()
        self._pages.clear()

    def showEvent(self, event: QShowEvent | None) -> None:
        """Shown for the first time: the keys go to its steps, not to the picture any more."""
        super().showEvent(event)
        if not self._shown:
            self._shown = True
            self.bar.take_focus(self.current)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Closed alone, outside of napari's docks: ask as those do."""
        if not self._closed and not self._shared.jobs.confirm_close(self):
            event.ignore()
            return
        self._shared.jobs.close()
        self.shut()
        super().closeEvent(event)

    def event(self, event: QEvent) -> bool:
        """Napari's close button takes a widget out of its dock and drops it: then everything is let go."""
        if event.type() == QEvent.Type.ParentChange and not self._closed:
            if self.parentWidget() is not None:
                self._docked = True
                guard_dock(self, self._shared.jobs)
            elif self._docked:
                self.shut()
                self.deleteLater()
        return super().event(event)

    def _build(self) -> None:
        self.bar = StepBar(self)
        self.title = QLabel(self)
        font = self.title.font()
        font.setBold(True)
        self.title.setFont(font)
        self.stand = QLabel(self)
        self.stand.setWordWrap(True)
        self.stand.setTextFormat(Qt.TextFormat.PlainText)
        self.next_button = QPushButton(self)
        self.next_button.setAccessibleDescription("Goes to the step that comes next")
        self.stack = QStackedWidget(self)
        # else napari adds room below that takes as much as the panel, and more each time the dock is opened
        self.stack.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self.jobs_line = JobsLine(self._shared.jobs, self)
        self.messages = MessageArea(self._shared, self._says_itself, self)
        line = QFrame(self)
        line.setFrameShape(QFrame.Shape.HLine)
        heading = QHBoxLayout()
        heading.addWidget(self.title)
        heading.addWidget(self.stand, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 6, 6, 6)
        column.setSpacing(5)
        column.addWidget(self.bar)
        column.addLayout(heading)
        column.addWidget(line)
        column.addWidget(self.stack, 1)
        column.addWidget(self.messages)
        column.addWidget(self.jobs_line)
        column.addWidget(self.next_button)

    def _connect(self) -> None:
        self.bar.chosen.connect(self.show_step)
        self.jobs_line.asked.connect(self.show_step)
        self.next_button.clicked.connect(self._go_on)
        self._heard = Listening(self)
        session, jobs = self._shared.session, self._shared.jobs
        for signal in (session.slide_changed, session.sets_changed, session.results_changed, jobs.started, jobs.ended):
            self._heard.to(signal, self._renew_soon)
        self._heard.to(session.gene_changed, self._renew_soon)
        self._heard.to(session.map_seen, self._renew_soon)

    def _says_itself(self, message: str) -> bool:
        """Whether the panel that is looked at shows this message already."""
        page = self._pages.get(self.current)
        bars = [] if page is None else page.findChildren(MessageBar)
        return any(bar.isVisible() and bar.message == message for bar in bars)

    def _renew_soon(self, _what: object = None) -> None:
        # several signals come at once when a slide is opened: the disk is read once
        self._soon.start()

    def _on_done(self, _made: str) -> None:
        """A step with several panels goes on to the next of them: from making scores to reading them.

        Only that step: another one may be looked at meanwhile.
        """
        panel = self.sender()
        for key, panels in self.panels.items():
            page = self._pages.get(key)
            if panel in panels and isinstance(page, QTabWidget):
                page.setCurrentIndex(min(panels.index(panel) + 1, page.count() - 1))

    def _go_on(self) -> None:
        if self._next is not None:
            self.show_step(self._next.step.key)
            self.bar.take_focus(self.current)  # the button that had it is gone, or leads elsewhere by now

    def _show_next(self) -> None:
        here = self._found.get(self.current)
        if here is not None:
            self.title.setText(here.step.title)
            self.title.setToolTip(here.step.purpose)
            self.stand.setText(f"{here.words}: {here.said}")
        step = self._next
        elsewhere = step is not None and step.step.key != self.current
        self.next_button.setVisible(elsewhere)
        if step is not None:
            said = step.said.replace("&", "&&")  # one alone would underline a letter of a slide's name
            self.next_button.setText(f"&Next: {step.step.title}  ({said})")
            self.next_button.setToolTip(step.step.purpose)

    def _add_panel(self, key: str) -> None:
        """Build the panel or, side by side in tabs, the panels of a step."""
        step = step_named(key)
        try:
            panels = {title: panel_class(where)(self._viewer) for title, where in step.panels}
        except C2LError as error:
            self._shared.session.tell("error", error.message, error.hint)
            return
        self.panels[key] = list(panels.values())
        for panel in self.panels[key]:
            if hasattr(panel, "done"):
                panel.done.connect(self._on_done)
        pages = [_scrolling(panel) for panel in panels.values()]
        page = pages[0] if len(pages) == 1 else _tabs(dict(zip(panels, pages, strict=True)))
        self._pages[key] = page
        self.stack.addWidget(page)


def _tabs(pages: dict[str, QWidget]) -> QTabWidget:
    tabs = QTabWidget()
    tabs.setDocumentMode(True)
    plain_tabs(tabs)
    for title, page in pages.items():
        tabs.addTab(page, title)
    return tabs


def _scrolling(panel: QWidget) -> QWidget:
    """The panel itself if it scrolls, else inside an area that does."""
    if panel.findChild(QScrollArea) is not None or isinstance(panel, QScrollArea):
        return panel
    return scrolled(panel)
