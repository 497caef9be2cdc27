from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from napari_c2lst.expression.order import batch_indices


def test_every_sample_once_in_a_pass() -> None:
    seen = np.concatenate([batch_indices(0, step, 12, 9, 7, "pooled") for step in range(6)])
    assert [Counter(seen[a : a + 21].tolist()) for a in (0, 21)] == [Counter(range(21))] * 2
    assert seen[:21].tolist() != seen[21:].tolist()


def test_half_of_a_balanced_batch_is_real() -> None:
    seen = [batch_indices(0, step, 5, 50, 8, "balanced") for step in range(10)]
    assert [(s < 5).sum() for s in seen] == [4] * 10
    assert max(map(max, seen)) > 5
    real = np.concatenate([s[s < 5] for s in seen])
    assert set(Counter(real.tolist()).values()) == {8}
    made = np.concatenate([s[s >= 5] for s in seen])
    assert len(set(made.tolist())) == 40


def test_an_odd_batch_has_one_more_real() -> None:
    assert (batch_indices(0, 0, 5, 50, 7, "balanced") < 5).sum() == 4


@pytest.mark.parametrize("counts", [(12, 0), (0, 12)])
def test_one_kind_alone_has_one_order_whatever_the_mix(counts: tuple[int, int]) -> None:
    first, again = (batch_indices(4, 3, *counts, 5, mix) for mix in ("pooled", "balanced"))
    assert np.array_equal(first, again)
    assert first.max() < 12


def test_order_is_a_function_of_seed_and_step() -> None:
    assert np.array_equal(batch_indices(1, 5, 9, 9, 4, "balanced"), batch_indices(1, 5, 9, 9, 4, "balanced"))
    assert not np.array_equal(batch_indices(1, 5, 9, 9, 4, "balanced"), batch_indices(2, 5, 9, 9, 4, "balanced"))


def test_a_batch_larger_than_the_samples_repeats_them() -> None:
    assert set(Counter(batch_indices(0, 0, 3, 0, 9, "pooled").tolist()).values()) == {3}
