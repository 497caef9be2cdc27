"""Contact sheets: every patch whole, in its place, on white."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from napari_c2lst.diffusion.previews import contact_sheet, write_sheet


def numbered(count: int, px: int = 4) -> np.ndarray:
    """Patches of one grey each: 10, 20, 30, ..."""
    return np.stack([np.full((px, px, 3), 10 * (i + 1), np.uint8) for i in range(count)])


def test_patches_lie_row_by_row_with_a_white_gap() -> None:
    sheet = contact_sheet(numbered(5), columns=3)
    assert sheet.shape == (2 * 4 + 2, 3 * 4 + 2 * 2, 3)
    corners = [sheet[top, left, 0] for top in (0, 6) for left in (0, 6, 12)]
    assert corners == [10, 20, 30, 40, 50, 255]  # the place that is left over is white
    assert (sheet[4:6] == 255).all()
    assert (sheet[:, 4:6] == 255).all()


def test_a_gap_of_nothing_and_a_single_column() -> None:
    sheet = contact_sheet(numbered(3), columns=1, gap=0)
    assert sheet.shape == (12, 4, 3)
    np.testing.assert_array_equal(sheet, np.concatenate(numbered(3)))


def test_zoom_repeats_pixels() -> None:
    patches = np.random.default_rng(0).integers(0, 255, (2, 4, 4, 3), dtype=np.uint8)
    small, large = contact_sheet(patches, 2), contact_sheet(patches, 2, zoom=3)
    assert large.shape == (12, 30, 3)
    np.testing.assert_array_equal(large[1::3, 1::3], small)
    np.testing.assert_array_equal(large[0::3, 2::3], small)


def test_a_sheet_is_written_without_loss(tmp_path: Path) -> None:
    path = tmp_path / "previews" / "step_1.png"
    write_sheet(numbered(4), path, columns=2, zoom=1)
    np.testing.assert_array_equal(np.asarray(Image.open(path)), contact_sheet(numbered(4), 2))
    assert [p.name for p in path.parent.iterdir()] == ["step_1.png"]


def test_a_sheet_that_cannot_be_written_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "sheet.png"
    write_sheet(numbered(2), path, columns=2)
    before = path.read_bytes()

    def half(_self: Image.Image, file: Path, **_: object) -> None:
        Path(file).write_bytes(b"half")
        raise RuntimeError("broken")

    monkeypatch.setattr(Image.Image, "save", half)
    with pytest.raises(RuntimeError, match="broken"):
        write_sheet(numbered(3), path, columns=2)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["sheet.png"]
