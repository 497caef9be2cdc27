from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from napari_c2lst.common.environment import this_machine
from napari_c2lst.jobs.pace import TIMES, Pace, Watch, earlier_work, note_time, read_timed

BEGUN = 1_700_000_000.0


def said(when: float, **fields: Any) -> dict[str, Any]:
    return {"time": BEGUN + when, **fields}


def done(when: float, count: int, total: int = 10, what: str = "steps") -> dict[str, Any]:
    return said(when, event="progress", done=count, total=total, what=what)


def make_run(folder: Path, events: list[dict[str, Any]], ended: float, kind: str = "adapt") -> Path:
    """A run folder as it lies on disk, begun at `BEGUN`, its result written `ended` seconds later."""
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(f'kind = "{kind}"\n[settings]\nsteps = 10\n')
    (folder / "environment.json").write_text(json.dumps({"python": "3.11", **this_machine()}))
    (folder / "events.jsonl").write_text("".join(json.dumps(each) + "\n" for each in events))
    (folder / "result.json").write_text(json.dumps({"steps": 10, "run": "local"}))
    os.utime(folder / "environment.json", (BEGUN, BEGUN))
    os.utime(folder / "result.json", (BEGUN + ended, BEGUN + ended))
    return folder


def test_what_is_counted_and_what_comes_on_top(tmp_path: Path) -> None:
    # 5 s of reading, 1 s a step, 3 s of writing
    events = [said(1, event="message", text="hello"), *(done(5 + i, i) for i in range(1, 11))]
    timed = read_timed(make_run(tmp_path / "local", events, 18))
    assert timed is not None
    assert (timed.task, timed.name, timed.settings["steps"], timed.result["steps"]) == ("adapt", "local", 10, 10)
    assert timed.pace.varying == pytest.approx(10)
    assert timed.pace.fixed == pytest.approx(8)


def test_a_pause_counts_for_nothing(tmp_path: Path) -> None:
    before = [said(1, event="message", text="hello"), *(done(5 + i, i) for i in range(1, 5))]
    after = [said(9000, event="message", text="going on at step 4"), *(done(9000 + i, i) for i in range(5, 11))]
    timed = read_timed(make_run(tmp_path / "local", [*before, *after], 9013))
    assert timed is not None
    assert timed.pace.varying == pytest.approx(10)
    assert timed.pace.fixed == pytest.approx(8)  # 5 s before the first step, 3 s after the last


def test_work_too_short_to_be_measured_in_parts_is_all_work(tmp_path: Path) -> None:
    timed = read_timed(make_run(tmp_path / "pairs", [done(6, 10)], 7))
    assert timed is not None
    assert timed.pace == Pace(0.0, 7.0)


def test_a_rate_of_the_last_few_units_never_makes_the_parts_more_than_the_whole() -> None:
    watch = Watch(0.0)
    watch.progress(5.0, 98, 100, "patches")
    watch.progress(9.0, 100, 100, "patches")  # 2 s each, so 200 s for all: but it took 10
    pace = watch.pace(10.0)
    assert pace.fixed + pace.varying == pytest.approx(10)


def test_several_counts_add_up() -> None:
    watch = Watch(0.0)
    for when, count in ((1, 1), (2, 2), (3, 3)):
        watch.progress(when, count, 3, "spots")
    watch.message()
    for when, count in ((13, 1), (23, 2)):
        watch.progress(when, count, 2, "grid positions")
    assert watch.pace(30.0) == Pace(7.0, 23.0)


@pytest.mark.parametrize("ended", [2.0, 9e5])
def test_files_that_were_copied_say_nothing(tmp_path: Path, ended: float) -> None:
    # the times of their files do not fit to what happened
    assert read_timed(make_run(tmp_path / "local", [done(i, i) for i in range(1, 11)], ended)) is None


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("result.json", "{"),
        ("result.json", "[1]"),
        ("environment.json", "nothing"),
        ("events.jsonl", '{"event": "progress"}\n'),
        ("events.jsonl", ""),
        ("config.toml", "kind ="),
        ("config.toml", 'other = "adapt"'),
    ],
)
def test_a_damaged_folder_is_passed_over(tmp_path: Path, file: str, text: str) -> None:
    run = make_run(tmp_path / "local", [done(i, i) for i in range(1, 11)], 12)
    stamp = (run / file).stat()
    (run / file).write_text(text)
    os.utime(run / file, (stamp.st_atime, stamp.st_mtime))
    # another file of the same size and time would be the same to us
    os.utime(run / "config.toml", (BEGUN + 1, BEGUN + 1))
    assert read_timed(run) is None
    assert earlier_work(tmp_path, "adapt") == []


def test_a_run_that_has_not_ended_is_no_measure(tmp_path: Path) -> None:
    run = make_run(tmp_path / "local", [done(i, i) for i in range(1, 11)], 12)
    assert len(earlier_work(tmp_path, "adapt")) == 1
    (run / "result.json").unlink()
    assert earlier_work(tmp_path, "adapt") == []


def test_earlier_work_is_of_the_task_and_the_newest_first(tmp_path: Path) -> None:
    events = [done(i, i) for i in range(1, 11)]
    make_run(tmp_path / "a", events, 12)
    make_run(tmp_path / "b", events, 14)
    make_run(tmp_path / "c", events, 16, kind="train")
    make_run(tmp_path / ".d", events, 18)  # one that is being made
    (tmp_path / "notes.txt").write_text("mine")
    assert [each.name for each in earlier_work(tmp_path, "adapt")] == ["b", "a"]


def test_no_folder_holds_nothing(tmp_path: Path) -> None:
    assert earlier_work(None, "adapt") == []
    assert earlier_work(tmp_path / "none", "adapt") == []


def test_times_that_were_noted_come_back(tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    result = {"n_spots": 212, "n_grid": 0, "elements": ["c2lst_spots_a"]}
    note_time(folder, "predict", {"tta": False}, result, Pace(4.0, 8.0), clock=lambda: BEGUN)
    note_time(folder, "cells", {"weights": "embedded"}, {"tiles": 40}, Pace(1.0, 2.0), clock=lambda: BEGUN + 1)
    (one,) = earlier_work(folder, "predict")
    assert (one.task, one.name, one.pace, one.ended) == ("predict", "", Pace(4.0, 8.0), BEGUN)
    assert one.result == {"n_spots": 212, "n_grid": 0}  # counts; lists of names are not needed
    assert one.machine == this_machine()


def test_lines_that_cannot_be_read_do_not_hide_the_others(tmp_path: Path) -> None:
    note_time(tmp_path, "predict", {}, {}, Pace(4.0, 8.0))
    with (tmp_path / TIMES).open("a") as file:
        file.write('{"task": "predict"}\nnothing\n{"task": "predict", "fixed": "x"}\n')
    note_time(tmp_path, "predict", {}, {}, Pace(5.0, 8.0))
    assert [each.pace.fixed for each in earlier_work(tmp_path, "predict")] == [5.0, 4.0]


@pytest.mark.parametrize("paused", [False, True])
def test_work_that_counted_nothing_is_all_one(paused: bool) -> None:
    pace = Watch(100.0).pace(130.0, paused=paused)
    assert pace.fixed + pace.varying == 30
    assert pace.varying == (0 if paused else 30)
    assert Watch(100.0).pace(90.0) == Pace(0.0, 0.0)  # a clock that was set back


def test_a_count_that_begins_anew_is_not_time_gained() -> None:
    watch = Watch(0.0)
    for when, count in ((1, 1), (2, 2), (50, 1), (51, 2), (52, 2)):
        watch.progress(when, count, 2, "spots")
    assert watch.pace(60.0) == Pace(58.0, 2.0)  # a spot takes a second, whatever came between


def test_counts_of_two_things_in_turn_are_never_taken_together() -> None:
    watch = Watch(0.0)
    for when in range(1, 7):
        watch.progress(float(when), when, 6, "steps" if when % 2 else "pictures")
    assert watch.pace(8.0) == Pace(0.0, 8.0)


@pytest.mark.parametrize("name", ["config.toml", "events.jsonl", "result.json", "environment.json"])
def test_a_folder_without_one_of_its_files_is_no_measure(tmp_path: Path, name: str) -> None:
    run = make_run(tmp_path / "Lauf 1 ä", [done(i, i) for i in range(1, 11)], 12)
    assert read_timed(run) is not None
    (run / name).unlink()
    assert read_timed(run) is None


def test_a_run_that_was_done_anew_is_read_anew(tmp_path: Path) -> None:
    run = make_run(tmp_path / "local", [done(i, i) for i in range(1, 11)], 12)
    first = read_timed(run)
    os.utime(run / "result.json", (BEGUN + 15, BEGUN + 15))
    again = read_timed(run)
    assert first is not None
    assert again is not None
    assert again.pace.fixed == pytest.approx(first.pace.fixed + 3)


def test_runs_and_noted_times_are_sorted_together(tmp_path: Path) -> None:
    make_run(tmp_path / "run", [done(i, i) for i in range(1, 11)], 12)
    for ended, fixed in ((5.0, 1.0), (20.0, 2.0), (20.0, 3.0)):
        note_time(tmp_path, "adapt", {}, {}, Pace(fixed, 0.0), clock=lambda ended=ended: BEGUN + ended)
    found = [each.name or each.pace.fixed for each in earlier_work(tmp_path, "adapt")]
    assert found == [3.0, 2.0, "run", 1.0]  # of one time, the line written last


def test_a_list_of_times_that_is_no_text_hides_no_runs(tmp_path: Path) -> None:
    make_run(tmp_path / "run", [done(i, i) for i in range(1, 11)], 12)
    (tmp_path / TIMES).write_bytes(b"\xff\xfe\x00[1]\n[1]\nnull\n")
    assert [each.name for each in earlier_work(tmp_path, "adapt")] == ["run"]
    (tmp_path / TIMES).unlink()
    (tmp_path / TIMES).mkdir()
    assert [each.name for each in earlier_work(tmp_path, "adapt")] == ["run"]


def test_settings_in_any_letters_are_noted_as_they_are(tmp_path: Path) -> None:
    settings = {"name": "Nüsse 核", "image": None, "splits": ["random"]}
    note_time(tmp_path / "a" / "b", "cells", settings, {"share": 0.5, "gone": None}, Pace(1 / 3, 0.0))
    (one,) = earlier_work(tmp_path / "a" / "b", "cells")
    assert (one.settings, one.result, one.pace.fixed) == (settings, {"share": 0.5}, 0.333)
