"""The files around the package say the same as the package."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

import napari_c2lst
from napari_c2lst.jobs.tasks import TASKS


@pytest.fixture(scope="module")
def project(root: Path) -> dict[str, Any]:
    return tomllib.loads((root / "pyproject.toml").read_text())


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=!~; ]", line, maxsplit=1)[0].lower().replace("_", "-") for line in requirements}


def pinned(root: Path) -> set[str]:
    lines = (root / "constraints.txt").read_text().splitlines()
    return names([line for line in lines if line and not line.startswith("#")])


def test_every_requirement_has_a_constraint(root: Path, project: dict[str, Any]) -> None:
    wanted = names(project["project"]["dependencies"])
    for extra in project["project"]["optional-dependencies"].values():
        wanted |= names(extra)
    assert wanted - pinned(root) == set()


def test_constraints_pin_exact_versions_without_local_labels(root: Path) -> None:
    lines = [x for x in (root / "constraints.txt").read_text().splitlines() if x and not x.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9_.\-]+==[A-Za-z0-9_.]+", line) for line in lines)
    assert "torch==2.13.0" in lines


def test_what_breaks_diffusers_is_nowhere(root: Path, project: dict[str, Any]) -> None:
    everything = names(project["project"]["dependencies"]) | pinned(root)
    for extra in project["project"]["optional-dependencies"].values():
        everything |= names(extra)
    assert not everything & {"torchvision", "timm", "torchaudio"}


def test_the_library_needs_no_gui_and_no_gpl(project: dict[str, Any]) -> None:
    unwanted = {"napari", "pyqt6", "qtpy", "magicgui", "spams-bin", "staintools"}
    assert not names(project["project"]["dependencies"]) & unwanted


def imported(folder: Path) -> set[str]:
    """Top-level names of everything that the modules in a folder import, at any depth of their code."""
    found: set[str] = set()
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                found.add(node.module.split(".")[0])
    return found - sys.stdlib_module_names - {"napari_c2lst"}


# names of distributions that differ from what is imported
DISTRIBUTIONS = {
    "PIL": "pillow",
    "cv2": "opencv-python-headless",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
    "spams": "spams-bin",
}


def test_what_is_imported_is_required(root: Path, project: dict[str, Any]) -> None:
    extras = project["project"]["optional-dependencies"]
    declared = names(project["project"]["dependencies"]) | names(extras["stain"])
    declared |= {"staintools", "pydantic-core"}  # installed with --no-deps; comes with pydantic
    for room in sorted(p for p in (root / "src" / "napari_c2lst").iterdir() if p.is_dir()):
        wanted = {DISTRIBUTIONS.get(name, name.lower().replace("_", "-")) for name in imported(room)}
        # a neighbour is met where the user has it, and in our tests
        also = (
            names(extras["napari"]) | ({"napari-spatialdata"} & names(extras["dev"]))
            if room.name == "plugin"
            else set()
        )
        assert {w.replace("-", "_") for w in wanted - declared - also} == set(), room.name


def test_ranges_not_pins(project: dict[str, Any]) -> None:
    assert not [line for line in project["project"]["dependencies"] if "==" in line]
    assert all(">=" in line for line in project["project"]["dependencies"])


def test_versions_agree(root: Path) -> None:
    citation = yaml.safe_load((root / "CITATION.cff").read_text())
    assert citation["version"] == napari_c2lst.__version__
    assert f"## {napari_c2lst.__version__}" in (root / "CHANGELOG.md").read_text()


def test_citation_names_the_paper_and_the_data(root: Path) -> None:
    citation = yaml.safe_load((root / "CITATION.cff").read_text())
    assert citation["license"] == "BSD-3-Clause"
    text = str(citation["references"])
    assert "2603.26827" in text
    assert "Andersson" in text


@pytest.mark.parametrize("name", ["test", "lint"])
def test_workflows_run_the_same_as_a_person(root: Path, name: str) -> None:
    workflow = yaml.safe_load((root / ".github" / "workflows" / f"{name}.yml").read_text())
    steps = [step.get("run", "") for step in workflow["jobs"][name]["steps"]]
    assert {"test": ".ci/run", "lint": "make lint"}[name] in steps


def test_ci_runs_make_test(root: Path) -> None:
    script = root / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert "make test" in script.read_text()


def test_setup_is_a_valid_script(root: Path) -> None:
    subprocess.run(["bash", "-n", str(root / "scripts" / "setup.sh")], check=True)


@pytest.mark.parametrize("name", TASKS)
def test_every_command_is_in_the_docs(root: Path, name: str) -> None:
    assert f"## {name}\n" in (root / "docs" / "commands.md").read_text()


def pages(root: Path) -> list[Path]:
    return [*root.glob("*.md"), *(root / "docs").glob("*.md")]


def test_links_between_pages_lead_somewhere(root: Path) -> None:
    links = [
        (page, target)
        for page in pages(root)
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text())
        if "://" not in target and not target.startswith("mailto:")
    ]
    assert len(links) > 10
    assert [f"{page.name}: {target}" for page, target in links if not (page.parent / target).exists()] == []


def test_commands_in_the_docs_are_commands(root: Path) -> None:
    """Every `c2lst ...` line that is shown is understood by the command line."""
    from napari_c2lst.cli.main import program

    found = 0
    for page in pages(root):
        blocks = re.findall(r"```(?:console|bash|sh)\n(.*?)```", page.read_text(), flags=re.DOTALL)
        for line in "\n".join(blocks).replace("\\\n", " ").splitlines():
            words = line.strip().removeprefix("$ ").removeprefix("srun ").split()
            if len(words) < 2 or words[0] != "c2lst" or words[1] not in TASKS:
                continue
            context = program.make_context("c2lst", [words[1], "--help"], resilient_parsing=True)
            command = program.get_command(context, words[1])
            assert command is not None
            options = {o for p in command.params for o in (*p.opts, *p.secondary_opts)}
            used = {w.split("=")[0] for w in words if w.startswith("--")}
            assert used <= options, f"{page.name}: {line}"
            found += 1
    assert found > 10


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def test_the_wheel_has_everything_of_the_package(root: Path, wheel: zipfile.ZipFile) -> None:
    inside = set(wheel.namelist())
    source = root / "src"
    files = [p.relative_to(source) for p in source.rglob("*") if p.is_file() and p.suffix != ".pyc"]
    wanted = {str(p) for p in files}
    hidden = {name for name in wanted if "/." in name}  # temporary files of something that writes beside this test
    assert wanted - hidden - inside == set()
    assert {"napari_c2lst/napari.yaml", "napari_c2lst/py.typed"} <= inside
    assert any(name.startswith("napari_c2lst/data/sample/") for name in inside)
    assert not any(name.startswith(("tests/", "docs/")) for name in inside)


def test_the_wheel_is_small(wheel: zipfile.ZipFile) -> None:
    assert sum(entry.compress_size for entry in wheel.infolist()) < 25e6


def test_the_wheel_names_its_entry_points(wheel: zipfile.ZipFile) -> None:
    name = next(n for n in wheel.namelist() if n.endswith("entry_points.txt"))
    text = wheel.read(name).decode()
    assert "c2lst = napari_c2lst.cli.main:main" in text
    assert "napari-c2lst = napari_c2lst:napari.yaml" in text


def test_public_names() -> None:
    assert dir(napari_c2lst) == sorted(napari_c2lst.__all__)
    for name in napari_c2lst.__all__:
        assert getattr(napari_c2lst, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'adopt'"):
        _ = napari_c2lst.adopt
