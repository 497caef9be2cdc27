from __future__ import annotations

import pytest

from napari_c2lst.common.errors import MismatchError
from napari_c2lst.slides.genes.genenames import match_genes, naming


def test_permuted_genes_are_matched_by_name() -> None:
    assert match_genes(["A", "B", "C"], ["C", "X", "A", "B"]).tolist() == [2, 3, 0]


def test_an_exact_name_wins_over_another_version() -> None:
    assert match_genes(["ENSG00000000003.2"], ["ENSG00000000003.1", "ENSG00000000003.2"]).tolist() == [1]


@pytest.mark.parametrize(
    ("wanted", "there"),
    [
        ("ENSG00000000003.14", "ENSG00000000003"),
        ("ENSMUSG00000000001", "ENSMUSG00000000001.4"),
        ("ENSG00000000003.1", "ENSG00000000003.9"),
    ],
)
def test_versions_of_an_ensembl_id_match(wanted: str, there: str) -> None:
    assert match_genes([wanted], ["MT-CO1", there]).tolist() == [1]


def test_a_symbol_with_a_dot_is_no_version() -> None:
    with pytest.raises(MismatchError, match="no gene in common"):
        match_genes(["RP11.1"], ["RP11"])


def test_several_versions_of_an_id_are_refused_by_name() -> None:
    with pytest.raises(
        MismatchError, match=r"1 genes of the panel match no single gene of slide 'P1': ENSG00000000003"
    ):
        match_genes(["A", "ENSG00000000003"], ["A", "ENSG00000000003.1", "ENSG00000000003.2"], where="slide 'P1'")


def test_two_wanted_versions_never_share_one_gene() -> None:
    with pytest.raises(MismatchError, match=r"match no single gene of slide: ENSG00000000003\.2"):
        match_genes(["ENSG00000000003.1", "ENSG00000000003.2"], ["ENSG00000000003"])


def test_missing_genes_are_named_up_to_five_and_counted() -> None:
    with pytest.raises(MismatchError) as caught:
        match_genes([f"G{i}" for i in range(9)], ["G0", "G1"], where="slide 'P12'")
    assert caught.value.message == "7 of 9 genes of the panel are not in slide 'P12': G2, G3, G4, G5, G6, ..."
    assert "model trained on the genes both have" in caught.value.hint


def test_no_gene_in_common_has_its_own_message() -> None:
    with pytest.raises(MismatchError) as caught:
        match_genes(["Actb", "Gapdh"], ["ACTB", "GAPDH"], where="slide 'P12'")
    assert caught.value.message == "no gene in common: the panel has Actb, Gapdh, slide 'P12' has ACTB, GAPDH"
    assert "species" in caught.value.hint


def test_ids_against_symbols_are_told_apart() -> None:
    with pytest.raises(MismatchError) as caught:
        match_genes(["ACTB"], ["ENSG00000075624", "ENSG00000111640"])
    assert caught.value.hint == "the panel has gene symbols, slide Ensembl ids: rename one of them"


def test_a_slide_without_genes() -> None:
    with pytest.raises(MismatchError, match="slide has none"):
        match_genes(["ACTB"], [])


def test_naming() -> None:
    assert naming(["ENSG00000075624.3", "ENSG00000111640", "ACTB"]) == "Ensembl ids"
    assert naming(["ACTB", "ENSA"]) == "gene symbols"


def test_nothing_wanted_is_nothing_found() -> None:
    found = match_genes([], ["A"])
    assert (found.shape, found.dtype.kind) == ((0,), "i")


def test_a_gene_is_never_given_twice() -> None:
    with pytest.raises(MismatchError, match="1 genes of the panel match no single gene of slide: A"):
        match_genes(["A", "A", "B"], ["A", "B"])


def test_missing_and_ambiguous_genes_are_told_in_one_sentence() -> None:
    there = ["A", "ENSG00000000003.1", "ENSG00000000003.2"]
    with pytest.raises(MismatchError) as caught:
        match_genes(["A", "Z 1", "ENSG00000000003"], there, where="slide 'P1'")
    assert caught.value.message == (
        "1 of 3 genes of the panel are not in slide 'P1': Z 1; "
        "1 genes of the panel match no single gene of slide 'P1': ENSG00000000003"
    )


@pytest.mark.parametrize(
    "name", ["ENSG00000000003.", "ENSG3.1", "ensg00000000003.1", "ENSG00000000003_1", "ENST00000000003.1"]
)
def test_what_only_looks_like_an_ensembl_gene_has_no_versions(name: str) -> None:
    with pytest.raises(MismatchError, match="no gene in common"):
        match_genes([name], ["ENSG00000000003", "ENST00000000003"])
