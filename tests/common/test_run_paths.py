from pathlib import Path
from typing import Any

import pytest

from napari_c2lst.common.run_paths import kept_places, path_fields, places_of, whole_settings
from napari_c2lst.common.settings import RunSettings, setting


class Example(RunSettings):
    slide: Path = setting(help="slide")
    tiles: tuple[Path, ...] = setting((), help="several")
    gene_list: Path | None = setting(None, help="may be none")
    central: str = setting("embedded", help="a name or a folder")
    weights: str | None = setting(None, help="a folder or an id of a hub")
    name: str = setting("slide.zarr", help="never a path")


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a slide and a central model in it."""
    for name in ("slide.zarr", "models", "embedded", "slides"):
        (tmp_path / "work" / name).mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def example(**values: Any) -> Example:
    return Example(**{"slide": "slide.zarr", "out": "runs/a", **values})


def test_fields_that_hold_paths() -> None:
    assert path_fields(Example) == {"slide", "tiles", "gene_list", "central", "weights"}


def test_places_are_kept_beside_the_run(work: Path) -> None:
    settings = example(tiles=("slides", work / "b.svs"), central="models", weights="models/resnet")
    (work / "models" / "resnet").mkdir()
    assert places_of(settings, Path("runs/a")) == {
        "slide": "../../slide.zarr",
        "tiles": ["../../slides", "../../b.svs"],
        "central": "../../models",
        "weights": "../../models/resnet",
    }


@pytest.mark.parametrize("central", ["embedded", "someone/a-model-on-a-hub"])
def test_a_name_is_no_path_whatever_lies_there(work: Path, central: str) -> None:
    assert "central" not in places_of(example(central=central), Path("runs/a"))


def test_what_lies_far_away_is_kept_whole(work: Path) -> None:
    far = places_of(example(slide="/elsewhere/of/it/slide.zarr"), Path("runs/a"))
    assert far == {"slide": "/elsewhere/of/it/slide.zarr"}


def test_whole_settings_are_the_same_from_any_folder(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = example(central="models", tiles=("slides",))
    config = {"settings": settings.model_dump(mode="json", exclude_none=True)}
    config["places"] = places_of(settings, work / "runs" / "a")
    monkeypatch.chdir("/")
    whole = whole_settings(work / "runs" / "a", config, Example)
    assert whole["slide"] == str(work / "slide.zarr")
    assert whole["tiles"] == [str(work / "slides")]
    assert whole["central"] == str(work / "models")
    assert (whole["name"], whole["out"]) == ("slide.zarr", "runs/a")


def test_a_run_that_kept_no_places_says_by_its_own_path_where_it_began(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = {"settings": {"slide": "slide.zarr", "out": "runs/a", "name": "slide.zarr", "central": "models"}}
    monkeypatch.chdir("/")
    run = work / "runs" / "a"
    assert kept_places(run, config, {"slide", "central"}) == {"slide": "../../slide.zarr", "central": "../../models"}
    assert whole_settings(run, config, Example)["slide"] == str(work / "slide.zarr")


@pytest.mark.parametrize("out", ["/elsewhere/runs/a", "../runs/a", "runs/b", "other/runs/a", ""])
def test_where_a_run_began_is_not_guessed(work: Path, out: str) -> None:
    config = {"settings": {"slide": "slide.zarr", "image": "/data/x.tif", "out": out}}
    run = work / "runs" / "a"
    assert kept_places(run, config, {"slide", "image"}) == {"image": "/data/x.tif"}
    assert whole_settings(run, config, Example)["slide"] == "slide.zarr"


@pytest.mark.parametrize("places", [3, "x", []])
def test_places_that_are_damaged_are_as_if_not_kept(work: Path, places: Any) -> None:
    config = {"settings": {"slide": "slide.zarr", "out": "runs/a"}, "places": places}
    assert kept_places(work / "runs" / "a", config, {"slide"}) == {"slide": "../../slide.zarr"}
