from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtGui import QPalette
from qtpy.QtWidgets import QCompleter, QLineEdit, QVBoxLayout, QWidget

from napari_c2lst.plugin.parts.gene_box import MOST_SHOWN, GeneBox, GeneIndex

GENES = ["ERBB2", "ERBB3", "CDERBB", "actb", "ACTG1", "KRT5", "A.1"]


def test_genes_that_begin_so_come_first() -> None:
    index = GeneIndex(GENES)
    assert index.find("erb") == ["ERBB2", "ERBB3", "CDERBB"]
    assert index.find("ACT") == ["actb", "ACTG1"]
    assert index.find("5") == ["KRT5"]
    assert index.find(".1") == ["A.1"]  # a dot is a dot
    assert index.find("xyz") == []
    assert index.find("") == index.genes
    assert index.find("erb", 1) == ["ERBB2"]


def test_a_gene_is_found_whatever_its_case() -> None:
    index = GeneIndex(["Actb", "ACTB", "Erbb2"])
    assert index.exact("actb") in ("Actb", "ACTB")
    assert index.exact("ACTB") == "ACTB"
    assert index.exact(" erbb2 ") == "Erbb2"
    assert index.exact("erb") == ""


def test_a_name_is_listed_once() -> None:
    assert GeneIndex(["A", "A", "B"]).genes == ["A", "B"]
    assert GeneIndex(["GAGA"]).find("GA") == ["GAGA"]


def test_thirty_thousand_genes_are_searched_without_listing_them_all() -> None:
    index = GeneIndex([f"GENE{i}" for i in range(30_000)])
    assert len(index.find("GENE")) == MOST_SHOWN
    assert index.find("GENE29999") == ["GENE29999"]
    assert len(index.find("9999")) == 3


@pytest.fixture
def box(qtbot: Any) -> GeneBox:
    made = GeneBox()
    qtbot.addWidget(made)
    made.set_genes(GENES)
    made.show()
    return made


def chosen(box: GeneBox) -> list[str]:
    heard: list[str] = []
    box.gene_chosen.connect(heard.append)
    return heard


def test_typing_lists_what_matches_and_return_takes_the_first(box: GeneBox, qtbot: Any) -> None:
    heard = chosen(box)
    qtbot.keyClicks(box, "erb")
    qtbot.waitUntil(lambda: box.matches() == ["ERBB2", "ERBB3", "CDERBB"])
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert (heard, box.gene, box.text()) == (["ERBB2"], "ERBB2", "ERBB2")


def test_return_takes_a_whole_name_before_a_longer_one(box: GeneBox, qtbot: Any) -> None:
    box.set_genes(["KRT5", "KRT", "KRT55"])
    heard = chosen(box)
    qtbot.keyClicks(box, "krt5")
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert heard == ["KRT5"]


def test_an_empty_line_takes_the_gene_away(box: GeneBox, qtbot: Any) -> None:
    box.set_gene("KRT5")
    heard = chosen(box)
    box.clear()
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert heard == [""]


def test_half_a_name_goes_back(box: GeneBox, qtbot: Any) -> None:
    box.set_gene("KRT5")
    heard = chosen(box)
    box.setText("KR")
    qtbot.keyClick(box, Qt.Key.Key_Escape)
    assert (box.text(), heard) == ("KRT5", [])
    box.setText("nonsense")
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert (box.gene, heard) == ("KRT5", [])


def test_other_genes_keep_the_choice_if_they_can(box: GeneBox) -> None:
    box.set_gene("KRT5")
    box.set_genes(["KRT5", "X"])
    assert box.gene == "KRT5"
    box.set_genes(["X"])
    assert (box.gene, box.text()) == ("", "")
    box.set_genes([])
    assert not box.isEnabled()


def test_showing_a_gene_is_not_choosing_it(box: GeneBox) -> None:
    heard = chosen(box)
    box.set_gene("KRT5")
    assert heard == []


def test_names_that_differ_in_case_only_are_all_listed() -> None:
    """As of a human tumour in a mouse."""
    index = GeneIndex(["ACTB", "Actb", "GAPDH", "Gapdh"])
    assert index.find("ct") == ["ACTB", "Actb"]
    assert index.find("act") == ["ACTB", "Actb"]
    assert index.find("pdh", 3) == ["GAPDH", "Gapdh"]
    assert [index.exact(name) for name in ("Actb", "ACTB")] == ["Actb", "ACTB"]


def test_a_part_is_found_at_the_first_and_at_the_last_name() -> None:
    index = GeneIndex(["AxA", "BxB", "CxC"])
    assert index.find("x") == ["AxA", "BxB", "CxC"]
    assert index.find("xc") == ["CxC"]
    assert index.find("x", 2) == ["AxA", "BxB"]
    assert GeneIndex().find("x") == []
    assert (GeneIndex().exact("x"), len(GeneIndex())) == ("", 0)


def test_names_with_signs_are_names() -> None:
    index = GeneIndex(["HLA-A", "HLA-DRB1", "MT-CO1", "NKX2-1", "(+)", "*"])
    assert index.find("-") == ["HLA-A", "HLA-DRB1", "MT-CO1", "NKX2-1"]
    assert index.find("(+") == ["(+)"]
    assert index.exact("*") == "*"


def in_the_list(box: GeneBox, qtbot: Any, *keys: Any) -> None:
    """Press keys in the list, which takes them while it is open."""
    popup = box.findChild(QCompleter).popup()
    qtbot.waitUntil(popup.isVisible)
    for key in keys:
        qtbot.keyClick(popup, key)


def test_arrows_and_return_choose_from_the_list_once(box: GeneBox, qtbot: Any) -> None:
    heard = chosen(box)
    qtbot.keyClicks(box, "erb")
    qtbot.keyClick(box, Qt.Key.Key_Down)
    in_the_list(box, qtbot, Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Return)
    assert (heard, box.gene, box.text()) == (["ERBB3"], "ERBB3", "ERBB3")


def test_what_was_typed_since_counts_more_than_what_was_marked(box: GeneBox, qtbot: Any) -> None:
    heard = chosen(box)
    qtbot.keyClicks(box, "erbb")
    qtbot.keyClick(box, Qt.Key.Key_Down)
    in_the_list(box, qtbot, Qt.Key.Key_Down)
    qtbot.keyClick(box, Qt.Key.Key_3)
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert (heard, box.text()) == (["ERBB3"], "ERBB3")


def test_return_over_an_open_list_takes_the_first_where_none_is_marked(box: GeneBox, qtbot: Any) -> None:
    heard = chosen(box)
    qtbot.keyClicks(box, "krt")
    qtbot.keyClick(box, Qt.Key.Key_Down)
    in_the_list(box, qtbot, Qt.Key.Key_Return)
    assert (heard, box.gene) == (["KRT5"], "KRT5")
    assert not box.findChild(QCompleter).popup().isVisible()


def test_escape_closes_the_list_and_then_brings_the_gene_back(box: GeneBox, qtbot: Any) -> None:
    box.set_gene("KRT5")
    heard = chosen(box)
    box.selectAll()
    qtbot.keyClicks(box, "erb")
    qtbot.keyClick(box, Qt.Key.Key_Down)
    in_the_list(box, qtbot, Qt.Key.Key_Escape)
    assert not box.findChild(QCompleter).popup().isVisible()
    qtbot.keyClick(box, Qt.Key.Key_Escape)
    assert (box.text(), heard) == ("KRT5", [])


def test_down_lists_all_genes_of_an_empty_line(box: GeneBox, qtbot: Any) -> None:
    qtbot.keyClick(box, Qt.Key.Key_Down)
    assert box.matches() == ["A.1", "actb", "ACTG1", "CDERBB", "ERBB2", "ERBB3", "KRT5"]
    box.setText("xyz")
    box.search()
    assert box.matches() == []
    assert not box.findChild(QCompleter).popup().isVisible()


@pytest.fixture
def beside(box: GeneBox, qtbot: Any) -> QLineEdit:
    """The next field of a form."""
    window, other = QWidget(), QLineEdit()
    column = QVBoxLayout(window)
    column.addWidget(box)
    column.addWidget(other)
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    box.setFocus()
    qtbot.waitUntil(box.hasFocus)
    box.window_kept = window
    return other


@pytest.mark.parametrize(
    ("typed", "heard", "shown"), [("erbb3", ["ERBB3"], "ERBB3"), ("erb", [], "KRT5"), ("", [""], ""), ("x", [], "KRT5")]
)
def test_leaving_the_line_takes_a_whole_name_only(
    box: GeneBox, beside: QLineEdit, qtbot: Any, typed: str, heard: list[str], shown: str
) -> None:
    box.set_gene("KRT5")
    said = chosen(box)
    box.clear()
    qtbot.keyClicks(box, typed)
    beside.setFocus()
    qtbot.waitUntil(beside.hasFocus)
    assert (said, box.text(), box.gene) == (heard, shown, shown)


def test_tab_over_an_open_list_leaves_no_half_name_behind(box: GeneBox, beside: QLineEdit, qtbot: Any) -> None:
    box.set_gene("KRT5")
    heard = chosen(box)
    box.selectAll()
    qtbot.keyClicks(box, "erb")
    qtbot.keyClick(box, Qt.Key.Key_Down)
    in_the_list(box, qtbot, Qt.Key.Key_Tab)
    assert (box.text(), box.gene, heard) == ("KRT5", "KRT5", [])


def test_what_was_typed_last_is_searched_and_a_choice_puts_the_search_off(box: GeneBox, qtbot: Any) -> None:
    qtbot.keyClicks(box, "erb")
    box.set_gene("actb")  # another panel chose one meanwhile
    assert not box._timer.isActive()
    assert box.text() == "actb"


def test_the_line_says_how_many_genes_there_are(box: GeneBox) -> None:
    assert box.placeholderText() == "Search 7 genes"
    box.set_genes([f"G{i}" for i in range(15_289)])
    assert box.placeholderText() == "Search 15,289 genes"
    box.set_genes([])
    assert box.placeholderText() == "No genes"


@pytest.mark.parametrize(("base", "text"), [("#424a54", "#f0f1f2"), ("#c5c3c1", "#1e1e21")])
def test_the_list_has_the_colours_of_the_theme(qtbot: Any, base: str, text: str) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.setStyleSheet(f"QWidget {{ background: {base}; color: {text}; }}")
    box = GeneBox(window)
    box.set_genes(["ERBB2", "FASN"])
    window.show()
    qtbot.keyClicks(box, "e")
    box.search()
    popup = box._list.popup()
    popup.ensurePolished()
    colours = popup.palette()
    assert colours.color(QPalette.ColorRole.Base).name() == base
    assert colours.color(QPalette.ColorRole.Text).name() == text
