from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

from napari_c2lst.evaluation.figures.style import (
    Tissue,
    add_discs,
    add_scale_bar,
    add_tissue,
    add_title,
    drawn,
    new_figure,
    save,
)


def test_png_and_svg_are_written_and_nothing_else(tmp_path: Path) -> None:
    figure = new_figure(3, 2)
    figure.add_subplot().plot([0, 1])
    files = save(figure, tmp_path / "figures", "plot")
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == ["plot.png", "plot.svg"]
    assert Image.open(files.png).size == (450, 300)
    assert files.svg.read_text().startswith("<?xml")


def test_the_same_figure_gives_the_same_file(tmp_path: Path) -> None:
    for name in ("a", "b"):
        figure = new_figure(2, 2)
        figure.add_subplot().plot([0, 1])
        save(figure, tmp_path, name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_the_style_stays_inside() -> None:
    before = mpl.rcParams["legend.frameon"]
    inside = drawn(lambda: mpl.rcParams["legend.frameon"])
    assert inside() is False
    assert mpl.rcParams["legend.frameon"] == before


def test_a_long_title_takes_more_lines_in_a_narrow_figure() -> None:
    narrow, wide = new_figure(3, 2), new_figure(8, 2)
    for figure in (narrow, wide):
        add_title(figure, "Mean of each gene over held-out spots, measured and predicted")
    assert (narrow.get_suptitle().count("\n"), wide.get_suptitle().count("\n")) == (1, 0)


def test_no_figure_stays_in_pyplot() -> None:
    import matplotlib.pyplot as plt

    new_figure(1, 1)
    assert plt.get_fignums() == []


def test_tissue_is_cropped_to_the_spots_and_lies_where_it_belongs() -> None:
    image = np.zeros((100, 200, 3), np.uint8)
    image[40:50, 120:130] = 255  # a white square at y 400 to 500 um, x 1200 to 1300 um
    axes = new_figure(3, 3).add_subplot()
    add_tissue(axes, Tissue(image, 10.0), np.array([[450.0, 1250.0]]), margin_um=100)
    shown = axes.images[0]
    left, right, bottom, top = shown.get_extent()
    assert (left, right, top, bottom) == (1150, 1350, 350, 550)
    array = np.asarray(shown.get_array())
    assert array.shape == (20, 20, 3)
    assert (array[5:15, 5:15] == 255).all()
    assert axes.get_xlim() == (1150, 1350)
    assert axes.get_ylim() == (550, 350)  # rows run downwards


def test_spots_at_the_edge_of_the_image_are_no_problem() -> None:
    axes = new_figure(3, 3).add_subplot()
    add_tissue(axes, Tissue(np.zeros((10, 10, 3), np.uint8), 10.0), np.array([[0.0, 0.0], [99.0, 99.0]]), margin_um=50)
    assert axes.images[0].get_extent() == [0.0, 100.0, 100.0, 0.0]


def test_fading_makes_the_ground_pale_and_grey() -> None:
    axes = new_figure(3, 3).add_subplot()
    tissue = Tissue(np.full((10, 10, 3), (200, 0, 100), np.uint8), 10.0)
    add_tissue(axes, tissue, np.array([[50.0, 50.0]]), margin_um=50, fade=0.5)
    pixel = np.asarray(axes.images[0].get_array())[0, 0]
    assert pixel.tolist() == [177, 177, 177]  # half of the grey level 100, half white


def test_discs_have_their_true_size() -> None:
    axes = new_figure(3, 3).add_subplot()
    discs = add_discs(axes, np.array([[100.0, 300.0]]), 50.0)
    box = discs.get_paths()[0].get_extents()
    np.testing.assert_allclose([box.x0, box.x1, box.y0, box.y1], [275, 325, 75, 125])


@pytest.mark.parametrize(("width", "text"), [(900, "200 µm"), (5000, "1 mm"), (150, "20 µm")])
def test_the_scale_bar_has_a_round_length(width: float, text: str) -> None:
    axes = new_figure(3, 3).add_subplot()
    axes.set_xlim(0, width)
    add_scale_bar(axes, width)
    x = axes.lines[0].get_xdata()
    length = float(text.split()[0]) * (1000 if "mm" in text else 1)
    assert x[1] - x[0] == length
    assert axes.texts[0].get_text() == text


def test_a_view_narrower_than_any_round_length_has_the_shortest_bar() -> None:
    axes = new_figure(3, 3).add_subplot()
    axes.set_xlim(0, 20)
    add_scale_bar(axes, 20)
    assert axes.texts[0].get_text() == "10 µm"


def test_the_scale_bar_begins_at_the_left_also_where_the_axis_is_turned() -> None:
    axes = new_figure(3, 3).add_subplot()
    axes.set_xlim(1000, 0)
    add_scale_bar(axes, 1000)
    assert axes.lines[0].get_xdata()[0] == 0


def test_without_a_picture_the_spots_stand_alone() -> None:
    axes = new_figure(3, 3).add_subplot()
    add_tissue(axes, None, np.array([[100.0, 200.0], [300.0, 250.0]]), margin_um=10)
    assert len(axes.images) == 0
    assert (axes.get_xlim(), axes.get_ylim()) == ((190, 260), (310, 90))
    assert not any(spine.get_visible() for spine in axes.spines.values())


def test_an_unfaded_picture_is_the_picture() -> None:
    image = np.random.default_rng(0).integers(0, 255, (10, 10, 3), dtype=np.uint8)
    axes = new_figure(3, 3).add_subplot()
    add_tissue(axes, Tissue(image, 10.0), np.array([[50.0, 50.0]]), margin_um=50)
    np.testing.assert_array_equal(np.asarray(axes.images[0].get_array()), image)


def test_a_figure_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    figure = new_figure(2, 2)
    figure.add_subplot().plot([0, 1])
    files = save(figure, tmp_path, "plot")
    before = files.png.read_bytes()

    def half(path: Path, **_: object) -> None:
        Path(path).write_bytes(b"half a picture")
        raise OSError("no space left")

    broken = new_figure(2, 2)
    broken.savefig = half  # type: ignore[method-assign,assignment]
    with pytest.raises(OSError, match="no space left"):
        save(broken, tmp_path, "plot")
    assert files.png.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["plot.png", "plot.svg"]


def test_tissue_beside_the_spots_is_not_drawn_over_them() -> None:
    axes = new_figure(3, 3).add_subplot()
    tissue = Tissue(np.full((10, 10, 3), 7, np.uint8), 10.0)
    add_tissue(axes, tissue, np.array([[20.0, 30.0], [60.0, 70.0]]), margin_um=10.0)
    assert axes.get_xlim() == (20, 80)
    assert axes.get_ylim() == (70, 10)  # rows run downwards


def test_names_of_figures_are_kept_apart(tmp_path: Path) -> None:
    first, second = (save(new_figure(1, 1), tmp_path, name) for name in ("a", "b"))
    assert len({first.png, first.svg, second.png, second.svg}) == 4
    assert all(path.exists() for files in (first, second) for path in (files.png, files.svg))


@pytest.mark.parametrize("text", ["", "X", "Ein-sehr-langes-Wort-ohne-eine-einzige-Lücke-über-die-ganze-Breite-hinaus"])
def test_titles_of_any_length_keep_all_their_letters(text: str) -> None:
    figure = new_figure(2, 2)
    add_title(figure, text)
    assert figure.get_suptitle().replace("\n", "") == text


def test_one_spot_in_the_far_corner_of_the_picture() -> None:
    axes = new_figure(3, 3).add_subplot()
    add_tissue(axes, Tissue(np.full((10, 12, 3), 7, np.uint8), 10.0), np.array([[100.0, 120.0]]), margin_um=30)
    assert axes.images[0].get_extent() == [90, 120, 100, 70]  # only where there is a picture
    assert (axes.get_xlim(), axes.get_ylim()) == ((90, 150), (130, 70))


def test_a_spot_far_from_the_picture_is_shown_without_it(tmp_path: Path) -> None:
    figure = new_figure(2, 2)
    axes = figure.add_subplot()
    add_tissue(axes, Tissue(np.zeros((10, 10, 3), np.uint8), 10.0), np.array([[900.0, 900.0]]), margin_um=30)
    assert axes.get_xlim() == (870, 930)
    assert save(figure, tmp_path, "far").png.stat().st_size > 0


def test_fully_faded_is_white_and_the_picture_itself_stays() -> None:
    image = np.full((10, 10, 3), (200, 0, 100), np.uint8)
    axes = new_figure(3, 3).add_subplot()
    add_tissue(axes, Tissue(image, 10.0), np.array([[50.0, 50.0]]), margin_um=50, fade=1.0)
    assert (np.asarray(axes.images[0].get_array()) == 255).all()
    assert (image == (200, 0, 100)).all()


def test_no_spots_have_no_discs_and_a_style_is_passed_on() -> None:
    axes = new_figure(3, 3).add_subplot()
    assert len(add_discs(axes, np.empty((0, 2)), 50.0).get_paths()) == 0
    discs = add_discs(axes, np.array([[0.0, 0.0], [9.0, 9.0]]), 4.0, facecolor="#0072B2", alpha=0.5)
    assert discs.get_alpha() == 0.5
    assert len(discs.get_paths()) == 2


@pytest.mark.parametrize("name", ["Figur 1 ä", "a.b"])
def test_names_of_figures_may_hold_blanks_and_dots(tmp_path: Path, name: str) -> None:
    files = save(new_figure(1, 1), tmp_path / "neu", name)
    assert sorted(p.name for p in (tmp_path / "neu").iterdir()) == sorted([f"{name}.png", f"{name}.svg"])
    assert files.png.parent == tmp_path / "neu"
