"""The network at work: the same maps folded, in any number of images, and wherever a tile lies."""

import numpy as np
import pytest
import torch

from napari_c2lst.cells.density import lightened
from napari_c2lst.cells.facts import PANNUKE_TYPES, CellFacts
from napari_c2lst.cells.inference import NucleusNet
from napari_c2lst.cells.network import HoVerNet, output_px
from napari_c2lst.cells.quick import folded
from napari_c2lst.cells.tiling import MARGIN
from napari_c2lst.cells.weights import CellModel
from napari_c2lst.common.reporter import RecordingReporter


@pytest.fixture(scope="module")
def model() -> CellModel:
    """Random weights with the statistics of a trained network: batch normalisation that has seen images."""
    torch.manual_seed(3)
    net = HoVerNet(nr_types=6, width=1 / 16).train()
    with torch.no_grad():
        for _ in range(3):
            net(torch.rand(2, 3, 104, 104) * 255)
    facts = CellFacts(mode="fast", nr_types=6, width=1 / 16, types=PANNUKE_TYPES)
    return CellModel(net.eval().requires_grad_(False), facts, "sha256:x")


def pictures(n: int, px: int = 144, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, px, px, 3), dtype=np.uint8)


def test_maps_are_those_of_the_network(model: CellModel) -> None:
    images = pictures(2)
    maps = NucleusNet(model, "cpu", "fp32", 2).maps(images)
    with torch.inference_mode():
        raw = model.net(torch.from_numpy(images).permute(0, 3, 1, 2).float())
    assert len(maps) == 2
    np.testing.assert_allclose(maps.prob, torch.softmax(raw["np"], 1)[:, 1], atol=1e-4)
    np.testing.assert_allclose(maps.horizontal, raw["hv"][:, 0], atol=1e-3)
    np.testing.assert_allclose(maps.vertical, raw["hv"][:, 1], atol=1e-3)
    assert maps.types is not None
    assert (maps.types == raw["tp"].argmax(1).numpy()).mean() > 0.999
    assert maps.types.dtype == np.uint8


def test_folding_leaves_the_function_and_the_original(model: CellModel) -> None:
    before = len(list(model.net.state_dict()))
    quick = folded(model.net)
    norms = [sum(isinstance(m, torch.nn.BatchNorm2d) for m in net.modules()) for net in (quick, model.net)]
    assert norms[0] < 0.6 * norms[1]
    assert len(list(model.net.state_dict())) == before
    x = torch.rand(1, 3, 104, 104) * 255
    with torch.inference_mode():
        for name, wanted in model.net(x).items():
            torch.testing.assert_close(quick(x)[name], wanted, atol=1e-3, rtol=1e-3)


def several(model: CellModel, precision: str, batch: int) -> NucleusNet:
    """A network that takes several images at a time, as on a GPU."""
    net = NucleusNet(model, "cpu", precision)
    net.batch = batch
    return net


def test_a_cpu_takes_one_image_at_a_time(model: CellModel, monkeypatch: pytest.MonkeyPatch) -> None:
    net, seen = NucleusNet(model, "cpu", "fp32", 4), []
    forward = net._net.forward

    def counted(images: torch.Tensor) -> dict[str, torch.Tensor]:
        seen.append(len(images))
        return forward(images)

    monkeypatch.setattr(net._net, "forward", counted)
    assert len(net.maps(pictures(3))) == 3
    assert seen == [1, 1, 1]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_how_many_images_there_are_changes_nothing(model: CellModel, precision: str) -> None:
    images = pictures(5)
    net = several(model, precision, 2)
    whole, alone = net.maps(images), net.maps(images[4:])
    np.testing.assert_array_equal(whole.prob[4], alone.prob[0])
    np.testing.assert_array_equal(whole.vertical[4], alone.vertical[0])


def test_bf16_is_near(model: CellModel) -> None:
    images = pictures(1)
    exact, quick = (NucleusNet(model, "cpu", p, 1).maps(images) for p in ("fp32", "bf16"))
    assert quick.prob.dtype == np.float32
    assert np.abs(exact.prob - quick.prob).mean() < 0.06  # random weights on noise: far worse than tissue
    assert not np.array_equal(exact.prob, quick.prob)


def test_without_types(model: CellModel) -> None:
    net = HoVerNet(width=1 / 16).eval()
    assert NucleusNet(CellModel(net, CellFacts(mode="fast", width=1 / 16), ""), "cpu").maps(pictures(1)).types is None


def test_too_little_memory_halves_the_batch_for_good(model: CellModel, monkeypatch: pytest.MonkeyPatch) -> None:
    net, reporter = several(model, "fp32", 4), RecordingReporter()
    some = net._some

    def greedy(images: np.ndarray, batch: int) -> object:
        if batch > 1:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return some(images, batch)

    monkeypatch.setattr(net, "_some", greedy)
    assert len(net.maps(pictures(3), reporter)) == 3
    assert net.batch == 1
    assert [m for m in reporter.messages if "going on with 1" in m]


def test_a_tile_sees_its_core_as_the_tile_beside_it_does(model: CellModel) -> None:
    """Zeros beyond an input reach into its maps, but not through the margin: the maps of two tiles agree there."""
    net = NucleusNet(model, "cpu", "fp32", 1)
    rng = np.random.default_rng(5)
    scene = np.kron(rng.integers(0, 256, (50, 50, 3)), np.ones((8, 8, 1))).astype(np.uint8)
    core, px = 64, 64 + 2 * MARGIN["fast"] + 92
    here, there = (net.maps(scene[None, :px, x : x + px]).prob[0] for x in (0, 32))
    inner = slice(MARGIN["fast"], MARGIN["fast"] + core)
    difference = np.abs(here[inner, inner][:, 32:] - there[inner, inner][:, :32])
    spread = here[inner, inner].std()
    rim = np.abs(here[:, 32:] - there[:, :-32])[:, -8:].mean()  # where the zeros are near
    assert difference.mean() < 0.05 * spread
    assert difference.mean() < 0.5 * rim
    assert output_px("fast", px) == here.shape[0]


def test_it_sees_images_as_dark_as_it_was_told(model: CellModel) -> None:
    images, factors = pictures(1), (0.5, 0.75, 1.0)
    told = NucleusNet(model, "cpu", "fp32", 1, factors).maps(images)
    shown = NucleusNet(model, "cpu", "fp32", 1).maps(lightened(images, factors))
    np.testing.assert_array_equal(told.prob, shown.prob)
    assert not np.array_equal(told.prob, NucleusNet(model, "cpu", "fp32", 1).maps(images).prob)


def test_an_error_that_is_not_of_memory_is_not_hidden(model: CellModel, monkeypatch: pytest.MonkeyPatch) -> None:
    net = several(model, "fp32", 4)

    def broken(images: np.ndarray, batch: int) -> object:
        raise RuntimeError("the driver is gone")

    monkeypatch.setattr(net, "_some", broken)
    with pytest.raises(RuntimeError, match="the driver is gone"):
        net.maps(pictures(2))
    assert net.batch == 4
