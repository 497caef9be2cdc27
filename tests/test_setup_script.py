"""`scripts/setup.sh` with stand-ins for the system's commands: what it calls, and what it says."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="a shell script")

# answers the questions the script asks an interpreter, and makes an "environment" with itself in it
PYTHON = """#!/bin/bash
echo "python $*" >>"$CALLS"
case "$*" in
    *version_info\\ \\<*) exit "${OLD_PYTHON:-0}" ;;
    "-m pip --version") exit "${BROKEN_PIP:-0}" ;;
    *ensurepip*) exit "${NO_VENV:-0}" ;;
    *%d.%d*) echo 3.11 ;;
    --version) echo "Python 3.9.1" ;;
    "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" 2>/dev/null ;;
esac
"""
# every package is there but those named in MISSING
DPKG_QUERY = """#!/bin/bash
for word in "$@"; do
    case " $MISSING " in *" $word "*) exit 1 ;; esac
done
echo "install ok installed"
"""


@dataclass
class Setup:
    root: Path
    folder: Path
    sudo: bool = True

    def run(self, user: int, **variables: str) -> tuple[int, str, list[str]]:
        """Exit code, what was said, and the commands that were called."""
        calls = self.folder / "calls"
        calls.write_text("")
        commands = self.folder / "bin"
        commands.mkdir(exist_ok=True)
        stubs = {
            "python3": PYTHON,
            "dpkg-query": DPKG_QUERY,
            "apt-get": '#!/bin/bash\necho "apt-get $*" >>"$CALLS"\n',
            "df": '#!/bin/bash\necho "Filesystem 1024-blocks Used Available Capacity Mounted"\n'
            'echo "/dev/sda 99999999 1 ${FREE_KB:-9999999} 1% /"\n',
            "id": f"#!/bin/bash\necho {user}\n",
        }
        if self.sudo:
            stubs["sudo"] = '#!/bin/bash\necho "sudo $*" >>"$CALLS"\n[ "$1" = -n ] && shift\n"$@"\n'
        for name, text in stubs.items():
            (commands / name).write_text(text)
            (commands / name).chmod(0o755)
        for name in ("bash", "env", "mkdir", "cp", "true", "cat"):
            target = commands / name
            if not target.exists():
                target.symlink_to(next(p for p in (Path("/usr/bin") / name, Path("/bin") / name) if p.exists()))
        environment = {"PATH": str(commands), "CALLS": str(calls), "VENV": str(self.folder / "env"), **variables}
        done = subprocess.run(
            ["/bin/bash", str(self.root / "scripts" / "setup.sh")],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr, calls.read_text().splitlines()


@pytest.fixture
def setup(root: Path, tmp_path: Path) -> Setup:
    return Setup(root, tmp_path)


def test_nothing_is_installed_that_is_there(setup: Setup) -> None:
    code, said, calls = setup.run(0)
    assert code == 0
    assert "all there" in said
    assert not any("apt-get" in call for call in calls)
    assert any(call.startswith("python -m venv") for call in calls)
    installs = [call for call in calls if "pip install" in call]
    assert len(installs) == 2
    assert all("-c constraints.txt" in call for call in installs)
    assert "-e .[napari,stain,dev]" in installs[0]
    assert installs[1].endswith("--no-deps staintools")


def test_root_installs_what_is_missing_and_only_that(setup: Setup) -> None:
    code, said, calls = setup.run(0, MISSING="xvfb libegl1")
    assert code == 0
    assert "installing system packages: xvfb libegl1" in said
    apt = [call for call in calls if call.startswith("apt-get")]
    assert [call.split()[1] for call in apt] == ["update", "install"]
    assert apt[1].endswith(" xvfb libegl1")
    assert not any(call.startswith("sudo") for call in calls)


def test_others_use_sudo(setup: Setup) -> None:
    code, _, calls = setup.run(1000, MISSING="xauth")
    assert code == 0
    assert any(call.startswith("sudo env DEBIAN_FRONTEND=noninteractive apt-get install") for call in calls)


def test_without_sudo_the_line_is_printed_and_the_rest_is_done(root: Path, tmp_path: Path) -> None:
    code, said, calls = Setup(root, tmp_path, sudo=False).run(1000, MISSING="xvfb xauth")
    assert code == 0
    assert "sudo apt-get update && sudo apt-get install --yes --no-install-recommends xvfb xauth" in said
    assert not any(call.startswith("apt-get") for call in calls)
    assert any("pip install" in call for call in calls)


def test_a_python_without_venv_gets_it(setup: Setup) -> None:
    code, said, calls = setup.run(0, NO_VENV="1")
    assert code == 0
    assert "lacks its venv module" in said
    assert any(call.endswith(" python3.11-venv") for call in calls if call.startswith("apt-get install"))


def test_a_python_without_venv_that_cannot_get_it(root: Path, tmp_path: Path) -> None:
    code, said, calls = Setup(root, tmp_path, sudo=False).run(1000, NO_VENV="1")
    assert code == 1
    assert "apt-get install --yes --no-install-recommends python3.11-venv" in said
    assert not any("pip install" in call for call in calls)


def test_an_old_python_is_refused(setup: Setup) -> None:
    code, said, calls = setup.run(0, OLD_PYTHON="1")
    assert code == 1
    assert "Python 3.11 or newer is needed" in said
    assert not any("pip install" in call for call in calls)


def test_arguments_for_pip_are_handed_on(setup: Setup) -> None:
    _, _, calls = setup.run(0, PIP_ARGS="--extra-index-url https://example.org/simple")
    assert all("--extra-index-url https://example.org/simple" in call for call in calls if "pip install" in call)


def test_an_environment_that_is_there_is_kept(setup: Setup) -> None:
    setup.run(0)
    _, _, calls = setup.run(0)
    assert not any(call.startswith("python -m venv") for call in calls)


def test_a_half_made_environment_is_made_again(setup: Setup) -> None:
    setup.run(0)
    code, _, calls = setup.run(0, BROKEN_PIP="1")
    assert code == 0
    assert any(call.startswith("python -m venv") for call in calls)


def test_a_disk_without_room_is_told_before_anything_is_installed(setup: Setup) -> None:
    code, said, calls = setup.run(0, FREE_KB=str(300 * 1024))
    assert code == 1
    assert f"the environment takes 4000 MB and the disk of {setup.folder} has 300 MB free: make room there" in said
    assert not any("-m venv" in call or "pip install" in call for call in calls)


def test_an_environment_that_is_there_needs_no_more_room(setup: Setup) -> None:
    setup.run(0)
    code, _, calls = setup.run(0, FREE_KB="1024")
    assert code == 0
    assert any("pip install" in call for call in calls)
