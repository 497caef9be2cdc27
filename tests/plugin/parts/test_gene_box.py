from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import Qt

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
