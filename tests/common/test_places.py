from pathlib import Path

import pytest

from napari_c2lst.common.places import find_place, is_place, keep_place


def test_inside_the_same_work_a_path_is_relative_and_moves_along() -> None:
    kept = keep_place(Path("/work/lung/models/central"), Path("/work/lung/runs/local"))
    assert kept == "../../models/central"
    assert find_place(kept, Path("/elsewhere/lung/runs/local")) == Path("/elsewhere/lung/models/central")
    assert is_place(kept, Path("/elsewhere/lung/models/central"), Path("/elsewhere/lung/runs/local"))


def test_beside_it_only_the_name_is_needed() -> None:
    assert keep_place(Path("/data/st/B4"), Path("/data/st")) == "B4"


@pytest.mark.parametrize(
    ("path", "beside"),
    [
        ("/home/anna/central", "/home/bob/runs/local"),
        ("/data/anna/slides/B4", "/scratch/runs"),
        ("/mnt/lab/a/x", "/mnt/lab/b/1/2/3/4/5"),
    ],
)
def test_no_folder_of_another_place_is_kept(path: str, beside: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", lambda: Path("/home/bob"))
    kept = keep_place(Path(path), Path(beside))
    assert kept.startswith(f"{Path(path).name}@")
    assert "/" not in kept
    assert "anna" not in kept
    assert find_place(kept, Path(beside)) is None
    assert is_place(kept, Path(path), Path(beside))
    assert not is_place(kept, Path(path).with_name("other"), Path(beside))


def test_the_home_folder_itself_is_common_ground(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", lambda: Path("/home/bob"))
    assert keep_place(Path("/home/bob/central"), Path("/home/bob/runs/local")) == "../../central"


def test_whole_paths_of_earlier_versions_are_understood() -> None:
    assert is_place("/data/st/B4", Path("/data/st/B4"), Path("/other"))
    assert find_place("/data/st/B4", Path("/other")) == Path("/data/st/B4")
    assert not is_place("/data/st/B4", Path("/data/st/B5"), Path("/other"))


def test_nothing_kept_is_no_place() -> None:
    assert not is_place(None, Path("/data/st/B4"), Path("/data/st"))


def test_relative_paths_are_those_of_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert keep_place(Path("slides/../B4"), tmp_path / "runs") == "../B4"
    assert is_place("../B4", Path("B4"), Path("runs"))


def test_a_name_with_an_at_sign_is_a_path() -> None:
    assert find_place("anna@work", Path("/data")) == Path("/data/anna@work")
