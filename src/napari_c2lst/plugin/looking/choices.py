"""The choices of a map: prediction, gene, what is shown and how it is drawn. Knows neither viewer nor session."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QStandardItemModel
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QSlider,
    QToolButton,
    QWidget,
)
from superqt import QSearchableComboBox
from superqt.utils import signals_blocked

from napari_c2lst.plugin.parts.theme import dress_popup
from napari_c2lst.plugin.parts.wheel import WheelGuard

from .predictions import Prediction
from .shown import FORMS, MODES, Form, Mode, forms_of

_STEPS = 1000


class MapChoices(QWidget):
    """A form of a few choices.

    Attributes
    ----------
    source_changed
        Signal: another prediction, or another way to draw it; something has to be read or worked out.
    look_changed
        Signal: something that is shown at once.
    gene_chosen
        Signal: another gene.
    """

    source_changed = Signal()
    look_changed = Signal()
    gene_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._predictions: list[Prediction] = []
        self._divider = (0.0, 1.0)
        self.predictions = narrow_combo("Predictions that this slide holds: the run, and where it predicted")
        self.genes = QSearchableComboBox()
        self.genes.setToolTip("Type part of a name. The genes that were predicted, the most highly expressed first.")
        _may_be_narrow(self.genes)
        self.modes = narrow_combo("What the map shows. Measured and predicted have the same colours.")
        self.forms = narrow_combo("As spots or squares where it was predicted, or smooth between them")
        self.divider = QSlider(Qt.Orientation.Horizontal)
        self.divider.setRange(0, _STEPS)
        self.divider.setValue(_STEPS // 2)
        self.divider.setToolTip("Left of the line the map shows what was measured, right of it what is predicted")
        self.shown = QCheckBox("Show the &map on the tissue")
        self.shown.setChecked(True)
        self.shown.setToolTip("Off: the map goes, and the slide's own spots are shown again")
        for mode, text in MODES.items():
            self.modes.addItem(text, mode)
        self._lay_out()
        self._connect()
        self.setEnabled(False)

    # ---------------------------------------------------------------- what is chosen

    @property
    def prediction(self) -> Prediction | None:
        """The chosen prediction; None where there is none."""
        i = self.predictions.currentIndex()
        return self._predictions[i] if 0 <= i < len(self._predictions) else None

    @property
    def offered(self) -> tuple[Prediction, ...]:
        """The predictions there are to choose."""
        return tuple(self._predictions)

    def choose(self, prediction: Prediction) -> None:
        """Choose one of them."""
        self.predictions.setCurrentIndex(self.predictions.findData(prediction.key))

    @property
    def mode(self) -> Mode:
        """What is shown."""
        return self.modes.currentData()

    @property
    def form(self) -> Form:
        """How it is drawn."""
        return self.forms.currentData()

    @property
    def wanted(self) -> bool:
        """Whether there is to be a map at all."""
        return self.shown.isChecked()

    @property
    def divider_px(self) -> float:
        """Where a split map is divided: x in level-0 pixels."""
        low, high = self._divider
        return low + (high - low) * self.divider.value() / _STEPS

    # ---------------------------------------------------------------- what there is to choose

    def offer(self, predictions: Sequence[Prediction], follow: bool = False) -> None:
        """Offer other predictions; the one that was chosen stays chosen where it is still there.

        Parameters
        ----------
        predictions
            On spots first, then on grids, of each the newest first.
        follow
            Who had the newest chosen gets the newest again; nobody may be looking at it.
        """
        wanted = self.prediction
        if follow and wanted is not None and wanted is _first(self._predictions, wanted):
            wanted = _first(predictions, wanted)
        before = wanted.key if wanted is not None else ""
        self._predictions = list(predictions)
        with signals_blocked(self.predictions):
            self.predictions.clear()
            for each in predictions:
                self.predictions.addItem(each.label, each.key)
                self.predictions.setItemData(
                    self.predictions.count() - 1, " ".join(each.sentences()), Qt.ItemDataRole.ToolTipRole
                )
            self.predictions.setCurrentIndex(max(self.predictions.findData(before), 0))
        self.setEnabled(bool(predictions))
        self._use_prediction()

    def allow(self, why_not: Callable[[Mode], str]) -> None:
        """Offer only modes that can be shown; the others say why not.

        Parameters
        ----------
        why_not
            Why a mode cannot be shown; empty when it can.
        """
        model = self.modes.model()
        assert isinstance(model, QStandardItemModel)
        for i in range(self.modes.count()):
            reason = why_not(self.modes.itemData(i))
            item = model.item(i)
            item.setEnabled(not reason)
            item.setToolTip(reason)
        if why_not(self.mode):
            with signals_blocked(self.modes):
                self.modes.setCurrentIndex(0)
            self._show_divider()

    def set_divider_range(self, low: float, high: float) -> None:
        """Between which x (level-0 pixels) a split map can be divided."""
        self._divider = (low, high)

    def show_gene(self, gene: str) -> None:
        """Show a gene that was chosen elsewhere."""
        i = self.genes.findText(gene, Qt.MatchFlag.MatchExactly)
        with signals_blocked(self.genes):
            self.genes.setCurrentIndex(i)

    def step_gene(self, by: int) -> None:
        """Choose the next or the previous gene of the list, round and round."""
        now, count = self.genes.currentIndex(), self.genes.count()
        if count:
            # from a gene that is not in the list: forward to the first, back to the last
            self.genes.setCurrentIndex((now + by) % count if now >= 0 or by > 0 else count - 1)

    # ---------------------------------------------------------------- plumbing

    def _use_prediction(self) -> None:
        chosen = self.prediction
        gene = self.genes.currentText()
        with signals_blocked(self.genes), signals_blocked(self.forms):
            self.genes.clear()
            before = self.forms.currentData()
            self.forms.clear()
            if chosen is not None:
                self.genes.addItems(list(chosen.genes))
                self.genes.setCurrentIndex(max(self.genes.findText(gene, Qt.MatchFlag.MatchExactly), 0))
                for form in forms_of(chosen):
                    self.forms.addItem(FORMS[form], form)
                self.forms.setCurrentIndex(max(self.forms.findData(before), 0))
        if chosen is not None:
            self.source_changed.emit()

    def _use_mode(self) -> None:
        self._show_divider()
        self.look_changed.emit()

    def _show_divider(self) -> None:
        self._form.setRowVisible(self.divider, self.mode == "split")

    def _use_gene(self) -> None:
        if self.genes.currentText():
            self.gene_chosen.emit(self.genes.currentText())

    def _settle_gene(self) -> None:
        """What was typed and is no gene gives way to the gene that is shown."""
        if self.genes.findText(self.genes.currentText(), Qt.MatchFlag.MatchExactly) < 0:
            self.genes.setEditText(self.genes.itemText(self.genes.currentIndex()))

    def _dress_list(self, _text: str) -> None:
        completer = self.genes.completer()
        dress_popup(None if completer is None else completer.popup(), self.genes)

    def _connect(self) -> None:
        self.predictions.currentIndexChanged.connect(self._use_prediction)
        self.forms.currentIndexChanged.connect(self.source_changed)
        self.modes.currentIndexChanged.connect(self._use_mode)
        self.genes.currentIndexChanged.connect(self._use_gene)
        self.divider.valueChanged.connect(self.look_changed)
        self.shown.toggled.connect(self.look_changed)
        self.genes.lineEdit().editingFinished.connect(self._settle_gene)
        self.genes.lineEdit().textEdited.connect(self._dress_list)
        wheel = WheelGuard(self)
        for each in (self.genes, self.divider):
            wheel.guard(each)

    def _lay_out(self) -> None:
        genes = QHBoxLayout()
        genes.addWidget(self.genes, 1)
        for text, by, name in (("◀", -1, "Previous gene"), ("▶", 1, "Next gene")):
            button = QToolButton()
            button.setText(text)
            button.setToolTip(f"{name} (Alt+{'Left' if by < 0 else 'Right'})")
            button.setAccessibleName(name)
            button.setShortcut("Alt+Left" if by < 0 else "Alt+Right")
            button.clicked.connect(self._previous if by < 0 else self._next)
            genes.addWidget(button)
        self._form = QFormLayout(self)
        self._form.setContentsMargins(0, 0, 0, 0)
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for text, field in (
            ("Predict&ion", self.predictions),
            ("&Gene", genes),
            ("Sh&ow", self.modes),
            ("Divide&r", self.divider),
            ("Dr&awn as", self.forms),
            ("", self.shown),
        ):
            label = QLabel(text)
            label.setBuddy(self.genes if field is genes else field)  # type: ignore[arg-type]
            self._form.addRow(label, field)
        self._show_divider()

    def _previous(self) -> None:
        self.step_gene(-1)

    def _next(self) -> None:
        self.step_gene(1)


def _first(predictions: Sequence[Prediction], like: Prediction) -> Prediction | None:
    """The newest prediction in the same kind of places."""
    return next((each for each in predictions if each.where == like.where), None)


def narrow_combo(tip: str) -> QComboBox:
    """A choice that no long entry makes wide."""
    combo = QComboBox()
    combo.setToolTip(tip)
    WheelGuard(combo).guard(combo)
    _may_be_narrow(combo)
    return combo


def _may_be_narrow(combo: QComboBox) -> None:
    """A long entry must not make the dock wide."""
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(8)
    combo.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
