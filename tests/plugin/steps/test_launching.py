"""What is done before a job can start, while the user goes on clicking; sets are stored by hand, jobs by no child."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from napari_c2lst.common.errors import InputError
from napari_c2lst.plugin.jobs.temporary_store import IN_MEMORY
from napari_c2lst.plugin.steps import launching
from napari_c2lst.plugin.steps.launching import Launcher
from napari_c2lst.plugin.steps.preparing import unsaved_set
from napari_c2lst.slides.slide import Slide


class Threads:
    """What is asked of a thread, answered when the test says so."""

    def __init__(self, _parent: Any = None) -> None:
        self.asked: list[tuple[Any, ...]] = []

    def ask(self, function: Any, *args: Any, done: Any, failed: Any) -> None:
        self.asked.append((function, args, done, failed))

    def answer(self, result: Any) -> None:
        self.asked.pop()[2](result)

    def fail(self, message: str, hint: str) -> None:
        self.asked.pop()[3](message, hint)


class Launched:
    """A launcher and what came out of it."""

    def __init__(self, by_hand: Any) -> None:
        self.by_hand, self.session = by_hand, by_hand.session
        self.launcher = Launcher(by_hand.session, by_hand.shared.jobs, by_hand.shared.jobs)
        self.threads: Any = self.launcher._thread
        self.jobs: list[Any] = []
        self.refusals: list[tuple[str, str]] = []
        self.launcher.launched.connect(self.jobs.append)
        self.launcher.refused.connect(lambda *said: self.refusals.append(said))

    def launch(self, spots: str = "train", task: str = "adapt", **settings: Any) -> None:
        slide = self.session.slide
        self.launcher.launch(task, {"slide": slide.path, "spots": spots, **settings}, "Adapt", spots)


@pytest.fixture
def made(by_hand: Any, monkeypatch: pytest.MonkeyPatch) -> Launched:
    monkeypatch.setattr(launching, "Latest", Threads)
    return Launched(by_hand)


def raw(made: Launched, name: str = "B4.tsv.gz", **opening: Any) -> Slide:
    """A slide that is a file, with an unsaved set."""
    (made.by_hand.folder / name).write_bytes(b"")
    slide = made.by_hand.make(name="B4", path=made.by_hand.folder / name, is_zarr=False)
    made.session.open(slide, opening)
    made.by_hand.choose("mine", "b")
    return slide


def test_a_stored_set_needs_nothing(made: Launched) -> None:
    made.by_hand.open()
    made.launch()
    assert [job.task for job in made.jobs] == ["adapt"]
    assert not made.launcher.busy
    assert made.threads.asked == []


@pytest.mark.parametrize("spots", ["", "no such set"])
def test_without_a_set_the_job_says_what_it_misses(made: Launched, spots: str) -> None:
    made.by_hand.open(stored=())
    made.launch(spots)
    assert len(made.jobs) == 1


def test_the_job_waits_for_its_set(made: Launched) -> None:
    slide = made.by_hand.open(stored=())
    mine = made.by_hand.choose("mine", "b")
    made.launch("mine")
    assert (made.jobs, made.launcher.busy) == ([], True)
    (_, args, _, _) = made.threads.asked[0]
    assert args == (slide.path, {}, mine)
    again = replace(slide)
    made.threads.answer(again)
    assert made.session.slide is again
    assert made.jobs[0].settings["slide"] == slide.path


def test_a_set_that_cannot_be_written_starts_nothing(made: Launched) -> None:
    made.by_hand.open(stored=())
    made.by_hand.choose("mine", "b")
    made.launch("mine")
    made.threads.fail("the disk is full", "make some room")
    assert made.refusals == [("the disk is full", "make some room")]
    assert (made.jobs, made.launcher.busy) == ([], False)
    made.launch("mine")  # and again
    assert made.launcher.busy


def test_a_slide_that_is_opened_meanwhile_stays_open(made: Launched) -> None:
    first = made.by_hand.open("A.zarr", stored=())
    made.by_hand.choose("mine", "b")
    made.launch("mine", mpp=0.25)
    second = made.by_hand.open("B.zarr")
    made.session.opening = {"mpp": 0.75}
    made.threads.answer(replace(first))
    assert made.session.slide is second
    assert made.session.opening == {"mpp": 0.75}
    assert made.jobs[0].settings["slide"] == first.path  # the job is still for the one it was started for
    assert made.jobs[0].settings["mpp"] == 0.25


def test_a_slide_that_is_closed_meanwhile_stays_closed(made: Launched) -> None:
    first = made.by_hand.open(stored=())
    made.by_hand.choose("mine", "b")
    made.launch("mine")
    made.session.close()
    made.threads.answer(replace(first))
    assert made.session.slide is None
    assert len(made.jobs) == 1


def test_a_slide_that_was_moved_away_is_told(made: Launched) -> None:
    slide = made.by_hand.open()
    slide.path.rename(slide.path.with_name("moved.zarr"))
    made.launch()
    assert made.refusals == [(f"'{slide.path}' is not there any more", "open the slide from where it is now")]
    assert not made.launcher.busy


def test_a_run_of_before_needs_no_open_slide(made: Launched) -> None:
    made.launcher.launch("adapt", {"slide": "elsewhere.zarr", "resume": "auto"}, "Adapt", "train")
    assert made.jobs[0].settings["slide"] == "elsewhere.zarr"


def test_a_slide_that_is_no_store_is_converted_for_its_set(made: Launched) -> None:
    slide = raw(made, mpp=0.5, image="he.tif", table="counts")
    out = made.by_hand.folder / "B4_c2lst" / "local"
    made.launch("mine", mpp=0.5, image="he.tif", table="counts", out=out)
    (convert,) = made.jobs
    store = convert.settings["out"]
    assert convert.settings == {"slide": slide.path, "out": store, "mpp": 0.5, "image": "he.tif", "table": "counts"}
    assert made.launcher.busy
    made.by_hand.end(convert, "finished", result={})
    assert made.threads.asked[0][1][:2] == (store, {"mpp": 0.5})
    assert made.by_hand.shared.jobs.filling[store] is made.threads
    made.threads.answer(replace(slide, path=store, is_zarr=True))
    # image and table were those of the folder: the store has its own
    assert made.jobs[1].settings == {"slide": store, "spots": "mine", "mpp": 0.5, "out": out}
    assert made.session.slide.path == store
    assert made.session.opening == {"mpp": 0.5}
    assert not made.launcher.busy


def test_two_steps_do_not_convert_a_slide_at_once(made: Launched) -> None:
    raw(made)
    made.launch("mine")
    other = Launched(made.by_hand)
    other.launch("mine", "evaluate")
    (convert,) = made.jobs
    store = convert.settings["out"]
    assert other.refusals == [
        (f"'{store.name}' is being made already", "wait until “Convert B4 to a SpatialData” has ended")
    ]
    assert (other.jobs, other.launcher.busy) == ([], False)
    made.by_hand.end(convert, "failed", message="no room")
    other.launch("mine", "evaluate")  # nobody makes it any more
    assert [job.task for job in other.jobs] == ["convert"]


def test_another_slide_is_opened_during_the_conversion(made: Launched) -> None:
    slide = raw(made, mpp=0.5)
    made.launch("mine")
    other = made.by_hand.open("B.zarr")
    made.by_hand.end(made.jobs[0], "finished", result={})
    store = made.jobs[0].settings["out"]
    assert made.threads.asked[0][1][2].name == "mine"  # the set of the slide that was left
    made.threads.answer(replace(slide, path=store, is_zarr=True))
    assert made.session.slide is other
    assert made.jobs[1].settings["slide"] == store


@pytest.mark.parametrize("kind", ["failed", "stopped"])
def test_a_conversion_that_does_not_end_well_ends_it(made: Launched, kind: str) -> None:
    slide = raw(made)
    made.launch("mine")
    made.by_hand.end(made.jobs[0], kind, message="m")
    assert not made.launcher.busy
    assert made.threads.asked == []
    assert made.session.slide is slide


def test_a_store_that_is_there_is_never_written_over(made: Launched) -> None:
    slide = raw(made)
    made.launch("mine")
    store = Path(made.jobs[0].settings["out"])
    made.by_hand.end(made.jobs[0], "stopped")
    store.mkdir()
    made.launch("mine")
    ((message, hint),) = made.refusals
    assert message == f"the chosen spots cannot be kept: '{slide.path}' is no SpatialData store, and '{store}' is there"
    assert hint == f"open '{store}' and choose the spots in it"
    assert len(made.jobs) == 1


def test_a_layer_is_never_taken_for_a_file_of_its_name(
    made: Launched, make_slide: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(made.by_hand.folder)
    Path("scan.tif").write_bytes(b"")
    made.session.open(make_slide(name="scan", path=Path("scan.tif"), kind=IN_MEMORY, is_zarr=False, spots=None))
    made.launch("", task="info", image_name="image")
    made.threads.answer(make_slide(name="scan", path=Path("/t/scan.zarr"), spots=None))
    assert made.jobs[0].settings == {"slide": Path("/t/scan.zarr"), "spots": ""}
    assert made.by_hand.told[0][1].startswith("'scan' was in memory only")


@pytest.mark.parametrize(
    "damage",
    [
        lambda table: delattr(table, "obs"),
        lambda table: table.obs.drop(columns="role", inplace=True),
        lambda table: table.uns.clear(),
        lambda table: setattr(table, "obs_names", table.obs_names + "x"),
    ],
    ids=["no rows", "no roles", "no version", "other spots"],
)
def test_a_damaged_set_is_not_replaced_and_locks_no_panel(made: Launched, damage: Any) -> None:
    slide = made.by_hand.open(stored=())
    mine = made.by_hand.choose("train", "a")
    stored = made.by_hand.table("train")
    damage(stored)
    slide.sdata.tables["c2lst_set_train"] = stored
    with pytest.raises(InputError, match="other spots under 'train'") as caught:
        unsaved_set(slide, mine)
    assert "give it another name" in caught.value.hint
    made.launch("train")
    assert len(made.refusals) == 1
    assert not made.launcher.busy


def test_a_set_that_is_stored_as_it_is_needs_no_writing(made: Launched) -> None:
    slide = made.by_hand.open()
    assert unsaved_set(slide, made.session.sets["train"]) is None
    assert unsaved_set(slide, None) is None
