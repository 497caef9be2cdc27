import numpy as np
import pytest
import torch

from napari_c2lst.diffusion.batches import batch_indices, turned


def test_every_item_comes_once_an_epoch() -> None:
    seen = np.concatenate([batch_indices(10, 4, 0, number) for number in range(5)])  # two epochs
    assert sorted(seen[:10]) == list(range(10))
    assert sorted(seen[10:]) == list(range(10))
    assert list(seen[:10]) != list(seen[10:])


def test_a_batch_depends_on_seed_and_number_alone() -> None:
    assert np.array_equal(batch_indices(50, 8, 3, 7), batch_indices(50, 8, 3, 7))
    assert not np.array_equal(batch_indices(50, 8, 3, 7), batch_indices(50, 8, 4, 7))


def test_a_batch_may_be_larger_than_the_data() -> None:
    assert sorted(batch_indices(3, 6, 0, 0)) == [0, 0, 1, 1, 2, 2]


def test_each_patch_is_one_of_its_eight_turns() -> None:
    x = torch.randn(40, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    out = turned(x, 0, 1)
    kinds = set()
    for before, after in zip(x, out, strict=True):
        options = [torch.rot90(b, k, dims=(-2, -1)) for b in (before, before.flip(-1)) for k in range(4)]
        fits = [k for k, option in enumerate(options) if torch.equal(option, after)]
        assert len(fits) == 1
        kinds.add(fits[0])
    assert kinds == set(range(8))


@pytest.mark.parametrize(("key", "same"), [((0, 1), True), ((0, 2), False), ((5, 1), False)])
def test_turns_depend_on_the_key_alone(key: tuple[int, int], same: bool) -> None:
    x = torch.randn(16, 1, 3, 3, generator=torch.Generator().manual_seed(0))
    assert torch.equal(turned(x, 0, 1), turned(x, *key)) is same


@pytest.mark.parametrize("processes", [2, 4])
def test_patches_of_one_process_are_turned_as_in_the_whole_batch(processes: int) -> None:
    x = torch.randn(12, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    whole = turned(x, 5, 9)
    for rank in range(processes):
        part = turned(x[rank::processes], 5, 9, rows=(rank, processes, len(x)))
        assert torch.equal(part, whole[rank::processes])


def test_turning_leaves_the_batch_it_was_given() -> None:
    x = torch.randn(8, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    before = x.clone()
    out = turned(x, 0, 1)
    assert torch.equal(x, before)
    assert out.shape == x.shape
    assert torch.equal(out.flatten(1).sort(1).values, x.flatten(1).sort(1).values)  # the same pixels


def test_batches_of_any_size_run_through_the_same_order() -> None:
    by_four = np.concatenate([batch_indices(10, 4, 7, number) for number in range(5)])
    by_five = np.concatenate([batch_indices(10, 5, 7, number) for number in range(4)])
    assert by_four.tolist() == by_five.tolist()
    assert by_four.dtype == np.int64


def test_what_a_caller_does_with_a_batch_changes_no_later_one() -> None:
    first = batch_indices(10, 10, 0, 0)
    kept = first.copy()
    first[:] = 0
    assert np.array_equal(batch_indices(10, 10, 0, 0), kept)
