from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.cells.training.nuclei import disc_folder, disc_image

from napari_c2lst.cells.facts import CellFacts, default_types
from napari_c2lst.cells.inference import Maps, NucleusNet
from napari_c2lst.cells.network import HoVerNet, output_px
from napari_c2lst.cells.training import scoring
from napari_c2lst.cells.training.datasets import CellData, find_cell_data
from napari_c2lst.cells.training.layouts import CellImage, Item
from napari_c2lst.cells.training.targets import centre, distance_maps, split_pieces
from napari_c2lst.cells.weights import CellModel
from napari_c2lst.common.reporter import RecordingReporter, Reporter


def small_net(nr_types: int | None = 3, mode: Any = "fast") -> NucleusNet:
    facts = CellFacts(mode=mode, nr_types=nr_types, width=0.0625, types=default_types(nr_types))
    return NucleusNet(CellModel(HoVerNet(mode, nr_types, 0.0625).eval(), facts, "hash"), "cpu", "fp32")


def true_maps(nuclei: CellImage) -> Maps:
    """What a perfect network would say."""
    horizontal, vertical = distance_maps(split_pieces(nuclei.instances))
    prob = (nuclei.instances > 0).astype(np.float32)
    return Maps(None if nuclei.types is None else nuclei.types[None], prob[None], horizontal[None], vertical[None])


class Echo:
    """In place of a network: its maps are the red, green and blue of the pixels they stand for."""

    def __init__(self, mode: Any, nr_types: int | None = 3) -> None:
        self.facts = CellFacts(mode=mode, nr_types=nr_types, types=default_types(nr_types))
        self.sizes: set[int] = set()

    def maps(self, images: np.ndarray) -> Maps:
        px = images.shape[1]
        self.sizes.add(px)
        seen = centre(images.transpose(0, 3, 1, 2), output_px(self.facts.mode, px)).astype(np.float32)
        types = None if self.facts.nr_types is None else (seen[:, 0] > 128).astype(np.uint8)
        return Maps(types, seen[:, 0], seen[:, 1], seen[:, 2])


class TestWholeMaps:
    @pytest.mark.parametrize("core", [64, 96, 512])
    @pytest.mark.parametrize("mode", ["fast", "original"])
    def test_every_pixel_stands_in_its_place(self, mode: str, core: int) -> None:
        image = disc_image(150).image[:, :130]
        net: Any = Echo(mode)
        maps = scoring.whole_maps(net, image, core)
        for channel, values in enumerate((maps.prob, maps.horizontal, maps.vertical)):
            assert np.array_equal(values[0], image[..., channel])
        assert maps.types is not None
        assert np.array_equal(maps.types[0], image[..., 0] > 128)
        assert len(net.sizes) == 1

    def test_without_types(self) -> None:
        net: Any = Echo("fast", None)
        assert scoring.whole_maps(net, disc_image(60).image).types is None

    def test_a_real_network(self) -> None:
        maps = scoring.whole_maps(small_net(), disc_image(100).image)
        assert maps.prob.shape == (1, 100, 100)
        assert np.isfinite(maps.prob).all()


class TestScores:
    @pytest.fixture
    def test_split(self, tmp_path: Path) -> CellData:
        return find_cell_data([disc_folder(tmp_path, train=0, test=2)], "test")

    def test_perfect_maps_score_high(
        self, test_split: CellData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        by_image = {test_split[k].image.tobytes(): test_split[k] for k in range(2)}
        monkeypatch.setattr(scoring, "whole_maps", lambda net, image: true_maps(by_image[image.tobytes()]))
        reporter = RecordingReporter()
        scores = scoring.score_and_show(small_net(), test_split, tmp_path / "seen", reporter, default_types(3))
        assert scores["images"] == 2
        assert scores["dice"] > 0.98
        assert scores["pq"] > 0.75
        assert scores["type_accuracy"] > 0.95
        assert set(scores) >= {"f1_detection", "f1_type 1", "f1_type 2"}
        assert len(reporter.of_kind("picture")) == len(list((tmp_path / "seen").glob("*.png"))) == 2

    def test_an_untrained_network_scores_low(self, test_split: CellData, tmp_path: Path) -> None:
        scores = scoring.score_and_show(small_net(), test_split, tmp_path / "seen", Reporter(), default_types(3))
        assert scores["pq"] < 0.2

    def test_without_types_outlines_alone(
        self, test_split: CellData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bare = CellImage(test_split[0].image, test_split[0].instances, None)
        monkeypatch.setattr(scoring, "whole_maps", lambda net, image: true_maps(bare))
        scores = scoring.score_and_show(small_net(None), test_split, tmp_path / "seen", Reporter())
        assert set(scores) == {"images", "dice", "aji", "dq", "sq", "pq"}

    def test_without_images_nothing(self, tmp_path: Path) -> None:
        assert scoring.score_and_show(small_net(), CellData([]), tmp_path / "seen", Reporter()) == {}


def test_lines_stand_beside_what_was_published() -> None:
    scores = {"images": 14, "dice": 0.8, "aji": 0.5, "dq": 0.6, "sq": 0.7, "pq": 0.42}
    first, second = scoring.score_lines(scores)
    assert first == "scores on 14 images: Dice 0.800, AJI 0.500, DQ 0.600, SQ 0.700, PQ 0.420"
    assert all(text in second for text in ("Dice 0.853", "AJI 0.571", "PQ 0.547"))
    typed = scoring.score_lines(scores | {"f1_detection": 0.7, "type_accuracy": 0.8, "f1_epithelial": 0.61})
    assert typed[2] == "F1 of finding nuclei 0.700; of types: epithelial 0.610"


def test_no_scores_say_why() -> None:
    assert scoring.score_lines({}) == ["not scored: there is no test split (--test names one)"]


@pytest.mark.parametrize(
    ("names", "pictures"),
    [
        (["d/a.png", "d/b.jpg"], ["a", "b"]),
        (["one/a.png", "two/a.png", "two/b.png"], ["a_0", "a_1", "b"]),
        (["masks.npy[0]", "masks.npy[1]"], ["masks_0", "masks_1"]),
        (["d/test_3", "d/test_4"], ["test_3", "test_4"]),
    ],
    ids=["folder", "two folders", "pannuke", "tiles"],
)
def test_no_picture_is_written_over_another(names: list[str], pictures: list[str]) -> None:
    data = CellData([Item(name, disc_image) for name in names])
    assert [scoring.picture_name(data, k) for k in range(len(names))] == pictures


def test_pictures_are_few_however_many_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nuclei = disc_image(60, 3)
    monkeypatch.setattr(scoring, "whole_maps", lambda net, image: true_maps(nuclei))
    reporter, data = RecordingReporter(), CellData([Item("same.png", lambda: nuclei)] * 8)
    scores = scoring.score_and_show(small_net(), data, tmp_path, reporter, default_types(3))
    assert scores["images"] == 8
    assert len(list(tmp_path.glob("*.png"))) == scoring.MOST_PICTURES
    assert [e["done"] for e in reporter.of_kind("progress")] == list(range(1, 9))
