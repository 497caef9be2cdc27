"""The form of every task: equal to the defaults of its settings, and nothing is lost on the way through it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_origin

import pytest
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QApplication, QComboBox, QLabel

from napari_c2lst.common.errors import InputError
from napari_c2lst.common.settings import SettingInfo, default_preset
from napari_c2lst.jobs.tasks import TASKS
from napari_c2lst.plugin.forms.form import SettingsForm

NEEDED: dict[str, Any] = {
    "slide": Path("slide.zarr"), "out": Path("runs/x"), "name": "train", "local": Path("runs/local"),
    "predictor": Path("runs/predictor"), "run": Path("runs/central"),
}  # fmt: skip
ALL = pytest.mark.parametrize("task", list(TASKS))


@pytest.fixture
def form_of(qtbot: Any) -> Any:
    def make(task: str, **options: Any) -> SettingsForm:
        form = SettingsForm(TASKS[task].settings_class(), **options)
        qtbot.addWidget(form)
        return form

    return make


def needed(form: SettingsForm) -> dict[str, Any]:
    """A value for every field that has no default."""

    def value(info: SettingInfo) -> Any:
        one = NEEDED.get(info.name, Path("x"))
        kind = get_origin(info.annotation)
        return kind([one]) if kind in (tuple, list) else one

    return {info.name: value(info) for info in form.settings_class.fields_info() if info.required}


@ALL
def test_shows_the_defaults(form_of: Any, task: str) -> None:
    form = form_of(task)
    assert form.values() == form.preset_values()
    assert form.explicit() == {}
    form.set_values(needed(form))
    assert form.resolve() == form.settings_class.resolve(**needed(form))
    assert form.problems() == {}


@ALL
def test_every_preset(form_of: Any, task: str) -> None:
    form = form_of(task)
    form.set_values(needed(form))
    for preset in form.settings_class.presets:
        form.set_values({"preset": preset})
        assert form.resolve() == form.settings_class.resolve(**needed(form), preset=preset)
        assert form.preset_meaning == preset
    if form.settings_class.presets:
        form.set_values({"preset": "auto"})
        assert form.preset_meaning == default_preset("auto")
        assert form.resolve() == form.settings_class.resolve(**needed(form))


@ALL
def test_goes_through_unchanged(form_of: Any, task: str) -> None:
    form, other = form_of(task), form_of(task)
    form.set_values(needed(form))
    other.set_values(form.resolve().model_dump())
    assert other.resolve() == form.resolve()


@ALL
def test_every_field_has_a_label_a_tooltip_and_a_name(form_of: Any, task: str) -> None:
    form = form_of(task)
    for info in form.settings_class.fields_info():
        native = form.field(info.name).native
        assert "--" + info.name.replace("_", "-") in native.toolTip()
        assert native.accessibleName()
    labels = [label.text() for label in form.findChildren(QLabel)]
    assert not any("_" in label for label in labels)


@ALL
def test_fits_a_dock(form_of: Any, task: str) -> None:
    form = form_of(task)
    form._fold.setChecked(True)
    assert form.minimumSizeHint().width() <= 360


def test_explicit_holds_what_differs(form_of: Any) -> None:
    form = form_of("adapt")
    form.set_values({**needed(form), "preset": "small", "steps": 50, "ema": 0.98})
    assert form.explicit() == {"preset": "small", **needed(form), "steps": 50}


def test_another_preset_shows_its_values(form_of: Any) -> None:
    form = form_of("adapt")
    form.set_values({"preset": "small", "steps": 50, "genes": 100})
    form.set_values({"preset": "paper"})
    assert form.values()["steps"] == 10_000
    assert form.values()["genes"] == 100  # presets do not differ in it


def test_auto_follows_the_device(form_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("napari_c2lst.common.accelerator.cuda_devices", lambda: 1)
    form = form_of("adapt")
    assert form.preset_meaning == "paper"
    assert "paper" in form.findChild(QComboBox).currentText()
    form.set_values({"batch": 7, "accumulation": 3})
    form.set_values({"device": "cpu"})
    assert form.preset_meaning == "small"
    assert form.values()["steps"] == 300
    assert form.values()["accumulation"] == 3  # the user's own stays


def test_a_device_that_is_not_here(form_of: Any) -> None:
    form = form_of("adapt")
    form.set_values({**needed(form), "device": "cuda:99"})
    with pytest.raises(InputError, match="cuda:99"):
        form.resolve()


def test_all_faults_at_once_in_the_form_s_own_words(form_of: Any) -> None:
    form = form_of("sample")
    form.field("guidance").native.setText("strong")
    with pytest.raises(InputError) as caught:
        form.resolve()
    assert "'Local model' is missing" in caught.value.message
    assert "'Guidance' = 'strong'" in caught.value.message
    assert "form" in caught.value.hint


def test_hidden_fields_keep_their_values(form_of: Any) -> None:
    form = form_of("adapt")
    form.fix("slide", Path("a.zarr"))
    form.hide_fields("out", "mpp", "no such field")
    assert form.values()["slide"] == Path("a.zarr")
    assert form.field("slide").native.isHidden()
    form.show_fields("out")
    assert not form.field("out").native.isHidden()


def test_a_field_that_does_not_matter_is_as_if_untouched(form_of: Any) -> None:
    form = form_of("predict")
    form.set_values({"rasters": ["ERBB2"]})
    form.switch("rasters", False)
    assert form.values()["rasters"] == []
    assert "rasters" not in form.explicit()
    assert form.field("rasters").native.isHidden()
    form.switch("rasters", True)
    assert form.values()["rasters"] == ["ERBB2"]


def test_offered_choices(form_of: Any) -> None:
    form = form_of("adapt")
    form.offer("spots", [("first (3 spots)", "first"), ("train (71 spots)", "train")])
    assert form.values()["spots"] == "first"
    form.set_values({"spots": "train"})
    form.offer("spots", [("train (72 spots)", "train"), ("other", "other")])
    assert form.values()["spots"] == "train"
    form.offer("spots", [], "select spots first")
    assert form.values()["spots"] is None
    with pytest.raises(InputError):
        form.resolve()


def test_offered_lists(form_of: Any) -> None:
    form = form_of("evaluate")
    form.offer("predictors", [("one", Path("a")), ("two", Path("b"))])
    assert form.values()["predictors"] == []
    form.set_values({"predictors": ["b"]})
    assert form.values()["predictors"] == [Path("b")]
    form.offer("predictors", [("two", Path("b"))])
    assert form.values()["predictors"] == [Path("b")]


def test_what_differs_is_bold_and_what_is_wrong_is_said(form_of: Any) -> None:
    form = form_of("adapt")
    label = next(each for each in form.findChildren(QLabel) if each.text() == "Learning rate")
    form.set_values({"learning_rate": 0.5})
    assert label.font().bold()
    form.field("learning_rate").native.setText("-1")
    assert "out of bounds" in label.text()
    assert form.problems() == {"learning_rate": "this is out of bounds"}
    form.reset()
    assert label.text() == "Learning rate"
    assert not label.font().bold()


def test_tells_of_changes(form_of: Any, qtbot: Any) -> None:
    form = form_of("adapt")
    with qtbot.waitSignal(form.changed, timeout=1000):
        form.set_values({"steps": 7})


def test_advanced_fields_are_folded_away(form_of: Any) -> None:
    form = form_of("adapt")
    form.show()
    ema = form.field("ema").native
    assert not ema.isVisible()
    form._fold.click()
    assert ema.isVisible()


def test_order(form_of: Any) -> None:
    form = form_of("train", first=("out", "spots"))
    assert list(form._fields)[:3] == ["preset", "out", "spots"]


def test_scrolling_past_a_number_does_not_change_it(form_of: Any) -> None:
    form = form_of("adapt")
    form.show()
    steps = form.field("steps").native
    before = form.values()["steps"]
    steps.clearFocus()
    for kind in (Qt.KeyboardModifier.NoModifier,):
        event = QWheelEvent(
            QPointF(5, 5), QPointF(5, 5), QPoint(0, 120), QPoint(0, 120), Qt.MouseButton.NoButton, kind,
            Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        assert event.type() == QEvent.Type.Wheel
        QApplication.sendEvent(steps, event)
    assert form.values()["steps"] == before


def test_what_is_missing_says_what_to_do_first(form_of: Any) -> None:
    form = form_of("adapt")
    form.set_values(needed(form))
    form.offer("spots", [], "select spots first")
    with pytest.raises(InputError) as caught:
        form.resolve()
    assert (caught.value.message, caught.value.hint) == ("'Spots' is missing", "select spots first")
    form.offer("spots", [("train (3 spots)", "train")])
    assert form.resolve().spots == "train"


def test_a_list_that_does_not_matter_is_not_missed(form_of: Any) -> None:
    form = form_of("adapt")
    form.set_values(needed(form))
    form.offer("spots", [], "select spots first")
    form.switch("spots", False)
    assert form.resolve().spots == "train"  # the default, as if never touched


@pytest.mark.parametrize("text", ["inf", "nan", "1e999", "-1", "fast", "0"])
def test_no_odd_learning_rate_gets_through(form_of: Any, text: str) -> None:
    form = form_of("adapt")
    form.set_values(needed(form))
    form.field("learning_rate").native.setText(text)
    assert "learning_rate" in form.problems()
    with pytest.raises(InputError, match="'Learning rate' ="):
        form.resolve()


def test_other_values_than_the_shown_ones_are_checked_in_the_same_words(form_of: Any) -> None:
    form = form_of("adapt")
    assert form.resolve({**needed(form), "steps": 5}).steps == 5
    with pytest.raises(InputError, match="'Steps' = 'many'"):
        form.resolve({**needed(form), "steps": "many"})
    assert form.values()["steps"] != 5


def test_a_value_is_kept_when_its_field_becomes_a_list(form_of: Any) -> None:
    form = form_of("train")
    form.set_values({"synthetic": "runs/mine"})
    form.offer("synthetic", [("pairs", Path("runs/pairs"))], "none: real spots only", eager=True)
    assert form.values()["synthetic"] == Path("runs/mine")
    other = form_of("train")
    other.offer("synthetic", [("pairs", Path("runs/pairs"))], "none: real spots only", eager=True)
    assert other.values()["synthetic"] == Path("runs/pairs")


def test_a_hidden_field_that_is_switched_stays_hidden(form_of: Any) -> None:
    form = form_of("predict")
    form.hide_fields("rasters")
    form.switch("rasters", False)
    form.switch("rasters", True)
    assert form.field("rasters").native.isHidden()
    form.switch("rasters", False)
    form.show_fields("rasters")
    assert form.field("rasters").native.isHidden()  # it does not matter now
    form.switch("rasters", True)
    assert not form.field("rasters").native.isHidden()


def test_reset_leaves_what_the_panel_filled_in(form_of: Any) -> None:
    form = form_of("adapt")
    form.fix("slide", "a.zarr")
    form.set_values({"steps": 7, "preset": "small", "ema": 0.5})
    form.reset()
    assert form.values()["slide"] == Path("a.zarr")
    assert form.values()["preset"] == "small"
    assert form.explicit() == {"preset": "small", "slide": Path("a.zarr")}


def test_problems_of_fields_that_are_not_shown_are_nobody_s(form_of: Any) -> None:
    form = form_of("adapt")
    form.field("learning_rate").native.setText("x")
    form.hide_fields("learning_rate")
    assert form.problems() == {}


def test_without_advanced_fields_there_is_nothing_to_unfold(form_of: Any) -> None:
    form = form_of("adapt")
    form.show()
    assert form._fold.isVisible()
    form.hide_fields(*(info.name for info in form.settings_class.fields_info() if info.advanced))
    assert not form._fold.isVisible()


def test_a_change_of_several_values_keeps_the_user_s_own_under_another_preset(form_of: Any) -> None:
    form = form_of("adapt")
    form.set_values({"steps": 50, "preset": "small"})  # the preset is taken first, whatever the order
    assert form.values()["steps"] == 50
    assert form.explicit() == {"preset": "small", "steps": 50}


def test_a_device_that_cannot_be_leaves_the_values_alone(form_of: Any) -> None:
    form = form_of("adapt")
    before = form.values()
    form.field("device").native.setText("tpu")
    assert {**form.values(), "device": before["device"]} == before
    form.field("device").native.setText("cpu")
    assert form.preset_meaning == "small"


def test_fields_of_one_kind_keep_apart(form_of: Any) -> None:
    form = form_of("evaluate")
    form.offer("predictors", [("one", Path("a"))])
    form.offer("runs", [("two", "b")])
    form.field("predictors").native.item(0).setCheckState(Qt.CheckState.Checked)
    assert (form.values()["predictors"], form.values()["runs"]) == ([Path("a")], [])
    assert form.explicit() == {"predictors": [Path("a")]}
