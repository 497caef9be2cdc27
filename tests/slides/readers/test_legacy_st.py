from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.slides.inputs import cut, picture, write_png
from tests.slides.stores import make_tiny_legacy

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.readers.legacy_st import sections_in


@pytest.fixture
def legacy(tmp_path: Path) -> Path:
    """One section T1 of 36 spots on a 1k array, 5 um per pixel."""
    return make_tiny_legacy(tmp_path / "legacy")


def rewrite(path: Path, change, **options) -> None:
    frame = change(pd.read_csv(path, sep="\t", **options))
    frame.to_csv(path, sep="\t", index=bool(options))


def test_counts_and_spots_are_joined_by_name(legacy: Path) -> None:
    rewrite(legacy / "T1.tsv", lambda f: f.iloc[::-1], index_col=0)
    rewrite(legacy / "T1_selection.tsv", lambda f: f.sample(frac=1, random_state=0))
    slide = open_slide(legacy)
    assert slide.kind == "legacy ST (ST 1k array)"
    assert len(slide.spots) == 36
    assert slide.mpp == pytest.approx(5.0)
    assert slide.spots.diameter_um == 100
    frame = pd.read_csv(legacy / "T1.tsv", sep="\t", index_col=0)
    for i in (0, 17, 35):
        x, y = map(int, slide.spots.ids[i].split("x"))
        assert slide.spots.yx[i].tolist() == [40 * y, 40 * x]
        assert slide.spots.array_rc[i].tolist() == [y, x]
        assert slide.counts()[[i]].toarray()[0].tolist() == frame.loc[slide.spots.ids[i]].tolist()


def test_what_only_one_of_them_has_is_left_out_and_told(legacy: Path) -> None:
    rewrite(legacy / "T1.tsv", lambda f: f.iloc[2:], index_col=0)
    rewrite(legacy / "T1_selection.tsv", lambda f: f.assign(selected=[1] * 33 + [0] * 3))
    slide = open_slide(legacy)
    assert len(slide.spots) == 31
    assert "selected spots without counts are left out: 2" in slide.notes
    assert "3 rows of counts are not among the selected spots and are left out" in slide.notes


def test_zipped_counts_and_other_names_of_tables(legacy: Path) -> None:
    pd.read_csv(legacy / "T1.tsv", sep="\t", index_col=0).to_csv(legacy / "T1.tsv.gz", sep="\t")
    (legacy / "T1.tsv").unlink()
    (legacy / "T1_selection.tsv").rename(legacy / "alignment_table_T1.tsv")
    assert len(open_slide(legacy).spots) == 36
    assert list(sections_in(legacy)) == ["T1"]


def two_sections(legacy: Path) -> Path:
    for name in ("T1.tsv", "T1_selection.tsv", "T1_HE.jpg"):
        shutil.copy(legacy / name, legacy / name.replace("T1", "T2"))
    return legacy


def test_several_sections_in_a_folder(legacy: Path) -> None:
    two_sections(legacy)
    with pytest.raises(InputError, match=r"holds 2 sections: T1, T2 / open one: .*/T1"):
        open_slide(legacy)
    assert open_slide(legacy / "T2").name == "T2"
    assert open_slide(legacy / "T2.tsv").name == "T2"
    with pytest.raises(InputError, match="there is no"):
        open_slide(legacy / "T3")


def test_the_picture_of_a_section(legacy: Path, tmp_path: Path) -> None:
    write_png(legacy / "overview.png", picture(20, 20))
    assert open_slide(legacy).pyramid.shape == (360, 360), "the one that is named like the section"
    (legacy / "T1_HE.jpg").rename(legacy / "other.jpg")
    with pytest.raises(InputError, match=r"several pictures could be of section 'T1': other.jpg, overview.png"):
        open_slide(legacy)
    assert open_slide(legacy, image=legacy / "other.jpg").pyramid.shape == (360, 360)
    (legacy / "overview.png").unlink()
    assert open_slide(legacy).pyramid.shape == (360, 360), "the only one there"
    (legacy / "other.jpg").rename(tmp_path / "away.jpg")
    with pytest.raises(InputError, match=r"section 'T1' has no picture in .* / pass --image FILE"):
        open_slide(legacy)


def test_a_scaled_picture(legacy: Path) -> None:
    small = write_png(legacy.parent / "small.png", picture(180, 180))
    with pytest.raises(InputError, match="lie outside the image"):
        open_slide(legacy, image=small)
    slide = open_slide(legacy, image=small, image_scale=0.5)
    assert slide.mpp == pytest.approx(10)
    assert np.allclose(slide.spots.yx.max(axis=0), 7 * 40 / 2)


def test_names_that_do_not_match(legacy: Path) -> None:
    rewrite(legacy / "T1.tsv", lambda f: f.rename(index=lambda name: f"spot{name}"), index_col=0)
    with pytest.raises(InputError, match=r"no spot of the counts .* \(first: 'spot2x2'\) is among the spots of"):
        open_slide(legacy)


@pytest.mark.parametrize(
    ("file", "change", "text"),
    [
        ("T1_selection.tsv", lambda f: f.drop(columns=["pixel_x", "y"]), "lacks the columns y, pixel_x"),
        ("T1_selection.tsv", lambda f: pd.concat([f, f.iloc[:2]]), "names 2 spots twice, first '2x2'"),
        (
            "T1_selection.tsv",
            lambda f: f.assign(pixel_y=[np.nan] * 2 + [50.0] * 34),
            "2 spots of .* have no pixel position",
        ),
    ],
)
def test_damaged_tables_of_spots(legacy: Path, file: str, change, text: str) -> None:
    rewrite(legacy / file, change)
    with pytest.raises(InputError, match=text):
        open_slide(legacy)


def test_counts_that_are_no_numbers_or_nothing(legacy: Path) -> None:
    text = (legacy / "T1.tsv").read_text()
    (legacy / "T1.tsv").write_text(text.replace("\n2x2\t", "\n2x2\tmany", 1))
    with pytest.raises(InputError, match=r"T1.tsv' cannot be read: could not convert"):
        open_slide(legacy)
    (legacy / "T1.tsv").write_text(text.splitlines()[0])
    with pytest.raises(InputError, match=r"the counts .* are empty"):
        open_slide(legacy)


def test_cut_off_counts(legacy: Path) -> None:
    pd.read_csv(legacy / "T1.tsv", sep="\t", index_col=0).to_csv(legacy / "T1.tsv.gz", sep="\t")
    (legacy / "T1.tsv").unlink()
    cut(legacy / "T1.tsv.gz")
    with pytest.raises(InputError, match=r"T1.tsv.gz' cannot be read: .* / it may be cut off"):
        open_slide(legacy)


def test_counts_without_a_table_of_spots(legacy: Path) -> None:
    (legacy / "T1_selection.tsv").unlink()
    with pytest.raises(InputError, match=r"have no table of spots beside them / put one there: T1_selection.tsv"):
        open_slide(legacy / "T1.tsv")
    with pytest.raises(InputError, match="is not a slide"):
        open_slide(legacy)


def test_a_real_section_of_lower_resolution_than_its_table(shared: Path) -> None:
    section = shared / "her2st-a1-lowres"
    slide = open_slide(section, image_scale=2000 / 6954)
    assert len(slide.spots) == 346
    assert slide.mpp == pytest.approx(3.20, rel=0.01)


def test_pixel_positions_that_are_no_numbers(legacy: Path) -> None:
    rewrite(legacy / "T1_selection.tsv", lambda f: f.assign(pixel_x=["far left", *f["pixel_x"][1:]]))
    with pytest.raises(InputError, match=r"T1_selection\.tsv' cannot be read: .*'far left'"):
        open_slide(legacy)


def test_spots_that_were_not_selected_may_lack_positions(legacy: Path) -> None:
    rewrite(
        legacy / "T1_selection.tsv",
        lambda f: f.assign(selected=[0, *[1] * 35], pixel_x=["?", *f["pixel_x"][1:]]),
    )
    assert len(open_slide(legacy).spots) == 35


def test_a_section_of_one_spot(legacy: Path) -> None:
    rewrite(legacy / "T1_selection.tsv", lambda f: f.iloc[:1])
    slide = open_slide(legacy, mpp=5.0)
    assert slide.spots.ids.tolist() == ["2x2"]
    assert slide.spots.yx.tolist() == [[80.0, 80.0]]
    assert "35 rows of counts are not among the selected spots and are left out" in slide.notes
    assert open_slide(legacy).microns is None, "one spot says nothing of distances"


def test_names_of_sections_may_hold_blanks_dots_and_umlauts(legacy: Path) -> None:
    name = "Schnitt 1.2 ä"
    for file in sorted(legacy.iterdir()):
        file.rename(file.with_name(file.name.replace("T1", name)))
    write_png(legacy / "other.png", picture(20, 20))
    assert list(sections_in(legacy)) == [name]
    slide = open_slide(legacy / name)
    assert (slide.name, slide.pyramid.shape) == (name, (360, 360))


def test_no_spot_is_selected(legacy: Path) -> None:
    rewrite(legacy / "T1_selection.tsv", lambda f: f.assign(selected=0))
    with pytest.raises(InputError, match=r"no spot of the counts .* \(first: '2x2'\) is among .* \(first: 'none'\)"):
        open_slide(legacy)
