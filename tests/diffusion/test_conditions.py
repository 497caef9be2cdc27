import numpy as np
import pytest

from napari_c2lst.common.errors import InputError
from napari_c2lst.diffusion.conditions import plan_conditions

IDS = np.array(["a", "b", "c", "d", "e"])
# two groups far apart: a, b, c and d, e
TARGETS = np.array([[0, 0], [0.1, 0], [0, 0.1], [9, 9], [9.1, 9]], dtype=np.float32)


def test_without_interpolation_each_spot_comes_ratio_times() -> None:
    c = plan_conditions(TARGETS, IDS, ratio=3)
    assert len(c) == 15
    assert list(c.source_a) == [*IDS, *IDS, *IDS]
    assert np.array_equal(c.source_a, c.source_b)
    assert not c.weight.any()
    assert np.array_equal(c.targets, np.tile(TARGETS, (3, 1)))


def test_a_smaller_ratio_is_the_beginning_of_a_larger_one() -> None:
    small = plan_conditions(TARGETS, IDS, ratio=2)
    large = plan_conditions(TARGETS, IDS, ratio=4)
    assert np.array_equal(large.targets[: len(small)], small.targets)


@pytest.mark.parametrize("partners", ["neighbours", "any"])
def test_mixed_conditions_are_what_their_record_says(partners: str) -> None:
    c = plan_conditions(TARGETS, IDS, ratio=8, interpolate="pairs", partners=partners, neighbours=1, seed=1)  # type: ignore[arg-type]
    row = {name: TARGETS[i] for i, name in enumerate(IDS)}
    a, b = np.stack([row[s] for s in c.source_a]), np.stack([row[s] for s in c.source_b])
    w = c.weight[:, None]
    assert np.allclose(c.targets, (1 - w) * a + w * b, atol=1e-6)
    assert (c.source_a != c.source_b).all()
    assert c.weight.min() >= 0
    assert 0.4 < c.weight.max() <= 0.5


def test_neighbours_are_near_in_expression_and_any_is_any() -> None:
    group = {"a": 0, "b": 0, "c": 0, "d": 1, "e": 1}

    def crossing(partners: str) -> int:
        c = plan_conditions(TARGETS, IDS, ratio=20, interpolate="pairs", partners=partners, neighbours=1, seed=0)  # type: ignore[arg-type]
        return sum(group[x] != group[y] for x, y in zip(c.source_a, c.source_b, strict=True))

    assert crossing("neighbours") == 0
    assert crossing("any") > 20


def test_twins_are_partners_but_nobody_is_his_own() -> None:
    twins = np.ones((4, 3), dtype=np.float32)
    c = plan_conditions(twins, IDS[:4], ratio=5, interpolate="pairs", neighbours=5, seed=2)
    assert (c.source_a != c.source_b).all()


def test_the_plan_depends_on_the_seed_alone() -> None:
    def plan(seed: int) -> list[str]:
        return list(plan_conditions(TARGETS, IDS, ratio=4, interpolate="pairs", seed=seed).source_b)

    assert plan(3) == plan(3)
    assert plan(3) != plan(4)


def test_one_spot_cannot_be_mixed() -> None:
    with pytest.raises(InputError, match="cannot be mixed"):
        plan_conditions(TARGETS[:1], IDS[:1], ratio=2, interpolate="pairs")
    assert len(plan_conditions(TARGETS[:1], IDS[:1], ratio=2)) == 2


def test_a_mixed_plan_keeps_each_spot_in_its_place() -> None:
    c = plan_conditions(TARGETS, IDS, ratio=3, interpolate="pairs", seed=0)
    assert list(c.source_a) == [*IDS, *IDS, *IDS]  # row k * n + i is the k-th of spot i
    assert c.targets.dtype == np.float32
    assert c.weight.dtype == np.float32


def test_more_neighbours_than_spots_are_all_the_others() -> None:
    c = plan_conditions(TARGETS, IDS, ratio=40, interpolate="pairs", neighbours=99, seed=0)
    for name in IDS:
        assert set(c.source_b[c.source_a == name]) == set(IDS) - {name}


def test_the_nearest_neighbour_is_the_one_in_expression() -> None:
    line = np.array([[0.0], [1.0], [3.0], [3.5]], dtype=np.float32)
    c = plan_conditions(line, IDS[:4], ratio=5, interpolate="pairs", neighbours=1, seed=0)
    nearest = dict(zip(c.source_a, c.source_b, strict=True))
    assert nearest == {"a": "b", "b": "a", "c": "d", "d": "c"}


def test_ids_that_are_objects_become_text() -> None:
    c = plan_conditions(TARGETS, np.array(list(IDS), dtype=object), ratio=1)  # as pandas keeps them
    assert c.source_a.dtype.kind == "U"
