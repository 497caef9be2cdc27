"""Nuclei from maps: the official result to the pixel, on real shapes and on hand-made ones."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.cells.maps import consep, discs, distances, noisy
from tests.cells.official import official_labels, official_nuclei

from napari_c2lst.cells.postprocess import Nuclei, measure, postprocess


def check_official(
    types: NDArray[np.integer], prob: NDArray[np.float32], h: NDArray[np.float32], v: NDArray[np.float32]
) -> tuple[NDArray[np.int32], Nuclei]:
    labels, nuclei = postprocess(types, prob, h, v)
    np.testing.assert_array_equal(labels, official_labels(prob, h, v))
    wanted = official_nuclei(labels, types)
    assert nuclei.ids.tolist() == list(wanted)
    for i, (_, nucleus) in enumerate(wanted.items()):
        assert nuclei.type[i] == nucleus["type"]
        assert nuclei.type_prob[i] == pytest.approx(nucleus["type_prob"], abs=1e-9)
        assert nuclei.centroid[i] == pytest.approx(nucleus["centroid"], abs=1e-9)
        assert nuclei.area[i] == nucleus["area"]
        np.testing.assert_array_equal(nuclei.contours[i], nucleus["contour"])
    return labels, nuclei


@pytest.mark.parametrize("number", [0, 17, 101])
@pytest.mark.parametrize("noise", [0.02, 0.15, 0.4])
def test_official_result_on_real_nuclei(shared: Path, number: int, noise: float) -> None:
    pytest.importorskip("cv2")
    _, instances, types = consep(shared, number)
    _, nuclei = check_official(types, *noisy(instances, number, noise))
    assert len(nuclei) > 5


def test_official_result_on_a_large_tile(shared: Path) -> None:
    pytest.importorskip("cv2")
    parts = [consep(shared, i)[1:] for i in (3, 40, 77, 150)]
    steps = [np.where(inst > 0, inst.astype(np.int32) + 10_000 * i, 0) for i, (inst, _) in enumerate(parts)]
    instances = np.block([[steps[0], steps[1]], [steps[2], steps[3]]])
    types = np.block([[parts[0][1], parts[1][1]], [parts[2][1], parts[3][1]]])
    labels, nuclei = check_official(types, *noisy(instances, 5, 0.1))
    assert labels.shape == (512, 512)
    assert len(nuclei) > 60


def test_official_result_on_noise_alone() -> None:
    pytest.importorskip("cv2")
    rng = np.random.default_rng(0)
    maps = [rng.random((90, 110), dtype=np.float32) for _ in range(3)]
    check_official(rng.integers(0, 4, (90, 110)), maps[0] * 0.9, maps[1], maps[2])


def test_touching_nuclei_are_kept_apart() -> None:
    truth = discs((60, 80), [(30, 25), (30, 40), (15, 65)])
    h, v = distances(truth)
    labels, nuclei = postprocess(None, (truth > 0).astype(np.float32), h, v)
    assert len(nuclei) == 3
    for number in (1, 2, 3):
        found = np.bincount(labels[truth == number]).argmax()
        overlap = ((labels == found) & (truth == number)).sum() / ((labels == found) | (truth == number)).sum()
        assert overlap > 0.85


def test_no_nuclei_at_all() -> None:
    empty = np.zeros((40, 40), np.float32)
    labels, nuclei = postprocess(np.zeros((40, 40), int), empty, empty, empty)
    assert labels.dtype == np.int32
    assert not labels.any()
    assert len(nuclei) == 0
    assert nuclei.centroid.shape == (0, 2)


def test_everything_is_one_nucleus() -> None:
    ones, flat = np.ones((40, 40), np.float32), np.zeros((40, 40), np.float32)
    labels, _ = postprocess(None, ones, flat, flat)
    assert labels.shape == (40, 40)


def test_maps_must_be_of_one_size() -> None:
    a, b = np.zeros((4, 4), np.float32), np.zeros((4, 5), np.float32)
    with pytest.raises(ValueError, match="of one size"):
        postprocess(None, a, a, b)
    with pytest.raises(ValueError, match="of one size"):
        postprocess(b.astype(int), a, a, a)


def test_inputs_are_left_alone() -> None:
    truth = discs((50, 50), [(25, 25)])
    prob, h, v = noisy(truth)
    before = [m.copy() for m in (prob, h, v)]
    postprocess(None, prob, h, v)
    for was, now in zip(before, (prob, h, v), strict=True):
        np.testing.assert_array_equal(was, now)


def test_majority_of_types_and_its_share() -> None:
    labels = np.zeros((10, 30), np.int32)
    labels[1:5, 1:6], labels[1:5, 10:15], labels[1:5, 20:25] = 3, 7, 9
    types = np.zeros((10, 30), int)
    types[1:4, 1:6] = 2  # 15 of 20
    types[1:2, 10:15] = 4  # 5 of 20; the rest is background
    nuclei = measure(labels, types)
    assert nuclei.ids.tolist() == [3, 7, 9]
    assert nuclei.type.tolist() == [2, 4, 0]
    assert nuclei.type_prob == pytest.approx([0.75, 0.25, 1.0])
    assert nuclei.area.tolist() == [20, 20, 20]
    assert nuclei.centroid[0].tolist() == [3.0, 2.5]


def test_of_two_equally_frequent_types_the_lower_one() -> None:
    labels = np.zeros((6, 6), np.int32)
    labels[1:5, 1:5] = 1
    types = np.full((6, 6), 3)
    types[:, :3] = 1
    assert measure(labels, types).type.tolist() == [1]


def test_without_types_all_is_sure() -> None:
    nuclei = measure(discs((30, 30), [(15, 15)]), None)
    assert (nuclei.type.tolist(), nuclei.type_prob.tolist()) == ([0], [1.0])


def test_slivers_stay_in_the_labels_only() -> None:
    labels = np.zeros((20, 20), np.int32)
    labels[2, 2:18] = 1
    labels[6, 6] = 2
    labels[10:15, 5:9] = 3
    assert measure(labels, None).ids.tolist() == [3]


def test_some_of_them() -> None:
    nuclei = measure(discs((40, 60), [(20, 15), (20, 40)]), None)
    kept = nuclei.keep(np.array([False, True]))
    assert kept.ids.tolist() == [2]
    assert len(kept.contours) == 1
    assert kept.centroid[0].tolist() == [40.0, 20.0]
