import numpy as np
import pytest
from PIL import Image
from tests.diffusion.tiles.spider import make_spider

from napari_c2lst.common.errors import InputError, Stopped
from napari_c2lst.common.reporter import RecordingReporter
from napari_c2lst.diffusion.pretrain_settings import PretrainSettings
from napari_c2lst.diffusion.tiles import packing
from napari_c2lst.diffusion.tiles.packed import read_packed
from napari_c2lst.diffusion.tiles.packing import pack_tiles, random_tissue_positions, read_tile
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


def noise_folder(folder, count=4, seed=0, tint=(0, 0, 0)):
    """A folder of noisy pictures, darker by `tint`: (r, g, b)."""
    folder.mkdir()
    draw = np.random.default_rng(seed)
    for i in range(count):
        pixels = draw.integers(90, 200, (40, 40, 3)) - np.array(tint)
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{i}.png")
    return folder


def test_a_copy_of_a_folder_is_no_slide_to_hold_out(tmp_path):
    """All its tiles are of the other slide: held out or learned from, one of the two parts would be empty."""
    folders = [noise_folder(tmp_path / name) for name in ("first", "copy")]
    packed = pack_tiles(settings(tmp_path, *folders), tmp_path / "run", RecordingReporter())
    assert (packed.names, len(packed), packed.duplicates) == (("first",), 4, 4)
    for seed in range(4):
        learn, held = packed.split(0.02, seed)
        assert (len(learn), len(held)) == (3, 1)


def test_a_slide_of_which_one_tile_is_new_is_one(tmp_path):
    first, second = (noise_folder(tmp_path / name) for name in ("first", "second"))
    Image.new("RGB", (40, 40), (150, 90, 140)).save(second / "new.png")
    packed = pack_tiles(settings(tmp_path, first, second), tmp_path / "run", RecordingReporter())
    assert (packed.names, packed.slides.tolist()) == (("first", "second"), [0, 0, 0, 0, 1])


@pytest.mark.parametrize(
    ("name", "says"), [("gone.png", "No such"), ("words.png", "cannot identify"), ("", "directory")]
)
def test_a_stain_reference_that_is_no_picture_is_one_sentence(tmp_path, tile_folder, name, says):
    (tmp_path / "words.png").write_text("no picture")
    with pytest.raises(InputError, match=r"the stain reference '.*' cannot be read: ") as caught:
        pack_tiles(
            settings(tmp_path, tile_folder, stain="reinhard", stain_reference=tmp_path / name),
            tmp_path / "run",
            RecordingReporter(),
        )
    assert says in caught.value.message
    assert str(tmp_path / name) in caught.value.message
    assert not (tmp_path / "run").exists()


def test_tiles_are_brought_to_the_stain_of_the_reference(tmp_path):
    folders = [noise_folder(tmp_path / "pale"), noise_folder(tmp_path / "dark", seed=1, tint=(60, 80, 40))]
    reference = noise_folder(tmp_path / "ref", count=1, seed=2, tint=(20, 60, 30)) / "0.png"
    chosen = settings(tmp_path, *folders, stain="reinhard", stain_reference=reference)
    packed = pack_tiles(chosen, tmp_path / "run", RecordingReporter())
    assert (packed.spec.stain.method, packed.spec.stain.name) == ("reinhard", "0")
    pale, dark = (packed.pixels[packed.slides == slide].mean(axis=(0, 1, 2)) for slide in (0, 1))
    wanted = np.asarray(Image.open(reference)).mean(axis=(0, 1))
    assert np.abs(pale - dark).max() < 4  # 60 and more before
    assert np.abs(pale - wanted).max() < 8


def test_a_slide_without_stain_leaves_the_reference_to_the_next_ones(tmp_path):
    Image.new("RGB", (700, 700), "white").save(tmp_path / "blank.png")
    tiles = noise_folder(tmp_path / "tiles")
    chosen = settings(tmp_path, tmp_path / "blank.png", tiles, stain="reinhard", mpp=1.0)
    packed = pack_tiles(chosen, tmp_path / "run", RecordingReporter())
    assert (packed.names, len(packed)) == (("tiles",), 4)
    assert packed.spec.stain.method == "reinhard"
    assert "blank" in packed.skipped[0]


def test_without_any_stained_source_the_first_slides_fault_is_told(tmp_path):
    Image.new("RGB", (700, 700), "white").save(tmp_path / "blank.png")
    with pytest.raises(InputError, match="no stained tissue"):
        pack_tiles(settings(tmp_path, tmp_path / "blank.png", stain="macenko", mpp=1.0), tmp_path, RecordingReporter())


def test_a_picture_too_large_to_open_is_left_out_of_a_collection(tmp_path, monkeypatch):
    """Sizes of a SPIDER collection's tiles are not looked at before they are read."""
    spider = make_spider(tmp_path / "spider")
    Image.new("RGB", (600, 600)).save(spider / "images" / "b.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 224 * 224)
    packed = pack_tiles(settings(tmp_path, spider), tmp_path / "run", RecordingReporter())
    assert len(packed) == 3
    assert any("b.png' cannot be read" in reason and "exceeds limit" in reason for reason in packed.skipped)


def test_what_is_packed_already_needs_no_room_again(tmp_path, tile_folder, monkeypatch):
    import shutil

    run, chosen = tmp_path / "run", settings(tmp_path, tile_folder)
    monkeypatch.setattr(packing, "_BATCH", 2)
    with pytest.raises(Stopped):
        pack_tiles(chosen, run, RecordingReporter(stop_after=2))  # four of five tiles, 3 kB each
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(20_000, 16_000, 4_000))
    assert len(pack_tiles(chosen, run, RecordingReporter())) == 5
    with pytest.raises(InputError, match="kB left"):
        pack_tiles(chosen, tmp_path / "other", RecordingReporter())


def test_progress_counts_every_image_also_those_left_out(tmp_path, tile_folder):
    (tile_folder / "0cut.png").write_bytes((tile_folder / "3.png").read_bytes()[:60])
    reporter = RecordingReporter()
    pack_tiles(settings(tmp_path, tile_folder), tmp_path / "run", reporter)
    assert reporter.of_kind("progress")[-1] == {"done": 6, "total": 6, "what": "tiles"}


def test_the_middle_square_of_a_picture_is_its_tile(tmp_path):
    pixels = np.zeros((20, 60, 3), np.uint8)
    pixels[:, 20:40] = (10, 200, 30)
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    Image.fromarray(pixels.transpose(1, 0, 2)).save(tmp_path / "high.png")
    for name in ("wide.png", "high.png"):
        whole, small = read_tile(tmp_path / name, None), read_tile(tmp_path / name, 8)
        assert (whole.shape, small.shape) == ((20, 20, 3), (8, 8, 3))
        assert (whole == (10, 200, 30)).all()
        assert (small == (10, 200, 30)).all()


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK"])
def test_pictures_of_any_colour_mode_become_rgb(tmp_path, mode):
    file = tmp_path / ("grey.tif" if mode == "CMYK" else "grey.png")
    Image.new("RGB", (16, 16), (120, 120, 120)).convert(mode, palette=Image.Palette.ADAPTIVE).save(file)
    tile = read_tile(file, 16)
    assert (tile.shape, tile.dtype) == ((16, 16, 3), np.uint8)
    assert np.abs(tile.astype(int) - 120).max() <= 3


def test_tissue_smaller_than_half_a_patch_is_told(tmp_path):
    pixels = np.full((900, 900, 3), 245, np.uint8)
    pixels[300:600, 300:600] = (190, 90, 160)
    Image.fromarray(pixels).save(tmp_path / "small.png")
    slide = open_slide(tmp_path / "small.png", mpp=1.0)
    assert len(random_tissue_positions(slide, 5, 112.0, seed=0)) == 5
    first, second = (random_tissue_positions(slide, 5, 112.0, seed=0, number=n) for n in (0, 1))
    assert not np.array_equal(first, second)  # two slides of one size are not cut at the same places
    with pytest.raises(InputError, match="no tissue as large as a patch of 800 um") as caught:
        random_tissue_positions(slide, 5, 800.0, seed=0)
    assert caught.value.hint == "leave it out"
