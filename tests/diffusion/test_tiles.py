import numpy as np
import pytest
from PIL import Image

from napari_c2lst.common.errors import InputError
from napari_c2lst.common.reporter import RecordingReporter
from napari_c2lst.diffusion.pretrain_settings import PretrainSettings
from napari_c2lst.diffusion.tiles import find_sources, pack_tiles, random_tissue_positions
from napari_c2lst.slides.images.tissue import tissue_mask
from napari_c2lst.slides.opening import open_slide


def settings(tmp_path, *tiles, **values):
    base = {"preset": "small", "device": "cpu", "patch_px": 32, "tiles_per_slide": 40, "stain": "none"}
    return PretrainSettings.resolve(tiles=tiles, out=tmp_path / "run", **{**base, **values})


@pytest.fixture
def tile_folder(tmp_path):
    folder = tmp_path / "tiles"
    folder.mkdir()
    for i in range(5):
        Image.fromarray(np.full((48, 64, 3), 40 * i, np.uint8)).save(folder / f"{i}.png")
    return folder


def test_a_folder_of_small_images_is_tiles(tile_folder):
    sources = find_sources([tile_folder])
    assert [f.name for f in sources.images] == ["0.png", "1.png", "2.png", "3.png", "4.png"]
    assert sources.slides == ()


def test_a_large_image_is_a_slide(tile_folder):
    Image.new("RGB", (600, 700)).save(tile_folder / "slide.jpg")
    sources = find_sources([tile_folder])
    assert [f.name for f in sources.slides] == ["slide.jpg"]
    assert len(sources.images) == 5


def test_a_folder_with_counts_is_a_slide(shared):
    assert find_sources([shared / "her2st" / "C2"]).slides == (shared / "her2st" / "C2",)


def test_paths_that_are_not_there_and_files_that_are_no_images(tmp_path, tile_folder):
    with pytest.raises(InputError, match=r"gone1.*gone2"):
        find_sources([tmp_path / "gone1", tmp_path / "gone2"])
    (tile_folder / "broken.png").write_bytes(b"not a picture")
    with pytest.raises(InputError, match=r"broken\.png"):
        find_sources([tile_folder])


def test_images_are_packed_square_at_the_models_pixels(tmp_path, tile_folder):
    tiles, spec = pack_tiles(settings(tmp_path, tile_folder), tmp_path / "tiles.npy", RecordingReporter())
    assert tiles.shape == (5, 32, 32, 3)
    assert tiles.dtype == np.uint8
    assert tiles[:, 0, 0, 0].tolist() == [0, 40, 80, 120, 160]
    assert spec.stain is None
    assert (spec.patch_um, spec.patch_px) == (112.0, 32)


def test_a_slide_gives_stain_normalised_tiles_of_its_tissue(tmp_path, shared):
    reporter = RecordingReporter()
    tiles, spec = pack_tiles(
        settings(tmp_path, shared / "st2k-mob" / "MOB1.tsv.gz", stain="macenko"), tmp_path / "tiles.npy", reporter
    )
    assert tiles.shape == (40, 32, 32, 3)
    assert spec.stain.method == "macenko"
    assert tiles.std(axis=(1, 2, 3)).min() > 1
    assert "um/px" in reporter.messages[0]


def test_random_positions_lie_on_tissue_and_follow_the_seed(shared):
    slide = open_slide(shared / "st2k-mob" / "MOB1.tsv.gz")
    yx = random_tissue_positions(slide, 50, 112.0, seed=1)
    assert yx.shape == (50, 2)
    assert (tissue_mask(slide).fraction(yx, 112.0 / slide.mpp) >= 0.5).all()
    assert np.array_equal(yx, random_tissue_positions(slide, 50, 112.0, seed=1))
    assert not np.array_equal(yx, random_tissue_positions(slide, 50, 112.0, seed=2))


def test_a_slide_without_tissue_is_refused(tmp_path):
    Image.new("RGB", (900, 900), "white").save(tmp_path / "blank.png")
    slide = open_slide(tmp_path / "blank.png", mpp=1.0)
    with pytest.raises(InputError, match="no tissue"):
        random_tissue_positions(slide, 5, 112.0, seed=0)


def test_an_image_too_large_for_pillow_is_a_slide(tile_folder, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    assert len(find_sources([tile_folder]).slides) == 5


def test_a_disk_without_room_is_said_before_tiles_are_cut(tmp_path, tile_folder, monkeypatch):
    import shutil
    from collections import namedtuple

    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(100, 90, 10))
    with pytest.raises(InputError, match="MB left"):
        pack_tiles(settings(tmp_path, tile_folder), tmp_path / "tiles.npy", RecordingReporter())
    assert not (tmp_path / "tiles.npy").exists()
