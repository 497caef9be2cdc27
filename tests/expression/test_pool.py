from __future__ import annotations

import numpy as np
import pytest
from tests.expression.patches import coloured_patches

from napari_c2lst.common.errors import InputError
from napari_c2lst.expression.pool import Pool


def test_real_samples_come_first_then_synthetic_ones() -> None:
    real, synthetic = coloured_patches(3), coloured_patches(4, seed=1)
    pool = Pool.of(real, synthetic)
    assert (pool.real, pool.synthetic) == (3, 4)
    patches, targets = pool.take(np.array([6, 0, 3, 2]))
    wanted = [synthetic[0][3], real[0][0], synthetic[0][0], real[0][2]]
    assert np.array_equal(patches.permute(0, 2, 3, 1).numpy(), np.stack(wanted))
    assert np.array_equal(targets.numpy(), np.stack([synthetic[1][3], real[1][0], synthetic[1][0], real[1][2]]))


@pytest.mark.parametrize("kind", ["real", "synthetic"])
def test_one_kind_alone(kind: str) -> None:
    samples = coloured_patches(3)
    pool = Pool.of(samples, None) if kind == "real" else Pool.of(None, samples)
    assert (pool.real, pool.synthetic) == ((3, 0) if kind == "real" else (0, 3))
    assert np.array_equal(pool.take(np.array([2]))[1].numpy(), samples[1][2:])


def test_a_kind_without_samples_is_none() -> None:
    samples, none = coloured_patches(3), coloured_patches(0)
    assert len(Pool.of(samples, none).patches) == 1
    with pytest.raises(InputError, match="nothing to learn from"):
        Pool.of(none, None)


def test_samples_of_other_sizes_or_genes_do_not_fit() -> None:
    with pytest.raises(InputError, match=r"\(3, 16, 16, 3\) with expression \(3, 4\) and \(2, 32, 32, 3\)"):
        Pool.of(coloured_patches(3), coloured_patches(2, 32))
    patches, targets = coloured_patches(3)
    with pytest.raises(InputError, match="do not fit together"):
        Pool.of((patches, targets[:2]), None)
    with pytest.raises(InputError, match="do not fit together"):
        Pool.of((patches, targets), (patches, targets[:, :2]))
