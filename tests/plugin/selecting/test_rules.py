"""Ways to choose that need no window: recipes, sets, exchange, commands, storing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.layers import Image, Shapes
from shapely.geometry import box
from tests.plugin.selecting.labels import labelled

from napari_c2lst.common.errors import InputError
from napari_c2lst.common.reporter import RecordingReporter, Reporter
from napari_c2lst.plugin.layers.choices import SET_COLOURS
from napari_c2lst.plugin.selecting import exchange, named, recipes, repeating, storing
from napari_c2lst.plugin.selecting.choice import Choice, How, Step
from napari_c2lst.plugin.session import Session
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.spots import selecting
from napari_c2lst.slides.spots.geojson import read_regions, spots_inside, write_regions
from napari_c2lst.slides.spots.selection_settings import SelectSettings
from napari_c2lst.slides.spots.spotsets import SpotSet, read_spot_set, spot_set_names


def first(slide: Any, number: int) -> np.ndarray:
    return np.arange(len(slide.spots)) < number


def cli_mask(slide: Any, /, **settings: Any) -> np.ndarray:
    """What `c2lst select` chooses."""
    values = {"slide": slide.path, **settings, "name": "cli", "replace": True}
    selecting.run(SelectSettings.resolve(**values), Reporter())
    return read_spot_set(open_slide(slide.path), "cli").mask


def test_a_random_share_is_the_command_lines(slide: Any) -> None:
    for split in ("random", "blocked"):
        step = recipes.random_share(slide, How.ADD, 0.25, 3, split)  # type: ignore[arg-type]
        assert np.array_equal(step.mask, cli_mask(slide, fraction=0.25, seed=3, split=split))
        assert step.said == {"fraction": 0.25, "seed": 3, "split": split}
    assert step.buffer is not None
    assert step.buffer.shape == step.mask.shape
    assert not (step.buffer & step.mask).any()


def test_low_spots_are_not_drawn(slide: Any) -> None:
    low = recipes.low_spots(slide, {"min_counts": 2000, "min_genes": 0, "min_tissue": 0})
    assert 0 < low.sum() < len(low)
    step = recipes.random_share(slide, How.ADD, 0.5, 0, "random", low)
    assert not (step.mask & low).any()
    assert step.mask.sum() == round(0.5 * (~low).sum() + 1e-9)
    assert not recipes.low_spots(slide, {"min_counts": 0}).any()
    with pytest.raises(InputError, match="no spot to choose from"):
        recipes.random_share(slide, How.ADD, 0.5, 0, "random", np.ones_like(low))


def test_suggested_spots_tell_their_progress(slide: Any) -> None:
    reporter = RecordingReporter()
    step = recipes.suggested(slide, How.ADD, 10, ~first(slide, 60), reporter)
    assert step.mask.sum() == 10
    assert np.flatnonzero(step.mask).max() < 60
    assert reporter.events[-1] == ("progress", {"done": 60, "total": 60, "what": "patches"})


def test_columns_of_labels_and_their_values(slide: Any) -> None:
    number = len(slide.spots)
    labelled(
        slide,
        region_label=np.where(first(slide, 20), "Tumor, invasive", "Fat"),
        one=np.full(number, "same"),
        each=np.arange(number).astype(str),
    )
    columns = recipes.label_columns(slide)
    assert columns["region_label"] == ["Fat", "Tumor, invasive"]
    assert not {"one", "each"} & columns.keys()
    step = recipes.by_values(slide, How.ADD, "region_label", ["Tumor, invasive"])
    assert np.array_equal(step.mask, first(slide, 20))
    with pytest.raises(InputError, match="no value of column 'region_label' is ticked"):
        recipes.by_values(slide, How.ADD, "region_label", [])


def test_shapes_and_ids_from_files(slide: Any, tmp_path: Path) -> None:
    yx = slide.spots.yx
    low, high = yx.min(axis=0), yx.mean(axis=0)
    path = tmp_path / "shapes.geojson"
    area = box(low[1] - 1, low[0] - 1, high[1], high[0])
    write_regions(path, [exchange.Region(area, label="Tumor")])
    step = recipes.by_regions(slide, How.ADD, read_regions(path), path)
    assert np.array_equal(step.mask, ((yx >= low - 1) & (yx <= high)).all(axis=1))
    assert np.array_equal(step.mask, cli_mask(slide, polygon=path))
    write_regions(path, [exchange.Region(box(-9, -9, -1, -1))])
    with pytest.raises(InputError, match=r"none of the \d+ spots lies inside the 1 shapes of 'shapes.geojson'"):
        recipes.by_regions(slide, How.ADD, read_regions(path), path)
    ids = tmp_path / "ids.txt"
    ids.write_text("\n".join(slide.spots.ids[:9]))
    assert np.array_equal(recipes.by_names(slide, How.ADD, ids).mask, first(slide, 9))


def test_colours_come_from_the_palette_and_stay(slide: Any) -> None:
    ids = slide.spots.ids
    sets = {n: SpotSet.of(n, ids, first(slide, 9), {}) for n in "abcdefg"}
    colours = named.colours_of(sets)
    assert set(colours.values()) == set(SET_COLOURS) == set(named.COLOUR_NAMES)
    sets["a"] = SpotSet.of("a", ids, first(slide, 9), {named.COLOUR: SET_COLOURS[3]})
    sets["b"] = SpotSet.of("b", ids, first(slide, 9), {named.COLOUR: "red; drop"})
    colours = named.colours_of({name: sets[name] for name in "ab"})
    assert colours == {"a": SET_COLOURS[3], "b": SET_COLOURS[0]}


def test_a_choice_becomes_a_set(slide: Any) -> None:
    choice = Choice(len(slide.spots))
    choice.apply(Step(How.ADD, first(slide, 7), "lasso"))
    with pytest.raises(InputError, match="the choice has 7 training spots, at least 8 are needed"):
        named.set_of(choice, slide, "train", "#0072b2")
    choice.apply(Step(How.ADD, first(slide, 9), "lasso"))
    choice.apply(Step(How.LEAVE_OUT, ~first(slide, 20), "lasso"))
    with pytest.raises(InputError, match="cannot be the name"):
        named.set_of(choice, slide, "my set", "#0072b2")
    spots = named.set_of(choice, slide, "train", "#0072b2")
    assert (spots.mask.sum(), spots.held_out.sum()) == (9, 11)
    assert spots.how == {"by_hand": ["add lasso (2 times)", "leave out lasso"], "colour": "#0072b2"}
    total = len(slide.spots)
    assert named.counted(choice) == f"9 of {total} spots ({900 / total:.1f} %), 11 held out, {total - 20} left out"
    assert named.counted(Choice()) == "No spots to choose from."


def test_lines_say_whether_a_set_is_stored(slide: Any) -> None:
    session = Session()
    session.open(slide)
    spots = SpotSet.of("train", slide.spots.ids, first(slide, 9), {})
    session.sets = {"train": spots}
    assert not named.set_lines(session)[0].stored
    storing.store_set(slide, spots, replace=False)
    line = named.set_lines(session)[0]
    assert line.stored
    assert line.words.startswith("train: 9 spots (")
    session.sets = {"train": SpotSet.of("train", slide.spots.ids, first(slide, 10), {})}
    assert "not saved yet" in named.set_lines(session)[0].words


def test_free_names() -> None:
    assert named.free_name([]) == "train"
    assert named.free_name(["train", "train-2", "x"]) == "train-3"


def test_sets_as_regions_come_back_as_the_same_spots(slide: Any, tmp_path: Path) -> None:
    ids = slide.spots.ids
    sets = {"a": SpotSet.of("a", ids, first(slide, 9), {}), "b": SpotSet.of("b", ids, ~first(slide, 200), {})}
    colours = named.colours_of(sets)
    write_regions(tmp_path / "sets.geojson", exchange.set_regions(slide, sets, colours))
    back = read_regions(tmp_path / "sets.geojson")
    assert [(each.label, each.colour) for each in back] == [(n, exchange.rgb(colours[n])) for n in "ab"]
    for each in back:
        assert np.array_equal(spots_inside([each], slide.spots.yx), sets[each.label].mask)
    with pytest.raises(InputError, match="no set of spots"):
        exchange.set_regions(slide, {}, {})
    with pytest.raises(InputError, match="no spot is chosen"):
        exchange.chosen_regions(slide, first(slide, 0), "x")


def test_drawn_shapes_come_back(slide: Any, tmp_path: Path) -> None:
    choice = Choice(len(slide.spots))
    with pytest.raises(InputError, match="no shape was drawn"):
        exchange.drawn_regions(choice.steps)
    choice.apply(Step(How.ADD, first(slide, 9), "lasso", area=box(0, 0, 10, 20)))
    choice.apply(Step(How.SUBTRACT, first(slide, 1), "brush"))
    choice.apply(Step(How.SUBTRACT, first(slide, 2), "rectangle", area=box(5, 5, 10, 20)))
    write_regions(tmp_path / "drawn.geojson", exchange.drawn_regions(choice.steps))
    back = read_regions(tmp_path / "drawn.geojson")
    assert [(each.name, each.label) for each in back] == [("lasso 1", "add"), ("rectangle 2", "subtract")]
    assert back[0].area.equals(box(0, 0, 10, 20))


class Straight:
    """A world that is the slide's pixels."""

    def px_of(self, layer: Any, data: Any) -> Any:
        return np.asarray(data, dtype=float) + 0.5


def test_every_shape_of_a_layer_of_the_user() -> None:
    layer = Shapes(name="mine")
    layer.add_polygons([np.array([[0, 0], [0, 10], [10, 10]]), np.array([[20, 20], [20, 30], [30, 30]])])
    layer.add_ellipses([np.array([[0, 0], [0, 10], [10, 10], [10, 0]])])
    regions = exchange.regions_of_layer(layer, Straight())  # type: ignore[arg-type]
    assert [round(each.area.area) for each in regions] == [50, 50, 78]
    layer.add_lines([np.array([[0, 0], [5, 5]])])
    with pytest.raises(InputError, match="shape 4 of 'mine': a line encloses no spots"):
        exchange.regions_of_layer(layer, Straight())  # type: ignore[arg-type]
    with pytest.raises(InputError, match="holds no shape"):
        exchange.regions_of_layer(Shapes(name="empty"), Straight())  # type: ignore[arg-type]
    for other in (None, Image(np.zeros((4, 4)))):
        with pytest.raises(InputError, match="no Shapes layer"):
            exchange.regions_of_layer(other, Straight())  # type: ignore[arg-type]


@pytest.mark.parametrize("way", ["random", "lasso", "brush", "polygon file", "stored set"])
def test_the_command_chooses_the_same_spots(slide: Any, tmp_path: Path, way: str) -> None:
    session, choice = Session(), Choice(len(slide.spots))
    session.open(slide)
    corner = slide.spots.yx.mean(axis=0)
    area = box(0, 0, corner[1], corner[0])
    inside = spots_inside([exchange.Region(area)], slide.spots.yx)
    path = tmp_path / "q.geojson"
    if way == "random":
        choice.apply(recipes.random_share(slide, How.ADD, 0.2, 5, "random"))
    elif way == "lasso":
        choice.apply(Step(How.ADD, inside, "lasso", area=area))
    elif way == "brush":
        choice.apply(Step(How.ADD, inside, "lasso", area=area))
        choice.apply(Step(How.SUBTRACT, first(slide, 3), "brush"))
    elif way == "polygon file":
        write_regions(path, [exchange.Region(area, label="Tumor")])
        choice.apply(recipes.by_regions(slide, How.ADD, read_regions(path), path, ["Tumor"]))
    else:
        choice.adopt(inside, said={"by_hand": ["add lasso"]})
    task, values = repeating.command_of(session, choice, "again")
    assert task == "select"
    assert np.array_equal(cli_mask(slide, **values), choice.mask)
    known = {"random": "fraction", "lasso": "polygon", "brush": "ids", "polygon file": "polygon", "stored set": "ids"}
    assert known[way] in values
    if way == "polygon file":
        assert values["polygon_class"] == ["Tumor"]
        assert values["polygon"] == str(path)


def test_no_command_for_no_choice(slide: Any) -> None:
    with pytest.raises(InputError, match="no slide is open"):
        repeating.command_of(Session(), Choice(), "x")
    session = Session()
    session.open(slide)
    with pytest.raises(InputError, match="no spot is chosen"):
        repeating.command_of(session, Choice(len(slide.spots)), "x")


def test_storing_renaming_and_deleting_touch_nothing_else(slide: Any, store: Path) -> None:
    before = {p.relative_to(store): p.read_bytes() for p in store.glob("tables/table/**/*") if p.is_file()}
    spots = SpotSet.of("train", slide.spots.ids, first(slide, 9), {"colour": "#0072b2"})
    storing.store_set(slide, spots, replace=False)
    with pytest.raises(InputError, match="already has a spot set 'train'"):
        storing.store_set(slide, spots, replace=False)
    new = SpotSet("other", spots.ids, spots.mask, spots.how, spots.left_out)
    storing.store_set(slide, new, replace=False, instead_of="train")
    again = open_slide(store)
    assert spot_set_names(again) == spot_set_names(slide) == ["other"]
    assert read_spot_set(again, "other").same_as(new)
    storing.delete_set(slide, "other")
    assert spot_set_names(open_slide(store)) == spot_set_names(slide) == []
    assert {p.relative_to(store): p.read_bytes() for p in store.glob("tables/table/**/*") if p.is_file()} == before
    assert [p.name for p in store.parent.iterdir()] == [store.name]  # nothing temporary stays
    with pytest.raises(InputError, match="has no spot set 'other'"):
        storing.delete_set(slide, "other")


def test_a_store_is_made_beside_the_slide_but_never_over_another(slide: Any, tmp_path: Path) -> None:
    folder = tmp_path / "raw" / "P1"
    folder.mkdir(parents=True)
    object.__setattr__(slide, "path", folder)
    assert storing.target_of(slide) == tmp_path / "raw" / "P1.zarr"
    (tmp_path / "raw" / "P1.zarr").mkdir()
    with pytest.raises(InputError, match="is there already"):
        storing.target_of(slide)


def test_geojson_is_as_qupath_has_it(tmp_path: Path) -> None:
    path = tmp_path / "out.geojson"
    holed = box(0, 0, 30, 30).difference(box(10, 10, 20, 20))
    regions = [
        exchange.Region(holed, "front", "Tumor", (200, 0, 0)),
        exchange.Region(box(0, 0, 1, 1).union(box(5, 5, 6, 6))),
        exchange.Region(box(0.123456, 0, 1, 1), colour=(1, 2, 3)),
    ]
    write_regions(path, regions)
    raw = json.loads(path.read_text())
    assert raw["type"] == "FeatureCollection"
    assert raw["features"][0]["properties"] == {
        "objectType": "annotation",
        "name": "front",
        "classification": {"name": "Tumor", "color": [200, 0, 0]},
    }
    assert raw["features"][1]["geometry"]["type"] == "MultiPolygon"
    back = read_regions(path)
    assert [(r.name, r.label, r.colour) for r in back] == [(r.name, r.label, r.colour) for r in regions]
    for one, other in zip(back, regions, strict=True):
        assert one.area.symmetric_difference(other.area).area < 0.02
    with pytest.raises(InputError, match="no shape to write"):
        write_regions(path, [])
    with pytest.raises(InputError, match="shape 1 of 1 is empty"):
        write_regions(path, [exchange.Region(box(0, 0, 1, 1).intersection(box(5, 5, 6, 6)))])
    with pytest.raises(InputError, match="there is no folder"):
        write_regions(tmp_path / "nope" / "out.geojson", regions)
    assert len(read_regions(path)) == 3  # what was there is still whole
