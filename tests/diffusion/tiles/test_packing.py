import numpy as np
import pytest
from PIL import Image
from tests.diffusion.tiles.spider import make_spider

from napari_c2lst.common.errors import InputError, Stopped
from napari_c2lst.common.reporter import RecordingReporter
from napari_c2lst.diffusion.pretrain_settings import PretrainSettings
from napari_c2lst.diffusion.tiles.packed import read_packed
from napari_c2lst.diffusion.tiles.packing import pack_tiles, random_tissue_positions
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


def test_images_are_packed_square_at_the_models_pixels(tmp_path, tile_folder):
    packed = pack_tiles(settings(tmp_path, tile_folder), tmp_path, RecordingReporter())
    tiles, spec = packed.pixels, packed.spec
    assert tiles.shape == (5, 32, 32, 3)
    assert tiles.dtype == np.uint8
    assert tiles[:, 0, 0, 0].tolist() == [0, 40, 80, 120, 160]
    assert spec.stain is None
    assert (spec.patch_um, spec.patch_px) == (112.0, 32)


def test_a_slide_gives_stain_normalised_tiles_of_its_tissue(tmp_path, shared):
    reporter = RecordingReporter()
    packed = pack_tiles(settings(tmp_path, shared / "st2k-mob" / "MOB1.tsv.gz", stain="macenko"), tmp_path, reporter)
    tiles, spec = packed.pixels, packed.spec
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


def test_a_disk_without_room_is_said_before_tiles_are_cut(tmp_path, tile_folder, monkeypatch):
    import shutil
    from collections import namedtuple

    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(100, 90, 10))
    with pytest.raises(InputError, match="MB left"):
        pack_tiles(settings(tmp_path, tile_folder), tmp_path, RecordingReporter())
    assert not (tmp_path / "tiles.npy").exists()


def test_a_tile_that_is_there_twice_is_kept_once(tmp_path, tile_folder):
    (tile_folder / "again.png").write_bytes((tile_folder / "3.png").read_bytes())
    reporter = RecordingReporter()
    packed = pack_tiles(settings(tmp_path, tile_folder), tmp_path, reporter)
    assert (len(packed), packed.duplicates) == (5, 1)
    assert "1 tiles were there twice and are kept once" in reporter.messages


def test_bad_files_are_told_and_left_out(tmp_path, tile_folder):
    (tile_folder / "cut.png").write_bytes((tile_folder / "3.png").read_bytes()[:60])
    (tile_folder / "no.png").write_bytes(b"not a picture")
    reporter = RecordingReporter()
    packed = pack_tiles(settings(tmp_path, tile_folder), tmp_path, reporter)
    assert len(packed) == 5
    told = " ".join(m for m in reporter.messages if m.startswith("left out"))
    assert "cut.png" in told
    assert "no.png" in told
    assert len(packed.skipped) == 2


def test_nothing_but_bad_files_is_refused(tmp_path):
    folder = tmp_path / "bad"
    folder.mkdir()
    good = tmp_path / "good.png"
    Image.effect_noise((64, 64), 90).save(good)
    for i in range(3):
        (folder / f"{i}.png").write_bytes(good.read_bytes()[:200])
    with pytest.raises(InputError, match="no tile could be used"):
        pack_tiles(settings(tmp_path, folder), tmp_path / "run", RecordingReporter())
    assert not (tmp_path / "run" / "tiles.npy").exists()


def test_a_slide_that_cannot_be_used_does_not_stop_the_others(tmp_path, tile_folder):
    Image.new("RGB", (700, 700), "white").save(tile_folder / "blank.jpg")
    reporter = RecordingReporter()
    packed = pack_tiles(settings(tmp_path, tile_folder, mpp=1.0), tmp_path, reporter)
    assert len(packed) == 5
    assert any("blank" in reason and "tissue" in reason for reason in packed.skipped)


def test_many_bad_files_are_counted(tmp_path, tile_folder):
    for i in range(9):
        (tile_folder / f"bad{i}.png").write_bytes(b"x")
    reporter = RecordingReporter()
    pack_tiles(settings(tmp_path, tile_folder), tmp_path, reporter)
    assert sum(m.startswith("left out") for m in reporter.messages) == 5
    assert "and 4 more were left out (tiles.json)" in reporter.messages


def test_stopped_while_packing_nothing_passes_for_packed_tiles(tmp_path, tile_folder):
    with pytest.raises(Stopped, match="packed") as stopped:
        pack_tiles(settings(tmp_path, tile_folder), tmp_path / "run", RecordingReporter(stop_after=0))
    assert "goes on" in stopped.value.hint
    assert read_packed(tmp_path / "run") is None
    assert all(file.name.startswith(".") for file in (tmp_path / "run").iterdir())


def test_spider_and_plain_folders_become_one_stream_split_by_slide(tmp_path, tile_folder):
    spider = make_spider(tmp_path / "spider")
    packed = pack_tiles(settings(tmp_path, spider, tile_folder), tmp_path, RecordingReporter())
    assert packed.names == ("S1", "S2", "tiles")
    assert np.bincount(packed.slides).tolist() == [3, 1, 5]
    learn, held = packed.split(0.3, seed=0)
    assert set(packed.slides[learn]).isdisjoint(packed.slides[held])
