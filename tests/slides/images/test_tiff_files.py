from __future__ import annotations

import time
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from tests.slides.inputs import cut, picture, write_tiff

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.images import tiff_files
from napari_c2lst.slides.images.image_files import open_image
from napari_c2lst.slides.opening import open_slide


@pytest.fixture
def tiles(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The tiles that were read."""
    seen: list[int] = []
    read = tiff_files._LevelPixels._segment

    def counted(self: tiff_files._LevelPixels, index: int) -> np.ndarray | None:
        seen.append(index)
        return read(self, index)

    monkeypatch.setattr(tiff_files._LevelPixels, "_segment", counted)
    return seen


def test_only_the_tiles_asked_for_are_decoded(tmp_path: Path, tiles: list[int]) -> None:
    pixels = picture(300, 400)
    image = open_image(write_tiff(tmp_path / "a.tif", pixels, levels=3))
    assert [level.shape for level in image.pyramid.levels] == [(3, 300, 400), (3, 150, 200), (3, 75, 100)]
    assert image.pyramid.levels[0].chunksize == (3, 64, 64), "dask chunks are the tiles"
    assert tiles == []
    part = image.pyramid.levels[0][:, 60:130, 5:64].compute()
    assert np.array_equal(part, pixels[60:130, 5:64].transpose(2, 0, 1))
    assert sorted(tiles) == [0, 7, 14]
    assert np.array_equal(image.pyramid.levels[0].compute(), pixels.transpose(2, 0, 1))
    assert np.array_equal(image.pyramid.levels[2].compute(), pixels[::4, ::4].transpose(2, 0, 1))


@pytest.mark.parametrize(
    "options",
    [
        {"tile": 0, "rowsperstrip": 7},
        {"tile": 0, "rowsperstrip": 300},
        {"planarconfig": "separate"},
        {"compression": None},
        {"compression": "jpeg", "compressionargs": {"level": 100, "outcolorspace": "rgb"}, "photometric": "rgb"},
    ],
)
def test_layouts_of_tiff(tmp_path: Path, options: dict) -> None:
    pixels = picture(300, 400)
    data = pixels.transpose(2, 0, 1) if "planarconfig" in options else pixels
    path = write_tiff(tmp_path / "a.tif", data, **options)
    read = open_image(path).pyramid.levels[0].compute().transpose(1, 2, 0)
    difference = np.abs(read.astype(int) - pixels)
    assert difference.max() <= (40 if options.get("compression") == "jpeg" else 0)
    assert difference.mean() < 2


def test_grey_sixteen_bit_tiff(tmp_path: Path) -> None:
    pixels = (np.arange(64 * 80, dtype=np.uint16) * 12).reshape(64, 80)
    path = write_tiff(tmp_path / "a.tif", pixels, photometric="minisblack")
    read = open_image(path).pyramid.levels[0].compute()
    assert np.array_equal(read, np.stack([pixels >> 8] * 3))


@pytest.mark.parametrize(
    ("options", "mpp", "detail"),
    [
        ({"description": "Aperio\r\n46000x32914|AppMag = 20|MPP = 0.4990|Left = 25"}, 0.499, "Aperio MPP tag"),
        ({"resolution": (20000, 20000), "resolutionunit": "CENTIMETER"}, 0.5, "TIFF resolution tag"),
        ({"resolution": (50800, 50800), "resolutionunit": "INCH"}, 0.5, "TIFF resolution tag"),
        ({"resolution": (72, 72), "resolutionunit": "INCH"}, None, ""),
        ({"resolution": (300, 300), "resolutionunit": "INCH"}, None, ""),
        ({}, None, ""),
    ],
)
def test_microns_by_tags(tmp_path: Path, options: dict, mpp: float | None, detail: str) -> None:
    image = open_image(write_tiff(tmp_path / "a.tif", picture(), metadata=None, **options))
    assert image.mpp == (None if mpp is None else pytest.approx(mpp))
    assert image.mpp_detail == detail


@pytest.mark.parametrize(("size", "unit", "mpp"), [(0.25, "µm", 0.25), (250, "nm", 0.25), (3, "pixel", None)])
def test_microns_by_ome_tags(tmp_path: Path, size: float, unit: str, mpp: float | None) -> None:
    path = tmp_path / "a.ome.tif"
    metadata = {"axes": "YXS", "PhysicalSizeX": size, "PhysicalSizeXUnit": unit}
    tifffile.imwrite(path, picture(), tile=(64, 64), photometric="rgb", metadata=metadata)
    image = open_image(path)
    assert image.mpp == mpp
    assert image.pyramid.shape == (300, 400)


def test_ome_channels_in_pages_of_their_own(tmp_path: Path) -> None:
    """As Bio-Formats writes RGB, levels included."""
    path = tmp_path / "a.ome.tif"
    planes = picture().transpose(2, 0, 1)
    options = {"tile": (64, 64), "photometric": "minisblack"}
    with tifffile.TiffWriter(path, ome=True) as tiff:
        tiff.write(planes, subifds=1, metadata={"axes": "CYX"}, **options)
        tiff.write(planes[:, ::2, ::2], subfiletype=1, **options)
    pyramid = open_image(path).pyramid
    assert pyramid.downsample == [1, 2]
    assert np.array_equal(pyramid.levels[0].compute(), planes)
    assert np.array_equal(pyramid.levels[1][:, 20:99, 70:80].compute(), planes[:, 40:198:2, 140:160:2])


def test_ome_pyramid_in_subifds(tmp_path: Path) -> None:
    path = tmp_path / "a.ome.tif"
    pixels = picture()
    with tifffile.TiffWriter(path, ome=True) as tiff:
        tiff.write(pixels, subifds=1, tile=(64, 64), photometric="rgb", metadata={"axes": "YXS"})
        tiff.write(pixels[::2, ::2], subfiletype=1, tile=(64, 64), photometric="rgb")
    pyramid = open_image(path).pyramid
    assert pyramid.downsample == [1, 2]
    assert np.array_equal(pyramid.levels[1].compute(), pixels[::2, ::2].transpose(2, 0, 1))


@pytest.mark.parametrize("share", [0.02, 0.5, 0.98])
def test_a_cut_off_tiff_is_refused(tmp_path: Path, share: float, tiles: list[int]) -> None:
    path = cut(write_tiff(tmp_path / "a.tif", picture(), levels=2), share)
    with pytest.raises(InputError, match=r"is cut off|cannot be read"):
        open_image(path)
    assert tiles == []


def test_a_damaged_tile_is_told(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "a.tif", picture())
    with tifffile.TiffFile(path) as tiff:
        offset = tiff.pages[0].dataoffsets[3]
    data = bytearray(path.read_bytes())
    data[offset : offset + 40] = b"\x00" * 40
    path.write_bytes(data)
    image = open_image(path)
    with pytest.raises(InputError, match=r"tile 3 of the image .* cannot be decoded"):
        image.pyramid.levels[0].compute()


def test_stacks_are_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((4, 2, 64, 64, 3), np.uint8), photometric="rgb")
    with pytest.raises(InputError, match="axes"):
        open_image(tmp_path / "a.tif")


def test_not_a_tiff(tmp_path: Path) -> None:
    (tmp_path / "a.svs").write_text("not a TIFF at all")
    with pytest.raises(InputError, match="cannot be read"):
        open_image(tmp_path / "a.svs")


@pytest.mark.parametrize(
    ("name", "shape", "levels", "mpp"),
    [("CMU-1-Small-Region.svs", (2967, 2220), 1, 0.499), ("tcga-cr-7395-01a-01-ts1.svs", (3567, 4443), 2, None)],
)
def test_real_slides(shared: Path, name: str, shape: tuple, levels: int, mpp: float | None) -> None:
    path = shared / "hne-wsi" / name
    image = open_image(path)
    assert image.pyramid.shape == shape
    assert len(image.pyramid.levels) == levels
    assert image.mpp == mpp
    corner = image.pyramid.levels[0][:, -300:, -300:].compute()
    with tifffile.TiffFile(path) as tiff:
        assert np.array_equal(corner.transpose(1, 2, 0), tiff.series[0].asarray()[-300:, -300:])


def big_pyramid(path: Path, side: int = 40_000, tile: int = 512) -> Path:
    """A pyramid of so many pixels a side in a few kilobytes: every tile is one and the same."""
    one = zlib.compress(np.full((tile, tile, 3), 200, np.uint8).tobytes())

    def same(size: int):
        return (one for _ in range((-(-size // tile)) ** 2))

    with tifffile.TiffWriter(path, bigtiff=True) as tiff:
        sizes = [side // 2**level for level in range(7)]
        for level, size in enumerate(sizes):
            tiff.write(
                same(size),
                shape=(size, size, 3),
                dtype=np.uint8,
                tile=(tile, tile),
                photometric="rgb",
                compression="zlib",
                subifds=len(sizes) - 1 if level == 0 else 0,
                subfiletype=int(level > 0),
                metadata=None,
            )
    return path


def test_a_pyramid_of_forty_thousand_pixels_opens_in_three_seconds(tmp_path: Path, tiles: list[int]) -> None:
    import resource

    import spatialdata  # noqa: F401 - imports aside

    path = big_pyramid(tmp_path / "big.tif")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    slide = open_slide(path)
    # processor time: the tests may share their machine
    assert time.process_time() - start < 3
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000, "kilobytes"
    assert slide.pyramid.shape == (40_000, 40_000)
    assert len(slide.pyramid.levels) == 7
    assert tiles == [], "no pixel is decoded on opening"
    assert slide.pyramid.levels[0][:, 20_000:20_010, 39_990:].compute().tolist() == np.full((3, 10, 10), 200).tolist()
    assert len(tiles) == 1


@pytest.mark.parametrize(
    ("mode", "kind"), [("P", "PALETTE"), ("CMYK", "SEPARATED"), ("LAB", "CIELAB"), ("YCbCr", "YCBCR")]
)
def test_other_ways_to_store_colours_are_refused(tmp_path: Path, mode: str, kind: str) -> None:
    """They would be shown in wrong colours."""
    Image.fromarray(picture(40, 50)).convert(mode).save(tmp_path / "a.tif")
    with pytest.raises(InputError, match=rf"a\.tif' stores its colours as {kind}, not as RGB or grey / export it"):
        open_image(tmp_path / "a.tif")


def test_grey_with_white_as_zero_is_refused(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "a.tif", picture(64, 64)[..., 0], photometric="miniswhite")
    with pytest.raises(InputError, match="stores its colours as MINISWHITE"):
        open_image(path)


def test_the_colours_of_jpeg_are_rgb(tmp_path: Path) -> None:
    Image.fromarray(picture(80, 96)).save(tmp_path / "a.tif", compression="jpeg", quality=100)
    read = open_image(tmp_path / "a.tif").pyramid.levels[0].compute()
    assert np.abs(read.astype(int) - np.moveaxis(picture(80, 96), -1, 0)).mean() < 4


@pytest.mark.parametrize(
    ("type_", "alpha"), [(np.uint8, 255), (np.uint16, 0xFFFF), (np.uint8, 0)], ids=["opaque", "deep", "clear"]
)
def test_transparent_tiff(tmp_path: Path, type_: type, alpha: int) -> None:
    pixels = picture(64, 80).astype(type_) * (257 if type_ is np.uint16 else 1)
    four = np.dstack([pixels, np.full((64, 80), alpha, type_)])
    path = write_tiff(tmp_path / "a.tif", four, levels=2, extrasamples=["unassalpha"])
    wanted = np.moveaxis(picture(64, 80), -1, 0) if alpha else np.full((3, 64, 80), 255)
    levels = open_image(path).pyramid.levels
    assert np.array_equal(levels[0].compute(), wanted)
    assert np.array_equal(levels[1].compute(), wanted[:, ::2, ::2])


@pytest.mark.parametrize("size", ["-0.5", "nan", "inf", "0", "half", ""])
def test_sizes_of_pixels_that_cannot_be_are_passed_over(tmp_path: Path, size: str) -> None:
    ome = f'<OME><Image ID="Image:0"><Pixels PhysicalSizeX="{size}"/></Image></OME>'
    assert tiff_files._ome_microns(ome) is None
    image = open_image(write_tiff(tmp_path / "a.tif", picture(64, 64), description=f"Aperio|MPP = {size}|"))
    assert image.mpp is None


def test_a_broken_ome_header_does_not_keep_the_pixels_away(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "a.ome.tif", picture(64, 80), description="<OME><Image></OME>", metadata=None)
    image = open_image(path)
    assert (image.pyramid.shape, image.mpp) == ((64, 80), None)


def test_the_largest_picture_of_a_file_is_the_slide(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        for pixels in (picture(20, 20), picture(200, 300), picture(50, 400)):
            tiff.write(pixels, photometric="rgb", tile=(64, 64), metadata=None)
    assert open_image(tmp_path / "a.tif").pyramid.shape == (200, 300)
