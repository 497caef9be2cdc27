from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from napari_c2lst.common.errors import InputError, MismatchError
from napari_c2lst.slides.genes.panel import MIN_TRAINING_SPOTS, GenePanel, read_gene_list

GENES = ["A", "B", "C", "D"]


def _counts(spots: int = 40, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).poisson([2, 9, 0.5, 4], (spots, 4)).astype(np.float32)


def _training(spots: int = 40, count: int = 10) -> np.ndarray:
    return np.arange(spots) < count


def test_numbers_by_hand() -> None:
    # Eight training spots: seven with counts (6, 4), total 10; one with (10, 10), total 20; so the median total is 10.
    # Scaled to 10 the last one has (5, 5). The two held-out spots must not count.
    counts = np.array([[6, 4]] * 7 + [[10, 10], [900, 0], [0, 0]], dtype=np.float32)
    training = np.arange(10) < 8
    panel = GenePanel.fit(counts, ["HIGH", "LOW"], training=training)
    assert panel.genes == ("HIGH", "LOW")  # 5.875 against 4.125 on average
    assert panel.median_total == 10
    assert panel.spots == 8
    mean = (7 * math.log(7) + math.log(6)) / 8
    std = math.sqrt((7 * (math.log(7) - mean) ** 2 + (math.log(6) - mean) ** 2) / 8)
    assert panel.mean[0] == pytest.approx(mean, abs=1e-12)
    assert panel.std[0] == pytest.approx(std, abs=1e-12)
    targets = panel.targets(counts, ["HIGH", "LOW"])
    assert targets.dtype == np.float32
    assert targets[7] == pytest.approx([math.log(6), math.log(6)])
    assert targets[8] == pytest.approx([math.log(11), 0])  # 900 of 900 scaled to 10
    assert targets[9].tolist() == [0, 0]  # a spot without counts is zero, not NaN
    condition = panel.condition(targets)
    assert condition[7, 0] == pytest.approx((math.log(6) - mean) / std, rel=1e-5)
    assert condition[training].mean(axis=0) == pytest.approx([0, 0], abs=1e-5)
    assert condition[training].std(axis=0) == pytest.approx([1, 1], abs=1e-5)


def test_the_total_counts_genes_outside_the_panel() -> None:
    counts = np.array([[5, 5, 90]] * 8, dtype=np.float32)
    panel = GenePanel.fit(counts, ["A", "B", "REST"], training=np.ones(8, bool), names=["A"])
    assert panel.median_total == 100
    assert panel.targets(counts[:1] * [1, 1, 0], ["A", "B", "REST"])[0, 0] == pytest.approx(math.log(51))


def test_held_out_spots_change_nothing() -> None:
    counts, training = _counts(), _training()
    other = counts.copy()
    other[~training] = np.random.default_rng(1).poisson(50, other[~training].shape)
    assert GenePanel.fit(counts, GENES, training=training, size=2) == GenePanel.fit(
        other, GENES, training=training, size=2
    )


def test_training_spots_do_change_the_panel() -> None:
    counts, training = _counts(), _training()
    other = counts.copy()
    other[training, 2] += 100
    assert GenePanel.fit(counts, GENES, training=training, size=1).genes == ("B",)
    assert GenePanel.fit(other, GENES, training=training, size=1).genes == ("C",)


def test_ties_are_broken_by_name() -> None:
    counts = np.ones((8, 4), dtype=np.float32)
    panel = GenePanel.fit(counts, ["Z", "B", "Q", "A"], training=np.ones(8, bool), size=3)
    assert panel.genes == ("A", "B", "Q")


def test_scaled_counts_rank_the_genes_not_raw_ones() -> None:
    # One deep spot has 1000 of D; scaled to the median total it no longer wins.
    counts = np.array([[9, 0, 0, 1]] * 8 + [[0, 0, 0, 1000]], dtype=np.float32)
    assert counts.mean(axis=0).argmax() == 3
    assert GenePanel.fit(counts, GENES, training=np.ones(9, bool), size=1).genes == ("A",)


def test_genes_never_seen_in_training_are_not_chosen() -> None:
    counts = _counts()
    counts[:, 2] = 0
    assert set(GenePanel.fit(counts, GENES, training=_training(), size=250).genes) == {"A", "B", "D"}


def test_a_constant_gene_has_std_one() -> None:
    counts = np.array([[3, 4, 0, 3]] * 8, dtype=np.float32)
    panel = GenePanel.fit(counts, GENES, training=np.ones(8, bool), names=["A", "C"])
    assert panel.std == (1.0, 1.0)
    assert panel.condition(panel.targets(counts, GENES)) == pytest.approx(np.zeros((8, 2)), abs=1e-6)


def test_sparse_and_dense_counts_agree() -> None:
    counts = _counts()
    dense = GenePanel.fit(counts, GENES, training=_training())
    sparse = GenePanel.fit(sp.csr_matrix(counts), GENES, training=_training())
    assert dense == sparse
    assert np.array_equal(dense.targets(counts, GENES), dense.targets(sp.csc_matrix(counts), GENES))


def test_permuted_genes_give_the_same_targets() -> None:
    counts = _counts()
    panel = GenePanel.fit(counts, GENES, training=_training())
    order = [3, 1, 0, 2]
    assert np.array_equal(panel.targets(counts[:, order], [GENES[i] for i in order]), panel.targets(counts, GENES))


def test_missing_genes_are_refused_by_name() -> None:
    panel = GenePanel.fit(_counts(), GENES, training=_training())
    with pytest.raises(
        MismatchError, match=r"2 of 4 genes of the panel are not in slide 'P12': (B, C|C, B|B, D|A, C|.*)"
    ) as caught:
        panel.targets(_counts()[:, [0, 3]], ["A", "D"], where="slide 'P12'")
    assert "B" in caught.value.message
    assert "C" in caught.value.message
    with pytest.raises(MismatchError, match="no gene in common"):
        panel.targets(_counts(), ["a", "b", "c", "d"])


def test_columns_of_one_name_are_added_up() -> None:
    counts = _counts()
    twice = np.concatenate([counts, counts[:, :1]], axis=1)
    merged = counts.copy()
    merged[:, 0] *= 2
    panel = GenePanel.fit(twice, [*GENES, "A"], training=_training())
    assert panel == GenePanel.fit(merged, GENES, training=_training())
    assert np.array_equal(panel.targets(twice, [*GENES, "A"]), panel.targets(merged, GENES))


def test_a_given_list_keeps_its_order_and_is_checked() -> None:
    counts = _counts()
    assert GenePanel.fit(counts, GENES, training=_training(), names=["D", "A"]).genes == ("D", "A")
    with pytest.raises(MismatchError, match="1 of 2 genes of the panel are not in slide 'S': NOPE"):
        GenePanel.fit(counts, GENES, training=_training(), names=["A", "NOPE"], where="slide 'S'")
    with pytest.raises(InputError, match="named twice: A"):
        GenePanel.fit(counts, GENES, training=_training(), names=["A", "A"])
    with pytest.raises(InputError, match="list of genes is empty"):
        GenePanel.fit(counts, GENES, training=_training(), names=[])


def test_fewer_than_eight_training_spots() -> None:
    with pytest.raises(InputError, match=r"has 7 training spots, at least 8 are needed"):
        GenePanel.fit(_counts(), GENES, training=_training(count=7))
    assert GenePanel.fit(_counts(), GENES, training=_training(count=MIN_TRAINING_SPOTS)).spots == 8


def test_masks_and_names_that_do_not_fit() -> None:
    with pytest.raises(InputError, match=r"mask is of shape \(39,\), the counts have 40 spots"):
        GenePanel.fit(_counts(), GENES, training=_training(39))
    with pytest.raises(InputError, match="3 gene names for 4 columns"):
        GenePanel.fit(_counts(), GENES[:3], training=_training())
    with pytest.raises(InputError, match="a panel of 0 genes"):
        GenePanel.fit(_counts(), GENES, training=_training(), size=0)


def test_training_spots_without_counts() -> None:
    with pytest.raises(InputError, match="half or more of the 10 training spots of slide have no counts"):
        GenePanel.fit(np.zeros((40, 4)), GENES, training=_training())


def test_condition_of_another_panel_is_refused() -> None:
    panel = GenePanel.fit(_counts(), GENES, training=_training())
    with pytest.raises(MismatchError, match="expression of 3 genes for a panel of 4"):
        panel.condition(np.zeros((2, 3)))


def test_json_round_trip_is_exact() -> None:
    panel = GenePanel.fit(_counts(), GENES, training=_training())
    assert GenePanel.model_validate_json(panel.model_dump_json()) == panel
    assert len(panel) == 4
    with pytest.raises(ValueError, match="means"):
        GenePanel(genes=("A",), median_total=1, mean=(0.0, 1.0), std=(1.0,), spots=8)
    with pytest.raises(ValueError, match="twice"):
        GenePanel(genes=("A", "A"), median_total=1, mean=(0.0, 1.0), std=(1.0, 1.0), spots=8)


def test_gene_list_file(tmp_path: Path) -> None:
    file = tmp_path / "genes.txt"
    file.write_text('# my panel\nACTB\n"GAPDH",housekeeping\nCD3E\tT cells\n\nACTB\n', encoding="utf-8-sig")
    assert read_gene_list(file) == ["ACTB", "GAPDH", "CD3E"]


def test_gene_list_faults(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no gene list .*nope\.txt"):
        read_gene_list(tmp_path / "nope.txt")
    (tmp_path / "empty.txt").write_text("# nothing\n")
    with pytest.raises(InputError, match="is empty"):
        read_gene_list(tmp_path / "empty.txt")
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(InputError, match="cannot be read as a gene list"):
        read_gene_list(tmp_path / "binary.txt")


def test_median_predictor_on_b4_lies_on_the_scale_of_the_design(shared: Path) -> None:
    table = pd.read_csv(shared / "her2st" / "B4" / "B4.tsv.gz", sep="\t", index_col=0)
    counts, genes = table.to_numpy(dtype=np.float32), list(table.columns)
    training = np.zeros(len(counts), dtype=bool)
    training[np.random.default_rng(1).permutation(len(counts))[:71]] = True
    panel = GenePanel.fit(counts, genes, training=training)
    assert len(panel) == 250
    targets = panel.targets(counts, genes)
    plain = np.log1p(counts[:, [genes.index(name) for name in panel.genes]])
    # 0.31 here, 0.70 on plain log1p: figures of different scales never stand side by side
    assert _median_error(targets, training) == pytest.approx(0.31, abs=0.02)
    assert _median_error(plain, training) == pytest.approx(0.70, abs=0.04)


def _median_error(values: np.ndarray, training: np.ndarray) -> float:
    return float(np.abs(values[~training] - np.median(values[training], axis=0)).mean())


def test_a_spot_counted_twice_as_deep_has_the_same_targets() -> None:
    counts = _counts() + 1
    panel = GenePanel.fit(counts, GENES, training=_training())
    deeper = counts * np.where(np.arange(40) % 2 == 0, 2, 1)[:, None]
    np.testing.assert_allclose(panel.targets(deeper, GENES), panel.targets(counts, GENES), rtol=1e-6)


def test_conditions_of_the_training_spots_are_standardised() -> None:
    counts, training = _counts(), _training()
    panel = GenePanel.fit(counts, GENES, training=training)
    found = panel.condition(panel.targets(counts, GENES))[training]
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(found.std(axis=0), 1, atol=1e-5)


def test_a_spot_without_counts_is_all_zero_and_nothing_divides_by_it() -> None:
    panel = GenePanel.fit(_counts(), GENES, training=_training())
    empty = panel.targets(np.zeros((2, 4), np.float32), GENES)
    assert (empty == 0).all()
    assert np.isfinite(panel.condition(empty)).all()


def test_no_spots_have_no_targets() -> None:
    panel = GenePanel.fit(_counts(), GENES, training=_training())
    assert panel.targets(np.zeros((0, 4), np.float32), GENES).shape == (0, 4)


@pytest.mark.parametrize("size", [1, 3, 4, 250])
def test_a_panel_is_as_large_as_asked_or_as_there_are_genes(size: int) -> None:
    panel = GenePanel.fit(_counts(), GENES, training=_training(), size=size)
    assert len(panel) == len(panel.mean) == len(panel.std) == min(size, 4)
    assert panel.genes == GenePanel.fit(_counts(), GENES, training=_training()).genes[:size]


@pytest.mark.parametrize("training", [np.zeros(40, bool), np.arange(40) < 1, np.ones((40, 1), bool), np.arange(8)])
def test_masks_that_choose_too_little_or_are_no_masks(training: np.ndarray) -> None:
    with pytest.raises(InputError, match="training"):
        GenePanel.fit(_counts(), GENES, training=training)


def test_genes_of_two_names_alike_but_for_their_case_are_two_genes() -> None:
    panel = GenePanel.fit(_counts(), ["Actb", "ACTB", "C", "D"], training=_training())
    assert {"Actb", "ACTB"} <= set(panel.genes)
