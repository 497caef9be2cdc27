from pathlib import Path
from typing import Any, ClassVar, Self

import pytest
from pydantic import ValidationError, model_validator

from napari_c2lst.common.errors import InputError
from napari_c2lst.common.settings import DeviceSettings, RunSettings, TaskSettings, default_preset, setting


class Example(RunSettings):
    task: ClassVar[str] = "example"
    presets: ClassVar[Any] = {"paper": {}, "small": {"steps": 300}}

    slide: Path = setting(help="the slide", positional=True)
    steps: int = setting(10_000, help="optimiser steps", ge=1)
    patch_um: float = setting(112.0, help="side", unit="um", gt=0, advanced=True)


def test_field_defaults_are_the_papers():
    assert Example(slide="a", out="b").steps == 10_000


def test_a_preset_fills_what_was_not_given():
    assert Example.resolve(slide="a", out="b", preset="small").steps == 300
    assert Example.resolve(slide="a", out="b", preset="paper").steps == 10_000


def test_an_explicit_value_wins_over_the_preset():
    assert Example.resolve(slide="a", out="b", preset="small", steps=7).steps == 7


def test_auto_becomes_small_on_a_cpu_and_is_written_down():
    assert default_preset("cpu") == "small"
    assert Example.resolve(slide="a", out="b", device="cpu").preset == "small"


def test_every_fault_is_named_at_once():
    with pytest.raises(InputError) as caught:
        Example.resolve(out="b", preset="small", steps=0, stepz=3)
    assert "slide is missing" in caught.value.message
    assert "steps = 0" in caught.value.message
    assert "greater than or equal to 1" in caught.value.message
    assert "'stepz'" in caught.value.message
    assert caught.value.hint == "see 'c2lst example --help'"


def test_settings_cannot_be_changed_later():
    settings = Example(slide="a", out="b")
    with pytest.raises(ValidationError):
        settings.steps = 3


def test_fields_info_tells_what_a_form_needs():
    rows = {row.name: row for row in Example.fields_info()}
    assert rows["slide"].required
    assert rows["slide"].positional
    assert rows["patch_um"].unit == "um"
    assert rows["patch_um"].advanced
    assert rows["patch_um"].bounds == {"gt": 0}
    assert rows["patch_um"].default == 112.0
    assert rows["steps"].bounds == {"ge": 1}
    assert rows["steps"].help == "optimiser steps"
    assert not rows["steps"].advanced


def test_a_task_without_presets_has_no_preset_field():
    class Plain(TaskSettings):
        n: int = setting(1, help="n")

    assert Plain.resolve(n=2).n == 2


def test_device_settings_carry_their_defaults():
    settings = DeviceSettings.resolve(device="cpu")
    assert (settings.device, settings.precision, settings.seed, settings.workers) == ("cpu", "auto", 0, None)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"preset": "large"}, "preset = 'large'"),
        ({"seed": -1}, "seed = -1: input should be greater than or equal to 0"),
        ({"precision": "fp16"}, "precision = 'fp16'"),
        ({"workers": 0}, "workers = 0"),
        ({"steps": "many"}, "steps = 'many'"),
        ({"patch_um": 0}, "patch_um = 0: input should be greater than 0"),
        ({"steps": 1.5}, "steps = 1.5"),
    ],
)
def test_a_bad_value_is_named_with_what_is_wrong(values: dict[str, Any], said: str):
    with pytest.raises(InputError) as caught:
        Example.resolve(**{"slide": "a", "out": "b", "device": "cpu", **values})
    assert said in caught.value.message
    assert "\n" not in caught.value.message


def test_texts_of_a_command_line_become_values():
    settings = Example.resolve(slide="a", out="b", device="cpu", steps="7", patch_um="56.5", seed="3")
    assert (settings.slide, settings.steps, settings.patch_um, settings.seed) == (Path("a"), 7, 56.5, 3)


def test_settings_survive_json():
    settings = Example.resolve(slide="a", out="b", device="cpu", workers=2)
    assert Example.model_validate_json(settings.model_dump_json()) == settings
    assert Example.resolve(**settings.model_dump(exclude={"preset"}), preset="small") == settings


def test_a_rule_between_settings_is_said_in_its_own_words():
    class Ordered(TaskSettings):
        low: int = setting(0, help="low")
        high: int = setting(1, help="high")

        @model_validator(mode="after")
        def _in_order(self) -> Self:
            if self.low > self.high:
                raise ValueError("Low is above high")
            return self

    with pytest.raises(InputError) as caught:
        Ordered.resolve(low=3)
    assert caught.value.message == "low is above high"  # without all the settings that were given
    assert caught.value.hint == ""  # of no task


def test_resolving_leaves_the_presets_as_they_are():
    before = {name: dict(values) for name, values in Example.presets.items()}
    Example.resolve(slide="a", out="b", preset="small", steps=5)
    assert Example.presets == before


def test_fields_come_in_the_order_of_their_classes():
    names = [row.name for row in Example.fields_info()]
    assert names == ["preset", "device", "precision", "seed", "workers", "out", "resume", "slide", "steps", "patch_um"]
    assert [row.name for row in Example.fields_info() if row.required] == ["out", "slide"]
