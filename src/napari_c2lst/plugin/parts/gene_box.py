"""A box to find one of tens of thousands of genes by typing part of its name."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate

from qtpy.QtCore import QEvent, QSize, QStringListModel, Qt, QTimer, Signal
from qtpy.QtWidgets import QCompleter, QLineEdit, QWidget

from .theme import dress_popup

MOST_SHOWN = 200
_WAIT_MS = 40  # typing on puts the search off


class GeneIndex:
    """Names of genes, to be searched; 30,000 of them in about a millisecond."""

    def __init__(self, genes: Sequence[str] = ()) -> None:
        self.genes = sorted(dict.fromkeys(genes), key=str.casefold)
        self._folded = [gene.casefold() for gene in self.genes]
        # one text to search in is far quicker than one comparison for each gene
        self._text = "\n".join(["", *self._folded, ""])
        self._starts = list(accumulate((len(name) + 1 for name in self._folded), initial=1))

    def __len__(self) -> int:
        """Number of genes."""
        return len(self.genes)

    def exact(self, text: str) -> str:
        """The gene of that name, whatever its case; empty if there is none."""
        text = text.strip()
        at = bisect_left(self._folded, text.casefold())
        same = []
        while at < len(self.genes) and self._folded[at] == text.casefold():
            same.append(self.genes[at])
            at += 1
        return text if text in same else (same[0] if same else "")

    def find(self, part: str, most: int = MOST_SHOWN) -> list[str]:
        """Genes that begin with a text, then those that hold it, each by name."""
        part = part.strip().casefold()
        if not part:
            return self.genes[:most]
        first = bisect_left(self._folded, part)
        begins = []
        while first < len(self.genes) and len(begins) < most and self._folded[first].startswith(part):
            begins.append(self.genes[first])
            first += 1
        inside = self._inside(part, most - len(begins))
        return begins + inside

    def _inside(self, part: str, most: int) -> list[str]:
        found: list[str] = []
        at = self._text.find(part)
        while at >= 0 and len(found) < most:
            place = bisect_right(self._starts, at) - 1
            if self._starts[place] < at:
                found.append(self.genes[place])
            at = self._text.find(part, self._starts[place + 1])
        return found


class GeneBox(QLineEdit):
    """A line to type a gene into, with a list of those that match; Return, a click or Down and Return choose.

    Attributes
    ----------
    gene_chosen
        Signal: the user chose a gene; empty for none.
    """

    gene_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.index = GeneIndex()
        self.gene = ""
        self._model = QStringListModel(self)
        self._list = QCompleter(self._model, self)
        self._list.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        self._list.setMaxVisibleItems(12)
        self._list.setWidget(self)
        self._list.activated.connect(self._choose)
        popup = self._list.popup()
        assert popup is not None
        popup.setUniformItemSizes(True)  # else every row is measured
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_WAIT_MS)
        self._timer.timeout.connect(self.search)
        self.textEdited.connect(lambda _text: self._timer.start())
        self.returnPressed.connect(self._on_return)
        self.setClearButtonEnabled(True)
        self.setAccessibleName("Gene")
        self.setToolTip("Type part of a gene's name; empty shows the spots without a gene")
        self.set_genes([])

    def set_genes(self, genes: Sequence[str]) -> None:
        """Offer other genes; what was chosen stays if it is among them."""
        self.index = GeneIndex(genes)
        self.setEnabled(len(self.index) > 0)
        self.setPlaceholderText(f"Search {len(self.index):,} genes" if len(self.index) else "No genes")
        if self.gene and not self.index.exact(self.gene):
            self.set_gene("")

    def set_gene(self, gene: str) -> None:
        """Show a gene as the chosen one, without saying so."""
        self.gene = gene
        self.setText(gene)
        self._timer.stop()

    def search(self) -> None:
        """List the genes that match what stands in the line."""
        self._timer.stop()
        self._model.setStringList(self.index.find(self.text()))
        if self._model.rowCount():
            dress_popup(self._list.popup(), self)
            self._list.complete()
        elif popup := self._list.popup():
            popup.hide()

    def matches(self) -> list[str]:
        """What is listed."""
        return list(self._model.stringList())

    def sizeHint(self) -> QSize:
        hint = super().sizeHint()
        return QSize(160, hint.height())

    def keyPressEvent(self, event: QEvent | None) -> None:
        if event is not None and event.key() == Qt.Key.Key_Down:
            self.search()
            return
        if event is not None and event.key() == Qt.Key.Key_Escape:
            self.set_gene(self.gene)
            return
        marked = self._marked()
        if marked and event is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._list.popup().hide()
            self._choose(marked)
            return
        super().keyPressEvent(event)

    def focusOutEvent(self, event: QEvent | None) -> None:
        super().focusOutEvent(event)
        popup = self._list.popup()
        by_tab = event is not None and event.reason() in (
            Qt.FocusReason.TabFocusReason,
            Qt.FocusReason.BacktabFocusReason,
        )
        if by_tab or popup is None or not popup.isVisible():
            self._settle()

    def _marked(self) -> str:
        """What the arrow keys have marked in the list; empty for nothing, or where the list is of an earlier text."""
        popup = self._list.popup()
        if popup is None or not popup.isVisible() or self._timer.isActive():
            return ""
        return str(popup.currentIndex().data()) if popup.selectionModel().hasSelection() else ""

    def _on_return(self) -> None:
        self._timer.stop()
        text = self.text().strip()
        found = self.index.exact(text) or next(iter(self.index.find(text, 1)), "")
        if not text or found:
            self._choose(found if text else "")

    def _settle(self) -> None:
        """Leaving the line: a whole name or nothing counts, half a name goes back."""
        text = self.text().strip()
        if not text or self.index.exact(text):
            self._choose(self.index.exact(text))
        else:
            self.set_gene(self.gene)

    def _choose(self, gene: str) -> None:
        changed = gene != self.gene
        self.set_gene(gene)
        if changed:
            self.gene_chosen.emit(gene)
