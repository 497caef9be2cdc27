"""Groups of tiles here and on workers."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.cells.decoding import FACTS, DecodingNet, use_decoding

from napari_c2lst.cells import spreading
from napari_c2lst.cells.density import AS_IT_IS
from napari_c2lst.cells.spreading import RemoteWork, do_group, here, on_cluster
from napari_c2lst.cells.tiling import Tiling
from napari_c2lst.cells.weights import load_hovernet
from napari_c2lst.common.errors import InputError, MismatchError
from napari_c2lst.common.reporter import Reporter
from napari_c2lst.slides.opening import open_slide

TILES = Tiling(np.array([[0, 0], [0, 256], [256, 0], [256, 256]]), 256, "fast", 1.0, 0.25)


def work_of(store: Path, weights: Path, **values: Any) -> RemoteWork:
    facts = {"image_name": "image", "mpp": 0.25, "device": "cpu", "precision": "fp32", "batch": 2, "density": AS_IT_IS}
    digest = load_hovernet(weights).content_hash
    return RemoteWork(**{"store": str(store), "weights": str(weights), "weights_hash": digest, **facts, **values})


def test_a_worker_does_what_would_be_done_here(
    encoded_once: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_decoding(monkeypatch)
    net: Any = DecodingNet(type("M", (), {"facts": FACTS, "content_hash": ""})())
    index = np.array([1, 3])
    ((number, found, bad),) = here(net, open_slide(encoded_once), TILES, [(7, index)], 1, Reporter())
    there = do_group(work_of(encoded_once, weights), TILES.some(index), 7, index)
    assert (number, bad) == (7, ()) == (there[0], there[2])
    np.testing.assert_array_equal(found.corners, there[1].corners)
    assert set(there[1].tile.tolist()) == {1, 3}
    np.testing.assert_array_equal(found.tile, there[1].tile)


def test_a_worker_with_other_weights_says_so(encoded_once: Path, weights: Path) -> None:
    spreading._net.cache_clear()
    with pytest.raises(MismatchError, match="holds other weights on a worker"):
        do_group(work_of(encoded_once, weights, weights_hash="sha256:other"), TILES, 0, np.arange(4))


def test_groups_come_in_their_order_here(encoded_once: Path) -> None:
    net: Any = DecodingNet(type("M", (), {"facts": FACTS, "content_hash": ""})())
    groups = list(enumerate(TILES.groups(1)))
    done = list(here(net, open_slide(encoded_once), TILES, groups, 4, Reporter()))
    assert [number for number, _, _ in done] == [0, 1, 2, 3]
    assert all(len(found) > 20 for _, found, _ in done)


def test_a_scheduler_without_workers(encoded_once: Path, weights: Path) -> None:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=0, processes=False, dashboard_address=None, silence_logs=50) as cluster,
        pytest.raises(InputError, match="has no workers"),
    ):
        list(on_cluster(cluster.scheduler_address, work_of(encoded_once, weights), TILES, [(0, np.arange(4))]))
