from __future__ import annotations

import ast
import json
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

import napari_c2lst
from napari_c2lst.cli.main import program
from napari_c2lst.common.errors import InputError
from napari_c2lst.jobs.tasks import TASKS, get_task
from napari_c2lst.plugin.guide.steps import STEPS
from napari_c2lst.plugin.keeping import commands

# Of each task: only what it needs, and much more than that.
CASES: list[tuple[str, dict[str, Any]]] = [
    ("cells", {"slide": "a.zarr", "device": "cpu"}),
    ("info", {"slide": "a.zarr"}),
    ("info", {"slide": "a slide.zarr", "mpp": 0.5, "tissue": False}),
    ("convert", {"slide": "outs", "out": "it's here.zarr", "image": "full res.tif", "image_scale": 0.1}),
    ("select", {"slide": "a.zarr", "name": "train", "fraction": 0.25, "seed": 7, "split": "blocked"}),
    ("select", {"slide": "a.zarr", "name": "t", "column": "label", "equals": ("tumour", "in situ"), "replace": True}),
    ("select", {"slide": "a.zarr", "name": "t", "polygon": "$HOME/`x`.geojson", "polygon_class": ["-odd"]}),
    ("pretrain", {"tiles": ["one", "a,b", "c d"], "out": "runs/central", "preset": "small"}),
    ("adapt", {"slide": "a.zarr", "out": "-runs/local", "steps": 4, "preset": "small", "augment": False}),
    ("adapt", {"slide": "-a.zarr", "out": "r", "gene_list": "genes.txt", "learning_rate": 3e-5, "workers": 2}),
    ("sample", {"slide": "a.zarr", "local": "r", "out": "p", "sampler": "ddim", "steps": 250, "preset": "small"}),
    ("train", {"slide": "a.zarr", "out": "r", "preset": "small", "steps": None, "synthetic": "pairs"}),
    ("predict", {"slide": "a.zarr", "predictor": "r", "where": "both", "rasters": ["FASN", "GNAS"], "tta": True}),
    ("evaluate", {"slide": "a.zarr", "predictors": ["a", "b"], "genes_shown": ["FASN"], "figures": False}),
    ("evaluate", {"slide": "a.zarr", "rerun": True, "seeds": [3, 4], "splits": ["blocked"], "adapt": {"steps": 5}}),
]
IDS = [f"{task}-{i}" for i, (task, _) in enumerate(CASES)]


def shown_settings(line: str) -> dict[str, Any]:
    """What the command itself says that it would do, from the words a shell makes of the line."""
    words = shlex.split(line)
    assert words[0] == "c2lst"
    # flags go before a "--", behind which everything is a place
    done = CliRunner().invoke(program, [words[1], "--show-settings", *words[2:]], obj=words[1:], standalone_mode=False)
    assert done.exception is None, (line, done.output, done.exception)
    return dict(json.loads(done.output))


@pytest.mark.parametrize(("task", "values"), CASES, ids=IDS)
def test_the_command_has_the_same_settings(task: str, values: dict[str, Any]) -> None:
    wanted = get_task(task).settings_class().resolve(**values).model_dump(mode="json")
    assert shown_settings(commands.command_line(task, values)) == wanted


@pytest.mark.parametrize(("task", "values"), CASES, ids=IDS)
def test_all_settings_of_a_run_give_the_same_line(task: str, values: dict[str, Any]) -> None:
    """A run folder keeps every setting, resolved: the line is as short as from what the user had said."""
    cls = get_task(task).settings_class()
    resolved = cls.resolve(**values).model_dump(mode="json", exclude_none=True)
    line = commands.command_line(task, resolved)
    shown = shown_settings(line)
    # a setting that is none is not kept in a run folder: then the preset decides
    wanted = cls.resolve(**resolved).model_dump(mode="json")
    assert shown == wanted
    assert len(shlex.split(line)) <= len(shlex.split(commands.command_line(task, values))) + 2


@pytest.mark.parametrize(("task", "values"), CASES, ids=IDS)
def test_python_calls_with_the_same_settings(task: str, values: dict[str, Any], monkeypatch: Any) -> None:
    wanted = get_task(task).settings_class().resolve(**values)
    seen: list[Any] = []

    def run(self: Any, settings: Any, reporter: Any) -> Any:
        seen.append(settings)
        return SimpleNamespace(lines=lambda: ["done"])

    monkeypatch.setattr(type(get_task(task)), "run", run)
    snippet = commands.python_snippet(task, values)
    exec(compile(ast.parse(snippet), "snippet", "exec"), {})
    assert seen == [wanted]


def test_the_tasks_of_the_plugin_have_a_python_name() -> None:
    assert {step.task for step in STEPS if step.task} < {task for task, _ in CASES} <= set(TASKS)
    assert all(hasattr(napari_c2lst, task) for task, _ in CASES)


def test_only_what_differs_is_written() -> None:
    values = {"slide": "a.zarr", "out": "runs/local", "spots": "train", "seed": 0, "genes": 250}
    assert commands.command_line("adapt", values) == "c2lst adapt a.zarr --out runs/local"
    small = {**values, "preset": "small", "steps": 300, "accumulation": 1, "seed": 3}
    line = "c2lst adapt a.zarr --preset small --seed 3 --out runs/local"
    assert commands.command_line("adapt", small) == line


def test_a_shell_reads_the_line_as_it_is_meant(tmp_path: Path) -> None:
    name = 'it\'s $HOME; `rm` "quoted" & more.zarr'
    line = commands.command_line("info", {"slide": name})
    code = f"{shlex.quote(sys.executable)} -c 'import sys, json; print(json.dumps(sys.argv[1:]))' {line}"
    done = subprocess.run(["sh", "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == ["c2lst", "info", name]


def test_long_calls_are_broken() -> None:
    snippet = commands.python_snippet("adapt", {"slide": "a" * 50, "out": "b" * 50, "steps": 5})
    assert "    'aaa" in snippet
    assert snippet.count("\n") >= 7
    assert "c2lst.info('a.zarr')" in commands.python_snippet("info", {"slide": "a.zarr"})


@pytest.mark.parametrize(
    ("task", "values", "said"),
    [
        ("adopt", {}, "no task 'adopt'"),
        ("adapt", {"slide": "a", "out": "b", "stpes": 3}, "no setting 'stpes'"),
        ("adapt", {"slide": "a"}, "out is missing"),
        ("adapt", {"slide": "a", "out": "b", "steps": 0}, "steps = 0"),
    ],
)
def test_what_cannot_be_written(task: str, values: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        commands.command_line(task, values)


def test_a_gene_with_a_comma_stays_one_gene() -> None:
    values = {"slide": "a", "predictor": "b", "where": "grid", "rasters": ["a,b", "c"]}
    line = commands.command_line("predict", values)
    assert shown_settings(line) == get_task("predict").settings_class().resolve(**values).model_dump(mode="json")
    assert "rasters=['a,b', 'c']" in commands.python_snippet("predict", values)
