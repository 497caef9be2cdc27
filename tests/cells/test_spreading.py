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


def test_what_a_worker_has_to_say_reaches_the_user(encoded_once: Path, weights: Path) -> None:
    """Its error travels whole: the sentence, and what to do next."""
    distributed = pytest.importorskip("distributed")
    spreading._net.cache_clear()
    work = work_of(encoded_once, weights, weights_hash="sha256:other")
    groups = list(enumerate(TILES.groups(1)))
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None, silence_logs=50
        ) as cluster,
        pytest.raises(MismatchError, match="holds other weights on a worker") as caught,
    ):
        list(on_cluster(cluster.scheduler_address, work, TILES, groups))
    assert caught.value.hint == "copy the same file everywhere"


@pytest.mark.parametrize("address", ["nonsense", "tcp://127.0.0.1:9", "carrier-pigeon://roof"])
def test_an_address_of_no_scheduler(address: str, monkeypatch: pytest.MonkeyPatch, encoded_once: Path) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr(spreading, "_CONNECT_SECONDS", 0.2)
    with pytest.raises(InputError, match=f"no Dask scheduler answers at '{address}': ") as caught:
        list(on_cluster(address, RemoteWork.model_construct(), TILES, [(0, np.arange(4))]))
    assert caught.value.hint == "start one: dask scheduler, then dask worker ADDRESS"


def test_tiles_keep_their_numbers_on_a_worker(
    encoded_once: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker gets its tiles alone and counts them from 0; what is bad is named as the slide numbers it."""
    use_decoding(monkeypatch)

    def torn(*_: object) -> np.ndarray:
        raise InputError("torn")

    monkeypatch.setattr("napari_c2lst.cells.tiles.read_on_lattice", torn)
    index = np.array([1, 3])
    number, found, bad = do_group(work_of(encoded_once, weights), TILES.some(index), 5, index)
    assert (number, len(found), bad) == (5, 0, ((1, "torn"), (3, "torn")))
