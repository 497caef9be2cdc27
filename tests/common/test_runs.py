import json
from pathlib import Path

import pytest
import torch

from napari_c2lst.common.errors import InputError, MismatchError
from napari_c2lst.common.reporter import RecordingReporter, Reporter
from napari_c2lst.common.results import TaskResult
from napari_c2lst.common.runs import RunFolder, latest_checkpoint, load_checkpoint, read_config
from napari_c2lst.common.settings import RunSettings, setting


class Example(RunSettings):
    steps: int = setting(10, help="steps")


class Done(TaskResult):
    loss: float


def open_run(path: Path, **values) -> RunFolder:
    return RunFolder.open(Example(out=path, **values), Reporter(), kind="example")


def test_a_new_run_holds_its_settings_and_environment(tmp_path):
    run = open_run(tmp_path / "run", steps=3)
    assert run.checkpoint is None
    assert run.load_checkpoint() is None
    config = read_config(run.path)
    assert config["kind"] == "example"
    assert config["settings"]["steps"] == 3
    environment = json.loads((run.path / "environment.json").read_text())
    assert {"python", "torch", "numpy"} <= set(environment)
    assert "hostname" not in environment


def test_a_checkpoint_comes_back_as_it_was(tmp_path):
    run = open_run(tmp_path / "run")
    run.save_checkpoint(3, {"w": torch.arange(4.0)}, {"losses": [1.0, 0.5]})
    again = open_run(tmp_path / "run")
    tensors, state = again.load_checkpoint()
    assert torch.equal(tensors["w"], torch.arange(4.0))
    assert state == {"version": 1, "kind": "example", "step": 3, "losses": [1.0, 0.5]}


def test_the_last_two_checkpoints_are_kept(tmp_path):
    run = open_run(tmp_path / "run")
    for step in (1, 2, 10):
        run.save_checkpoint(step, {"w": torch.ones(1)}, {})
    assert [p.name for p in sorted((run.path / "checkpoints").iterdir())] == ["step_00000002", "step_00000010"]
    assert latest_checkpoint(run.path).name == "step_00000010"


def test_events_are_written_as_lines_and_passed_on(tmp_path):
    reporter = RecordingReporter()
    run = RunFolder.open(Example(out=tmp_path / "run"), reporter, kind="example")
    run.reporter.message("hello")
    run.reporter.metrics(1, {"loss": 0.5})
    for i in range(100):
        run.reporter.progress(i + 1, 100, "steps")
    run.reporter.picture(Path("a.png"), "c")
    events = [json.loads(line) for line in (run.path / "events.jsonl").read_text().splitlines()]
    assert [e["event"] for e in events if e["event"] != "progress"] == ["message", "metrics", "picture"]
    assert 1 <= sum(e["event"] == "progress" for e in events) <= 3
    assert len(reporter.of_kind("progress")) == 100


def test_a_finished_run_gives_its_result(tmp_path):
    run = open_run(tmp_path / "run")
    assert run.finished_result() is None
    run.finish(Done(loss=0.25))
    assert open_run(tmp_path / "run").finished_result() == {"loss": 0.25}


def test_never_refuses_a_folder_that_holds_a_run(tmp_path):
    open_run(tmp_path / "run")
    with pytest.raises(InputError, match="already holds a run"):
        open_run(tmp_path / "run", resume="never")


def test_a_run_with_other_settings_is_not_continued(tmp_path):
    open_run(tmp_path / "run", steps=3, workers=1)
    open_run(tmp_path / "run", steps=3, workers=2)
    with pytest.raises(MismatchError, match="steps was 3, now 4"):
        open_run(tmp_path / "run", steps=4)


def test_a_run_of_another_task_is_refused(tmp_path):
    open_run(tmp_path / "run")
    with pytest.raises(MismatchError, match="'example', not of 'other'"):
        RunFolder.open(Example(out=tmp_path / "run"), Reporter(), kind="other")


def test_a_foreign_folder_is_left_alone(tmp_path):
    (tmp_path / "photos").mkdir()
    with pytest.raises(InputError, match="not a run folder"):
        open_run(tmp_path / "photos")


def test_a_checkpoint_that_does_not_exist_is_an_error_not_a_new_start(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        open_run(tmp_path / "run", resume=str(tmp_path / "gone"))
    assert not (tmp_path / "run").exists()


def test_resuming_from_another_runs_checkpoint(tmp_path):
    first = open_run(tmp_path / "first")
    first.save_checkpoint(5, {"w": torch.ones(1)}, {})
    second = open_run(tmp_path / "second", resume=str(tmp_path / "first"))
    assert second.load_checkpoint()[1]["step"] == 5
    named = open_run(tmp_path / "third", resume=str(first.checkpoint))
    assert named.checkpoint == first.checkpoint


def test_resuming_from_what_is_no_checkpoint(tmp_path):
    (tmp_path / "x").mkdir()
    with pytest.raises(InputError, match="not a checkpoint"):
        open_run(tmp_path / "run", resume=str(tmp_path / "x"))
    open_run(tmp_path / "empty")
    with pytest.raises(InputError, match="no checkpoint yet"):
        open_run(tmp_path / "run", resume=str(tmp_path / "empty"))


def test_a_checkpoint_of_another_task_is_refused(tmp_path):
    run = RunFolder.open(Example(out=tmp_path / "a"), Reporter(), kind="other")
    run.save_checkpoint(1, {"w": torch.ones(1)}, {})
    with pytest.raises(MismatchError, match="'other', not of 'example'"):
        open_run(tmp_path / "b", resume=str(tmp_path / "a"))


def test_a_checkpoint_of_a_newer_version_is_refused(tmp_path):
    run = open_run(tmp_path / "run")
    folder = run.save_checkpoint(1, {"w": torch.ones(1)}, {})
    (folder / "state.json").write_text(json.dumps({"version": 99}))
    with pytest.raises(InputError, match="version 99"):
        load_checkpoint(folder)


def test_a_stop_says_how_to_go_on(tmp_path):
    assert "--resume auto" in open_run(tmp_path / "run").continue_hint()


def test_read_config_refuses_other_folders(tmp_path):
    with pytest.raises(InputError, match="not a run folder"):
        read_config(tmp_path)


def test_damaged_files_are_named(tmp_path):
    run = open_run(tmp_path / "run")
    folder = run.save_checkpoint(1, {"w": torch.ones(100)}, {})
    weights = folder / "tensors.safetensors"
    weights.write_bytes(weights.read_bytes()[:50])
    with pytest.raises(InputError, match="step_00000001' cannot be read"):
        load_checkpoint(folder)
    (run.path / "config.toml").write_text("kind = ")
    with pytest.raises(InputError, match=r"config\.toml' cannot be read"):
        read_config(run.path)


def open_based(path: Path, basis: dict[str, str] | None, reporter: Reporter | None = None, **values) -> RunFolder:
    return RunFolder.open(Example(out=path, **values), reporter or Reporter(), kind="example", basis=basis)


def test_a_checkpoint_made_from_something_else_is_refused(tmp_path):
    run = open_based(tmp_path / "run", {"spots": "a"})
    checkpoint = run.save_checkpoint(1, {"w": torch.ones(1)}, {})
    assert load_checkpoint(checkpoint)[1]["basis"] == {"spots": "a"}
    assert open_based(tmp_path / "run", {"spots": "a"}).checkpoint == checkpoint
    with pytest.raises(MismatchError, match="step_00000001' was made from other things than are there now: spots"):
        open_based(tmp_path / "run", {"spots": "b"})
    for named in (tmp_path / "run", checkpoint):
        with pytest.raises(MismatchError, match="spots"):
            open_based(tmp_path / "other", {"spots": "b"}, resume=str(named))
        assert not (tmp_path / "other").exists()


def test_a_checkpoint_that_does_not_say_what_it_was_made_from_is_refused(tmp_path):
    open_based(tmp_path / "run", None).save_checkpoint(1, {"w": torch.ones(1)}, {})
    with pytest.raises(MismatchError, match="spots"):
        open_based(tmp_path / "run", {"spots": "a"})


def test_a_finished_run_made_from_something_else_is_refused(tmp_path):
    open_based(tmp_path / "run", {"spots": "a"}).finish(Done(loss=0.25))
    assert open_based(tmp_path / "run", {"spots": "a"}).finished_result() == {"loss": 0.25}
    with pytest.raises(MismatchError, match="run' was made from other things than are there now: spots"):
        open_based(tmp_path / "run", {"spots": "b"})


def test_a_finished_run_that_does_not_say_what_it_was_made_from_is_given_with_a_word(tmp_path):
    open_based(tmp_path / "run", None).finish(Done(loss=0.25))
    reporter = RecordingReporter()
    assert open_based(tmp_path / "run", {"spots": "a"}, reporter).finished_result() == {"loss": 0.25}
    assert any("does not say what it was made from" in m for m in reporter.messages)


def test_a_run_that_kept_nothing_yet_may_be_made_from_something_else(tmp_path):
    open_based(tmp_path / "run", {"spots": "a"})
    open_based(tmp_path / "run", {"spots": "b"}).finish(Done(loss=0.25))
    assert read_config(tmp_path / "run")["basis"] == {"spots": "b"}
    assert open_based(tmp_path / "run", {"spots": "b"}).finished_result() == {"loss": 0.25}


def cut_off(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-5])


def test_a_cut_off_result_is_one_sentence(tmp_path):
    run = open_run(tmp_path / "run")
    run.finish(Done(loss=0.25))
    cut_off(run.path / "result.json")
    with pytest.raises(InputError, match=r"result\.json' cannot be read: ") as caught:
        open_run(tmp_path / "run").finished_result()
    assert caught.value.hint == "remove it, and go on with --resume auto"


@pytest.mark.parametrize("content", ["", "{", "[1, 2]", "null", "\x00\x01"])
def test_a_damaged_state_names_its_checkpoint_wherever_it_is_read(tmp_path, content):
    checkpoint = open_based(tmp_path / "run", {"spots": "a"}).save_checkpoint(5, {"w": torch.ones(1)}, {})
    (checkpoint / "state.json").write_text(content)
    asks = (
        lambda: load_checkpoint(checkpoint),
        lambda: open_based(tmp_path / "run", {"spots": "a"}),
        lambda: open_run(tmp_path / "other", resume=str(tmp_path / "run")),
        lambda: open_run(tmp_path / "other", resume=str(checkpoint)),
    )
    for ask in asks:
        with pytest.raises(InputError, match="step_00000005' cannot be read: ") as caught:
            ask()
        assert caught.value.hint == "remove it: the one before it is used"
    assert not (tmp_path / "other").exists()


def test_after_a_damaged_checkpoint_is_removed_the_one_before_it_is_used(tmp_path):
    run = open_based(tmp_path / "run", {"spots": "a"})
    run.save_checkpoint(5, {"w": torch.zeros(1)}, {})
    damaged = run.save_checkpoint(10, {"w": torch.ones(1)}, {})
    cut_off(damaged / "state.json")
    for file in damaged.iterdir():
        file.unlink()
    damaged.rmdir()
    assert open_based(tmp_path / "run", {"spots": "a"}).load_checkpoint()[1]["step"] == 5


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"a = ", b"kind"])
def test_settings_that_are_no_toml_are_refused(tmp_path, content):
    run = open_run(tmp_path / "run")
    (run.path / "config.toml").write_bytes(content)
    with pytest.raises(InputError, match=r"config\.toml' cannot be read"):
        open_run(tmp_path / "run")


def test_settings_without_a_table_are_those_of_another_run(tmp_path):
    run = open_run(tmp_path / "run")
    (run.path / "config.toml").write_text('kind = "example"\n')
    with pytest.raises(MismatchError, match="steps was None, now 10"):
        open_run(tmp_path / "run")


def test_a_file_in_the_place_of_a_run_is_left_alone(tmp_path):
    (tmp_path / "run").write_text("mine")
    with pytest.raises(InputError, match="is there already and is not a run folder"):
        open_run(tmp_path / "run")
    assert (tmp_path / "run").read_text() == "mine"


def test_a_step_saved_twice_is_the_later_one(tmp_path):
    run = open_run(tmp_path / "run")
    for value in (1.0, 2.0):
        run.save_checkpoint(7, {"w": torch.full((1,), value)}, {"value": value})
    tensors, state = run.load_checkpoint()
    assert (tensors["w"].item(), state["value"]) == (2.0, 2.0)
    assert len(list((run.path / "checkpoints").iterdir())) == 1


def test_a_stop_while_a_checkpoint_is_written_keeps_the_one_before(tmp_path, monkeypatch):
    run = open_run(tmp_path / "run")
    before = run.save_checkpoint(1, {"w": torch.ones(1)}, {})

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("safetensors.torch.save_file", full)
    with pytest.raises(InputError, match="disk is full"):
        run.save_checkpoint(2, {"w": torch.ones(1)}, {})
    assert run.checkpoint == latest_checkpoint(run.path) == before
    assert [path.name for path in (run.path / "checkpoints").iterdir()] == ["step_00000001"]


def test_other_folders_among_the_checkpoints_are_passed_over(tmp_path):
    run = open_run(tmp_path / "run")
    run.save_checkpoint(1, {"w": torch.ones(1)}, {})
    (run.path / "checkpoints" / "step_best").mkdir()
    (run.path / "checkpoints" / "step_00000009.tmp").mkdir()
    assert latest_checkpoint(run.path).name == "step_00000001"


class Sliced(Example):
    slide: Path = setting(help="slide")


def open_sliced(slide: str, out: str) -> RunFolder:
    return RunFolder.open(Sliced(slide=slide, out=out), Reporter(), kind="example")


@pytest.fixture
def work(tmp_path, monkeypatch):
    (tmp_path / "work" / "deeper").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def test_a_run_goes_on_by_whatever_name_its_paths_are_called(work, monkeypatch):
    open_sliced("a.zarr", "runs/one")
    open_sliced(str(work / "a.zarr"), str(work / "runs" / "one"))
    monkeypatch.chdir(work / "deeper")
    open_sliced("../a.zarr", "../runs/one")
    assert read_config(work / "runs" / "one")["settings"]["slide"] == "a.zarr"


def test_a_run_that_began_with_whole_paths_goes_on_by_relative_ones(work):
    open_sliced(str(work / "a.zarr"), str(work / "runs" / "one"))
    open_sliced("a.zarr", "runs/one")


def test_a_run_that_moved_with_its_slide_goes_on(work, tmp_path, monkeypatch):
    open_sliced(str(work / "a.zarr"), str(work / "runs" / "one"))
    monkeypatch.chdir(tmp_path)
    work.rename(tmp_path / "moved")
    open_sliced(str(tmp_path / "moved" / "a.zarr"), str(tmp_path / "moved" / "runs" / "one"))


@pytest.mark.parametrize("slide", ["b.zarr", "deeper/a.zarr", "../a.zarr"])
def test_another_place_is_refused_as_it_was_typed(work, slide):
    open_sliced("a.zarr", "runs/one")
    with pytest.raises(MismatchError, match=f"slide was 'a.zarr', now '{slide}'"):
        open_sliced(slide, "runs/one")


def test_a_run_of_an_earlier_version_goes_on_from_another_folder(work, monkeypatch):
    run = open_sliced("a.zarr", "runs/one")
    config = run.path / "config.toml"
    text = config.read_text()
    config.write_text(text[: text.index("[places]")])
    monkeypatch.chdir(work / "deeper")
    with pytest.raises(MismatchError, match=r"slide was 'a\.zarr', now '\.\./b\.zarr'"):
        open_sliced("../b.zarr", "../runs/one")
    open_sliced("../a.zarr", "../runs/one")
