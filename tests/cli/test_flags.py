from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import click
import pytest
from click.testing import CliRunner
from pydantic import BaseModel

from napari_c2lst.cli import flags
from napari_c2lst.common import kinds
from napari_c2lst.common.settings import TaskSettings
from napari_c2lst.jobs.tasks import TASKS, Task

from .fakes import EveryKind, Several


def parse(cls: type[TaskSettings], *arguments: str) -> dict[str, Any]:
    """What a command line says explicitly."""
    seen: dict[str, Any] = {}

    def callback(**_: Any) -> None:
        seen.update(flags.explicit_values(click.get_current_context()))

    command = click.Command("x", params=flags.parameters(cls), callback=callback)
    outcome = CliRunner().invoke(command, list(arguments), standalone_mode=False)
    if outcome.exception:
        raise outcome.exception
    return seen


@pytest.mark.parametrize(
    ("arguments", "explicit"),
    [
        ([], {}),
        (["a.zarr"], {"slide": "a.zarr"}),
        (["--steps", "7"], {"steps": "7"}),
        (["--patch-um", "55.5"], {"patch_um": "55.5"}),
        (["--null"], {"null": True}),
        (["--no-polish"], {"polish": False}),
        (["--polish"], {"polish": True}),
        (["--sampler", "ddim"], {"sampler": "ddim"}),
        (["--stem", "2"], {"stem": 2}),
        (["--widths", "1,2, 3"], {"widths": ["1", "2", "3"]}),
        (["--widths", "1", "--widths", "2"], {"widths": ["1", "2"]}),
        (["--interval", "0.2,0.8"], {"interval": ["0.2", "0.8"]}),
        (["--genes", "ERBB2,CD24", "--genes", "EPCAM"], {"genes": ["ERBB2", "CD24", "EPCAM"]}),
        (["--genes", '"Carcinoma, invasive",Stroma'], {"genes": ["Carcinoma, invasive", "Stroma"]}),
        (["--genes", 'a, "b, c" ,d', "--genes", "it's 5\""], {"genes": ["a", "b, c", "d", "it's 5\""]}),
        (["--images", "a,b.tif", "--images", "c.tif"], {"images": ["a,b.tif", "c.tif"]}),
        (["--mpp", "none"], {"mpp": None}),
        (["--extra", '{"a": 1}'], {"extra": {"a": 1}}),
        (["--extra", "{a"], {"extra": "{a"}),
        (["--out", "run", "--resume", "never"], {"out": "run", "resume": "never"}),
    ],
)
def test_only_what_was_said(arguments: list[str], explicit: dict[str, Any]) -> None:
    assert parse(EveryKind, *arguments) == explicit


@pytest.mark.parametrize("texts", [["a"], ["a, b", "c"], ['say "x", twice', "d"], [" e"]])
def test_joined_texts_come_back(texts: list[str]) -> None:
    assert parse(EveryKind, "--genes", kinds.joined_texts(texts))["genes"] == [text.strip() for text in texts]


def test_every_kind_arrives_typed() -> None:
    explicit = parse(
        EveryKind,
        "a.zarr",
        *(
            "--out",
            "run",
            "--preset",
            "paper",
            "--steps",
            "7",
            "--stem",
            "4",
            "--widths",
            "1,2",
            "--interval",
            "0.1,0.9",
        ),
        *("--images", "a.tif", "--extra", '{"a": 1}', "--null", "--mpp", "0.5"),
    )
    settings = EveryKind.resolve(**explicit)
    assert settings.slide == Path("a.zarr")
    assert settings.steps == 7
    assert settings.stem == 4
    assert settings.widths == (1, 2)
    assert settings.interval == (0.1, 0.9)
    assert settings.images == (Path("a.tif"),)
    assert settings.extra == {"a": 1}
    assert settings.null is True
    assert settings.mpp == 0.5
    assert settings.scale == 3.0


def test_several_positional_values() -> None:
    assert parse(Several, "a", "b,c") == {"tiles": ["a", "b,c"]}
    assert parse(Several) == {}


def test_a_choice_that_is_not_there() -> None:
    with pytest.raises(click.UsageError, match="'ddpm' is not one of 'ddim', 'unipc'"):
        parse(EveryKind, "--sampler", "ddpm")


def help_text(name: str) -> str:
    return next(flags.help_of(f, EveryKind) for f in EveryKind.fields_info() if f.name == name)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("steps", "optimiser steps  [>= 1; default: 10000 (paper), 300 (small)]"),
        ("widths", "channels  [default: 64,128 (paper), 32,64 (small)]"),
        ("scale", "guidance scale  [>= 0, < 20; default: 3]"),
        ("patch_um", "side of a patch  [> 0; default: 112 um]"),
        ("mpp", "microns per pixel  [in um/px, > 0]"),
        ("null", "a learned null  [default: no]"),
        ("genes", "genes to draw"),
        ("slide", "the slide  [required]"),
        ("sampler", "how to sample  [default: unipc]"),
    ],
)
def test_help_has_bounds_unit_and_default(name: str, text: str) -> None:
    assert help_text(name) == text


def test_own_fields_come_before_common_ones() -> None:
    names = [f.name for f in flags.ordered_fields(EveryKind)]
    assert sorted(names) == sorted(f.name for f in EveryKind.fields_info())
    assert names.index("steps") < names.index("device")
    assert names[:2] == ["slide", "out"]  # places first; needed ones are never last


def test_metavars() -> None:
    shown = {p.name: p.make_metavar(click.Context(click.Command("x"))) for p in flags.parameters(EveryKind)}
    assert shown["slide"] == "SLIDE"
    assert shown["steps"] == "NUMBER"
    assert shown["widths"] == "NUMBER,NUMBER,..."
    assert shown["images"] == "PATH"
    assert shown["extra"] == "NAME=VALUE,..."
    assert shown["sampler"] == "[ddim|unipc]"


class Nested(BaseModel):
    a: int = 1


@pytest.mark.parametrize(
    ("annotation", "given", "value"),
    [
        (int | None, "NONE", None),
        (str, "none", "none"),
        (Literal["none", "a"], "none", "none"),
        (Literal["a"] | None, "none", None),
        (Annotated[int, "note"], "3", "3"),
        (list[str], ["a,b", "c"], ["a", "b", "c"]),
        (list, ["a"], ["a"]),
        (tuple[Literal[1, 2], ...], ["1,2"], [1, 2]),
        (Nested, '{"a": 2}', {"a": 2}),
        (int | str, "3", "3"),
        (bool, True, True),
        (int, ("1", "2"), "2"),
    ],
)
def test_values_of_kinds(annotation: Any, given: Any, value: Any) -> None:
    assert flags.value_of(annotation, given) == value


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (True, None, "yes"),
        (1e-4, None, "0.0001"),
        (None, "um", "none"),
        ((1, 2.5), "um", "1,2.5 um"),
        ("auto", None, "auto"),
    ],
)
def test_values_as_a_user_writes_them(value: Any, unit: str | None, text: str) -> None:
    assert flags.show_value(value, unit) == text


def one_value(field: Any) -> list[str]:
    """A command line that gives a field its own default."""
    kind = kinds.strip_optional(field.annotation)
    default = field.default
    if kind is bool:
        return [kinds.flag_name(field.name) if default else "--no-" + field.name.replace("_", "-")]
    if default is None or default in ((), [], {}, ""):
        return []
    items = default if isinstance(default, (list, tuple)) else [default]
    if kinds.is_sequence(kind):
        return [word for item in items for word in (kinds.flag_name(field.name), str(item))]
    return [kinds.flag_name(field.name), str(default)]


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS.keys())
def test_every_setting_of_every_task_survives_the_command_line(task: Task) -> None:
    cls = task.settings_class()
    places = [f for f in cls.fields_info() if f.positional]
    options = [f for f in cls.fields_info() if not f.positional]
    line = [f"value_{f.name}" for f in places if f.required]
    for field in options:
        line += [kinds.flag_name(field.name), "x"] if field.required else one_value(field)
    explicit = parse(cls, *line)
    if "preset" in cls.model_fields:
        explicit["preset"] = "paper"
    settings = cls.resolve(**explicit)
    for field in options:
        if not field.required and field.name != "preset":
            assert getattr(settings, field.name) == field.default, field.name


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS.keys())
def test_no_setting_hides_a_common_option(task: Task) -> None:
    taken = {"help", "json", "events", "show_settings", "version"}
    assert not taken & task.settings_class().model_fields.keys()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("where=grid", {"where": "grid"}),
        ("steps=300, learning_rate=1e-3", {"steps": 300, "learning_rate": 1e-3}),
        ("tta=true,name=a b", {"tta": True, "name": "a b"}),
        ('{"steps": 3, "genes": ["A", "B"]}', {"steps": 3, "genes": ["A", "B"]}),
        ("predictor=runs/a=b", {"predictor": "runs/a=b"}),
        ("nonsense", "nonsense"),
    ],
)
def test_settings_of_another_task_are_pairs_or_json(text: str, value: object) -> None:
    assert flags.value_of(dict[str, Any], text) == value
