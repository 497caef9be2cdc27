from __future__ import annotations

import json
import logging
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

import napari_c2lst
from napari_c2lst.cli import main as program
from napari_c2lst.cli.main import GROUPS, run
from napari_c2lst.common.errors import C2LError, DeviceMemoryError, InputError, Stopped
from napari_c2lst.common.reporter import Reporter
from napari_c2lst.common.results import TaskResult
from napari_c2lst.jobs.tasks import TASKS

from .fakes import EveryKind, FakeResult, Several, fake_task

Captured = pytest.CaptureFixture[str]


def test_the_console_script_settles_its_process_and_a_call_from_python_does_not(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    told: list[str] = []
    monkeypatch.setattr(program, "settle_process", lambda name: told.append(name + capsys.readouterr().out))
    monkeypatch.setattr(sys, "argv", ["c2lst", "cells", "--help"])
    assert run(["cells", "--help"]) == 0
    assert told == []
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        program.main()
    assert ended.value.code == 0
    assert told == ["cells"]  # once, before anything was said
    assert "Usage: c2lst cells" in capsys.readouterr().out


def test_the_console_script_without_a_task(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    told: list[str] = []
    monkeypatch.setattr(program, "settle_process", told.append)
    monkeypatch.setattr(sys, "argv", ["c2lst"])
    with pytest.raises(SystemExit):
        program.main()
    assert told == [""]
    assert "--help" in "".join(capsys.readouterr())


def test_help_lists_every_task(capsys: Captured) -> None:
    assert run(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(f"  {name} " in text for name in TASKS)
    assert "The slide:" in text
    in_order = [task.name for group in GROUPS for task in TASKS.values() if task.group == group]
    assert sorted(in_order, key=lambda name: text.index(f"\n  {name} ")) == in_order
    assert sorted(in_order) == sorted(TASKS)  # every task is in a part of the way


@pytest.mark.parametrize("name", TASKS)
def test_help_of_a_command(name: str, capsys: Captured) -> None:
    assert run([name, "--help"]) == 0
    text = capsys.readouterr().out
    assert f"Usage: c2lst {name} " in text
    assert TASKS[name].summary in " ".join(text.split())
    assert " ".join(TASKS[name].example.split()) in " ".join(text.split())
    assert "--show-settings" in text
    for field in TASKS[name].settings_class().fields_info():
        shown = field.name.upper() if field.positional else "--" + field.name.replace("_", "-")
        assert shown in text


def test_sections_of_help(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_task(monkeypatch, lambda s, r: FakeResult())
    run(["every", "-h"])
    text = capsys.readouterr().out
    order = [
        "What:",
        "SLIDE",
        "Needed:",
        "--out",
        "Settings:",
        "--steps",
        "--device",
        "Advanced settings:",
        "--stem",
        "Every command has:",
    ]
    places = [text.index(f"  {o}" if not o.endswith(":") else f"\n{o}") for o in order]
    assert places == sorted(places)
    assert "c2lst every slide.zarr --out run" in text


def test_version(capsys: Captured) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.split()[-1] == napari_c2lst.__version__


def test_a_run(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def work(settings: EveryKind, reporter: Reporter) -> TaskResult:
        seen.append(settings)
        reporter.message("working")
        return FakeResult(values={"steps": settings.steps})

    fake_task(monkeypatch, work)
    assert run(["every", "s.zarr", "--out", "r", "--preset", "small", "--seed", "3"]) == 0
    out, err = capsys.readouterr()
    assert out == "all done\n"
    assert err == "working\n"
    assert (seen[0].slide, seen[0].steps, seen[0].seed) == (Path("s.zarr"), 300, 3)
    assert run(["every", "s.zarr", "--out", "r", "--preset", "paper", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == {"values": {"steps": 10_000}}
    assert err == "working\n"


def test_show_settings_runs_nothing(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_task(monkeypatch, lambda s, r: pytest.fail("it ran"))
    assert run(["every", "s.zarr", "--out", "r", "--preset", "small", "--widths", "8,16", "--show-settings"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["steps"] == 300
    assert shown["widths"] == [8, 16]
    assert EveryKind(**shown) == EveryKind.resolve(slide="s.zarr", out="r", preset="small", widths=[8, 16])


@pytest.mark.parametrize(
    ("error", "code", "lines"),
    [
        (InputError("no such slide: 'x'", "check the path"), 2, ["error: no such slide: 'x'", "hint: check the path"]),
        (DeviceMemoryError("too small", "use --device cpu"), 1, ["error: too small", "hint: use --device cpu"]),
        (C2LError("it broke"), 1, ["error: it broke"]),
        (KeyboardInterrupt(), 130, ["error: stopped at once; the last checkpoint, if there is one, is whole"]),
        (RuntimeError("boom"), 1, ["error: RuntimeError: boom"]),
        (MemoryError("x"), 1, ["error: memory ran out: x"]),
    ],
)
def test_errors(
    error: BaseException, code: int, lines: list[str], capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(settings: Any, reporter: Reporter) -> TaskResult:
        raise error

    fake_task(monkeypatch, work)
    assert run(["every", "s", "--out", "r", "--preset", "small"]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.strip().splitlines()[: len(lines)] == lines  # click ends the line that ^C stands on
    assert "Traceback" not in err


def test_a_command_without_checkpoints_speaks_of_none(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    def work(settings: Any, reporter: Reporter) -> TaskResult:
        raise KeyboardInterrupt

    fake_task(monkeypatch, work, Several, "several")
    assert run(["several", "tiles"]) == 130
    said = capsys.readouterr().err.strip()
    assert said == "error: stopped at once; nothing half-written takes the place of a result"


def test_debug_shows_the_traceback(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_task(monkeypatch, lambda s, r: 1 / 0)  # type: ignore[arg-type,return-value]
    monkeypatch.setenv("C2LST_DEBUG", "1")
    assert run(["every", "s", "--out", "r", "--preset", "small"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_a_stop_says_how_to_go_on(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    def work(settings: Any, reporter: Reporter) -> TaskResult:
        raise Stopped("stopped at step 12", "go on", Path("r"))

    fake_task(monkeypatch, work)
    arguments = ["every", "a slide.zarr", "--out", "r", "--preset", "small", "--resume", "never"]
    assert run(arguments) == 130
    assert capsys.readouterr().err.splitlines() == [
        "error: stopped at step 12",
        "hint: to go on: c2lst every 'a slide.zarr' --out r --preset small --resume auto",
    ]


@pytest.mark.parametrize(
    ("arguments", "words", "hint"),
    [
        (["adpt"], "there is no command 'adpt'", "c2lst adapt"),
        (["xyzzy"], "there is no command 'xyzzy'", "c2lst --help"),
        (["--nonsense"], "no such option", "c2lst --help"),
        (["every"], "needs --out, SLIDE", "for example: c2lst every slide.zarr --out run"),
        (["every", "s", "--out", "r", "--colour", "red"], "no such option", "c2lst every --help"),
        (["every", "s", "--out", "r", "--sampler", "x"], "invalid value for '--sampler'", "c2lst every --help"),
        (["every", "s", "t", "--out", "r"], "unexpected extra argument", "c2lst every --help"),
        (["every", "s", "--out", "r", "--steps", "0", "--scale", "x"], "steps = '0'", "c2lst every --help"),
        (["every", "s", "--out", "r", "--preset", "small", "--scale", "nan"], "scale", "c2lst every --help"),
    ],
)
def test_what_cannot_be_used(
    arguments: list[str], words: str, hint: str, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_task(monkeypatch, lambda s, r: pytest.fail("it ran"))
    assert run(arguments) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("error: ")
    assert words in lines[0]
    assert lines[1].startswith("hint: ")
    assert hint in lines[1]


def test_several_faults_come_together(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_task(monkeypatch, lambda s, r: FakeResult())
    run(["every", "s", "--out", "r", "--preset", "small", "--steps", "0", "--scale", "x"])
    text = capsys.readouterr().err
    assert "steps" in text
    assert "scale" in text


def test_libraries_are_quiet_and_left_as_they_were(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    def work(settings: Any, reporter: Reporter) -> TaskResult:
        warnings.warn("a library's warning", stacklevel=1)
        logging.getLogger("zarr").warning("a library's log line")
        return FakeResult()

    fake_task(monkeypatch, work)
    filters, disabled = list(warnings.filters), logging.root.manager.disable
    run(["every", "s", "--out", "r", "--preset", "small"])
    assert "library" not in capsys.readouterr().err
    assert list(warnings.filters) == filters
    assert logging.root.manager.disable == disabled


def python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


HEAVY = (
    "{'torch', 'spatialdata', 'napari', 'qtpy', 'PyQt6', 'numpy', 'pandas', 'diffusers', 'matplotlib', 'zarr', 'dask'}"
)


def test_importing_the_package_is_light() -> None:
    assert python(f"import sys, napari_c2lst; print(sorted({HEAVY} & sys.modules.keys()))").strip() == "[]"


def test_help_is_light() -> None:
    code = (
        "import sys, io, contextlib\n"
        "from napari_c2lst.cli.main import run\n"
        "with contextlib.redirect_stdout(io.StringIO()): code = run(['--help'])\n"
        f"print(code, sorted({HEAVY} & sys.modules.keys()))\n"
    )
    assert python(code).strip() == "0 []"


def test_events_on_the_command_line() -> None:
    """The same protocol as a child process, for programs that would rather build a command line."""
    done = subprocess.run(
        [sys.executable, "-m", "napari_c2lst.cli.main", "info", "no/such/slide.zarr", "--events", "json"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 2
    assert [e["event"] for e in events] == ["started", "failed"]
    assert events[-1]["fault"] == "input"
    assert "no/such/slide.zarr" in events[-1]["message"]


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = f"{sys.executable} -m napari_c2lst.cli.main --help | head -n 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0"
    assert done.stderr == ""
