"""What paths hold: tiles, SPIDER collections, slides, and files that cannot be used."""

import json

import numpy as np
import pytest
from PIL import Image
from tests.diffusion.tiles.spider import make_spider

from napari_c2lst.common.errors import InputError
from napari_c2lst.diffusion.tiles.sources import find_sources, is_spider, spider_tiles


@pytest.fixture
def tile_folder(tmp_path):
    folder = tmp_path / "tiles"
    folder.mkdir()
    for i in range(5):
        Image.fromarray(np.full((48, 64, 3), 40 * i, np.uint8)).save(folder / f"{i}.png")
    return folder


def test_a_folder_of_small_images_is_tiles(tile_folder):
    sources = find_sources([tile_folder])
    assert [image.path.name for image in sources.images] == ["0.png", "1.png", "2.png", "3.png", "4.png"]
    assert sources.slides == ()


def test_a_large_image_is_a_slide(tile_folder):
    Image.new("RGB", (600, 700)).save(tile_folder / "slide.jpg")
    sources = find_sources([tile_folder])
    assert [f.name for f in sources.slides] == ["slide.jpg"]
    assert len(sources.images) == 5


def test_a_folder_with_counts_is_a_slide(shared):
    assert find_sources([shared / "her2st" / "C2"]).slides == (shared / "her2st" / "C2",)


def test_paths_that_are_not_there_are_named(tmp_path):
    with pytest.raises(InputError, match=r"gone1.*gone2"):
        find_sources([tmp_path / "gone1", tmp_path / "gone2"])


def test_an_image_too_large_for_pillow_is_a_slide(tile_folder, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    assert len(find_sources([tile_folder]).slides) == 5


def test_a_file_that_is_no_image_is_left_out_and_named(tile_folder):
    (tile_folder / "broken.png").write_bytes(b"not a picture")
    sources = find_sources([tile_folder])
    assert len(sources.images) == 5
    assert "broken.png" in sources.skipped[0]


def test_nothing_at_all_is_refused_with_the_reasons(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"not a picture")
    with pytest.raises(InputError, match=r"no tiles to learn from .*broken\.png"):
        find_sources([tmp_path / "broken.png"])


def test_tiles_of_a_folder_are_of_one_slide_and_a_file_of_its_own(tile_folder):
    assert {image.slide for image in find_sources([tile_folder]).images} == {"tiles"}
    assert find_sources([tile_folder / "3.png"]).images[0].slide == "3"


def test_a_spider_collection_gives_each_tile_once_with_its_slide(tmp_path):
    folder = make_spider(tmp_path / "spider")
    assert is_spider(folder)
    tiles, skipped = spider_tiles(folder)
    assert [(t.path.name, t.slide) for t in tiles] == [
        ("a.png", "S1"),
        ("b.png", "S1"),
        ("c.png", "S1"),
        ("d.png", "S2"),
    ]
    assert skipped == [f"1 images named in '{folder / 'metadata.json'}' are not there"]
    assert find_sources([folder]).images == tuple(tiles)


def test_a_name_cannot_lead_out_of_a_spider_folder(tmp_path):
    folder = make_spider(tmp_path / "spider")
    Image.new("RGB", (224, 224)).save(tmp_path / "secret.png")
    (folder / "metadata.json").write_text(json.dumps([{"slide_id": "S", "image_name": "../../secret.png"}]))
    tiles, skipped = spider_tiles(folder)
    assert tiles == []
    assert skipped


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "not json",
        '[{"slide_id": "S1"}]',
        "[1]",
        '["image_name"]',
        '[{"image_name": 5}]',
        '[{"image_name": "a.png", "context_info": ["b.png"]}]',
        '[{"image_name": "a.png", "context_info": {"0_0": 3}}]',
    ],
)
def test_metadata_of_another_kind_is_refused(tmp_path, text):
    folder = make_spider(tmp_path / "spider")
    (folder / "metadata.json").write_text(text)
    with pytest.raises(InputError, match="is not SPIDER's list"):
        find_sources([folder])


def test_a_context_that_is_missing_from_many_records_is_one_missing_image(tmp_path):
    folder = make_spider(tmp_path / "spider")
    records = [{"image_name": name, "context_info": {"0_0": "gone.png", "1_1": None}} for name in ("a.png", "b.png")]
    (folder / "metadata.json").write_text(json.dumps(records))
    tiles, skipped = spider_tiles(folder)
    assert [(tile.path.name, tile.slide) for tile in tiles] == [("a.png", "a"), ("b.png", "b")]  # no slide is named
    assert skipped == [f"1 images named in '{folder / 'metadata.json'}' are not there"]


@pytest.mark.parametrize(("side", "tiles"), [(512, 6), (513, 5)])
def test_how_large_a_tile_may_be(tile_folder, side, tiles):
    Image.new("RGB", (side, 40)).save(tile_folder / "more.PNG")
    sources = find_sources([tile_folder])
    assert (len(sources.images), len(sources.slides)) == (tiles, 6 - tiles)


def test_other_files_of_a_folder_are_not_looked_at(tile_folder):
    (tile_folder / "readme.txt").write_text("made by hand")
    (tile_folder / "more").mkdir()
    assert len(find_sources([tile_folder]).images) == 5
    assert find_sources([tile_folder]).skipped == ()


@pytest.mark.parametrize("name", ["counts.tsv.gz", "filtered_feature_bc_matrix.h5", "table.h5ad"])
def test_pictures_beside_counts_are_a_slides_own(tile_folder, name):
    (tile_folder / name).touch()
    sources = find_sources([tile_folder])
    assert (sources.images, sources.slides) == ((), (tile_folder,))


def test_a_tiff_that_pillow_cannot_open_is_tried_as_a_slide(tile_folder):
    (tile_folder / "scan.tiff").write_bytes(b"tiled in a way that Pillow does not know")
    sources = find_sources([tile_folder])
    assert [file.name for file in sources.slides] == ["scan.tiff"]
    assert sources.skipped == ()


def test_paths_keep_their_order_and_at_most_three_reasons_are_told(tile_folder, tmp_path):
    second = tmp_path / "a_second"
    second.mkdir()
    Image.new("RGB", (8, 8)).save(second / "x.bmp")
    sources = find_sources([tile_folder, second])
    assert [image.slide for image in sources.images] == ["tiles"] * 5 + ["a_second"]
    for i in range(5):
        (tile_folder / f"{i}.png").write_bytes(b"broken")
    with pytest.raises(InputError, match="no tiles to learn from") as caught:
        find_sources([tile_folder])
    assert caught.value.message.count("is not an image") == 3
    assert caught.value.hint == "give folders of images, or slides"
