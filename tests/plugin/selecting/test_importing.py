"""The dialog for shapes of a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDialog
from shapely.geometry import box

from napari_c2lst.common.errors import InputError
from napari_c2lst.plugin.selecting import importing
from napari_c2lst.plugin.selecting.importing import Answer, ImportDialog, RegionFile, ask_what_to_take, read_file
from napari_c2lst.slides.spots.geojson import Region

FILE = RegionFile(
    Path("q.geojson"),
    [Region(box(0, 0, 1, 1), label="Tumor"), Region(box(2, 0, 3, 1), label="Stroma"), Region(box(4, 0, 5, 1))],
)


def dialog(qtbot: Any, file: RegionFile = FILE, systems: list[str] | None = None) -> ImportDialog:
    made = ImportDialog(file, systems or [])
    qtbot.addWidget(made)
    return made


def tick(made: ImportDialog, *rows: int) -> None:
    for row in range(made.classes.count()):
        made.classes.item(row).setCheckState(Qt.CheckState.Checked if row in rows else Qt.CheckState.Unchecked)


def test_no_class_ticked_is_not_all_of_them(qtbot: Any) -> None:
    made = dialog(qtbot)
    assert made.ok.isEnabled()
    tick(made)
    assert not made.ok.isEnabled()
    tick(made, 1)
    assert made.ok.isEnabled()
    assert made.answer() == Answer(("Stroma",))


def test_shapes_without_a_class_come_with_all_classes_alone(qtbot: Any) -> None:
    assert FILE.classes == {"Tumor": 1, "Stroma": 1}
    made = dialog(qtbot)
    assert made.answer() == Answer()  # empty: nothing is sorted out
    tick(made, 0)
    assert made.answer() == Answer(("Tumor",))


def test_one_class_is_not_asked_about_but_the_coordinates_are(qtbot: Any) -> None:
    made = dialog(qtbot, RegionFile(Path("q"), FILE.regions[:1]), ["global", "aligned"])
    assert made.classes.isHidden()
    assert made.ok.isEnabled()
    assert [made.system.itemData(i) for i in range(made.system.count())] == [None, "global", "aligned"]
    made.system.setCurrentIndex(2)
    assert made.answer() == Answer((), "aligned")


def test_pixels_of_the_picture_come_first(qtbot: Any) -> None:
    """QuPath writes them; a coordinate system is the exception."""
    made = dialog(qtbot, FILE, ["global"])
    assert made.answer().system is None
    assert "QuPath" in made.system.currentText()


def test_who_goes_back_takes_nothing(qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "systems_of_slide", lambda slide: ["global"])
    slide: Any = object()
    for code, answer in ((QDialog.DialogCode.Rejected, None), (QDialog.DialogCode.Accepted, Answer())):
        monkeypatch.setattr(ImportDialog, "exec", lambda self, code=code: code)
        assert ask_what_to_take(None, slide, FILE) == answer  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not GeoJSON"),
        ("{}", "but not GeoJSON"),
        ('{"type": "FeatureCollection", "features": []}', "holds no polygon"),
        ('{"type": "Feature", "geometry": {"type": "Point", "coordinates": [1, 2]}}', "is a Point, not an area"),
        ('{"type": "Feature", "geometry": null}', "is empty"),
    ],
)
def test_files_that_hold_no_shape_are_refused_before_anything_is_asked(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "q.geojson"
    path.write_text(text)
    with pytest.raises(InputError, match=said):
        read_file(path)


def test_folders_and_files_that_are_not_there(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.geojson"):
        with pytest.raises(InputError):
            read_file(path)


def test_shapes_of_some_classes_go_by_name_where_they_have_no_class() -> None:
    file = RegionFile(Path("q"), [*FILE.regions, Region(box(6, 0, 7, 1), name="Tumor", label="Necrosis")])
    assert file.only(()) is file
    assert [region.label for region in file.only(("Tumor",)).regions] == ["Tumor", "Necrosis"]
    assert file.only(("Stroma",)).words == "1 shape (1 Stroma)"
    assert file.only(("Stroma",)).path == file.path
