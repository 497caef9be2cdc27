from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import spatialdata
import torch
from PIL import Image
from spatialdata.transformations import get_transformation
from tests.slides.stores import make_tiny_store, tiny_image

from napari_c2lst.common.errors import InputError, Stopped
from napari_c2lst.common.places import is_place
from napari_c2lst.common.reporter import RecordingReporter, Reporter
from napari_c2lst.expression.grid import tissue_grid
from napari_c2lst.expression.predicting import PredictResult, csv_files, run
from napari_c2lst.expression.predictor import load_predictor
from napari_c2lst.expression.settings import PredictSettings
from napari_c2lst.expression.tables import read_written
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.patches.cutting import spot_patches, stain_reference
from napari_c2lst.slides.stain.of_slide import SlideStain


def predict(slide: Path, predictor: Path, reporter: Reporter | None = None, **values: Any) -> PredictResult:
    settings = PredictSettings.resolve(slide=slide, predictor=predictor, device="cpu", precision="fp32", **values)
    return run(settings, reporter or Reporter())


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def with_a_stain(predictor: Path, slide: Path, out: Path) -> Path:
    """A copy of a predictor that wants patches in a stain, a stronger one than the slide's."""
    loaded, opened = load_predictor(predictor), open_slide(slide)
    faint = stain_reference(opened, loaded.spec)
    strong = faint.model_copy(update={"values": tuple(tuple(1.5 * v for v in row) for row in faint.values)})
    facts = loaded.facts.model_copy(update={"spec": loaded.spec.model_copy(update={"stain": strong})})
    return dataclasses.replace(loaded, facts=facts).save(out)


class TestSpots:
    def test_held_out_spots_are_predicted_and_written(self, store: Path, trained_once: Path) -> None:
        result = predict(store, trained_once)
        assert (result.n_spots, result.n_grid, result.genes) == (42, 0, 12)
        assert result.elements == ("c2lst_spots_tiny_run",)
        table = spatialdata.read_zarr(store).tables["c2lst_spots_tiny_run"]
        slide, predictor = open_slide(store), load_predictor(trained_once, precision="fp32")
        held_out = np.arange(63) % 3 != 0
        patches = spot_patches(slide, slide.require_spots().yx[held_out], predictor.spec)
        np.testing.assert_allclose(table.X, predictor.predict(patches), atol=1e-5)
        assert table.obs_names.tolist() == slide.require_spots().ids[held_out].tolist()
        assert table.obs["held_out"].all()
        assert result.lines()[0].startswith("predicted 12 genes at 42 spots in ")

    def test_all_spots(self, store: Path, trained_once: Path) -> None:
        assert predict(store, trained_once, spots="all").n_spots == 63
        table = spatialdata.read_zarr(store).tables["c2lst_spots_tiny_run"]
        assert table.obs["training"].sum() == 21

    def test_a_result_is_called_after_its_run_or_its_file(self, store: Path, trained_once: Path) -> None:
        result = predict(store, trained_once / "predictor.safetensors")
        assert result.elements == ("c2lst_spots_tiny_run",)

    def test_the_batch_changes_nothing(self, store: Path, trained_once: Path) -> None:
        for batch in (5, 64):
            predict(store, trained_once, batch=batch, name=f"b{batch}")
        tables = spatialdata.read_zarr(store).tables
        np.testing.assert_allclose(tables["c2lst_spots_b5"].X, tables["c2lst_spots_b64"].X, atol=1e-5)

    def test_a_device_may_match_the_stain_itself(
        self, store: Path, trained_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with_stain, seen = with_a_stain(trained_once, store, tmp_path / "with_stain"), set[type]()
        normalise = SlideStain.normalise

        def watched(self: SlideStain, patches: Any, normalizer: Any) -> Any:
            seen.add(type(patches))
            return normalise(self, patches, normalizer)

        monkeypatch.setattr(SlideStain, "normalise", watched)
        predict(store, with_stain, name="array")
        monkeypatch.setattr("napari_c2lst.expression.predicting._STAINING_DEVICES", {"cpu"})
        predict(store, with_stain, name="tensor")
        assert seen == {np.ndarray, torch.Tensor}
        tables = spatialdata.read_zarr(store).tables
        array, tensor = (np.asarray(tables[f"c2lst_spots_{name}"].X) for name in ("array", "tensor"))
        monkeypatch.setattr(SlideStain, "normalise", lambda self, patches, normalizer: patches)
        predict(store, with_stain, name="plain")
        plain = np.asarray(spatialdata.read_zarr(store).tables["c2lst_spots_plain"].X)
        # a grey level here and there, and what no matching at all would do
        assert np.abs(tensor - array).max() < 0.05 * np.abs(plain - array).max()

    def test_the_table_says_what_made_it(self, store: Path, trained_once: Path) -> None:
        predict(store, trained_once)
        written = read_written(spatialdata.read_zarr(store).tables["c2lst_spots_tiny_run"])
        predictor = load_predictor(trained_once)
        assert written.predictor == predictor.facts
        assert written.predictor_hash == predictor.content_hash
        assert is_place(written.predictor_path, trained_once / "predictor.safetensors", store)
        assert not Path(written.predictor_path).is_absolute()
        assert written.mpp == pytest.approx(2.5, rel=1e-3)

    def test_another_slide_has_only_held_out_spots_and_needs_none_of_the_genes(
        self, trained_once: Path, tmp_path: Path
    ) -> None:
        other = make_tiny_store(tmp_path / "other.zarr", gene_names=["X", "Y", "Z"], mpp=3.0)
        assert predict(other, trained_once).n_spots == 63

    def test_a_predictor_that_knows_every_spot(self, store: Path, trained_once: Path, monkeypatch: Any) -> None:
        from napari_c2lst.expression.predictor import Predictor

        monkeypatch.setattr(Predictor, "knows", lambda self, slide: np.ones(63, bool))
        with pytest.raises(InputError, match="was trained on all 63 spots"):
            predict(store, trained_once)
        assert predict(store, trained_once, spots="all").n_spots == 63


class TestGrid:
    def test_all_tissue_is_predicted_and_written(self, store: Path, trained_once: Path) -> None:
        result = predict(store, trained_once, where="grid", rasters=["GENE00", "GENE03"])
        sdata, slide, predictor = (
            spatialdata.read_zarr(store),
            open_slide(store),
            load_predictor(trained_once, precision="fp32"),
        )
        grid = tissue_grid(slide, 56.0, 112.0)
        assert result.n_grid == len(grid) > 100
        table = sdata.tables["c2lst_grid_tiny_run_table"]
        np.testing.assert_allclose(table.X, predictor.predict(spot_patches(slide, grid.yx, predictor.spec)), atol=1e-5)
        shapes, rows = spatialdata.join_spatialelement_table(
            sdata=sdata, spatial_element_names="c2lst_grid_tiny_run", table_name="c2lst_grid_tiny_run_table"
        )
        assert len(shapes["c2lst_grid_tiny_run"]) == rows.n_obs == len(grid)
        image = sdata.images["c2lst_raster_tiny_run_GENE03"]
        at = np.asarray(image)[0][tuple(grid.rows_columns.T)]
        np.testing.assert_allclose(at, np.asarray(table[:, "GENE03"].X).ravel())
        assert "c2lst_raster_tiny_run_GENE00" in sdata.images

    def test_everything_lies_where_the_image_lies(self, trained_once: Path, tmp_path: Path) -> None:
        from tests.expression.test_grid import AFFINE

        store = make_tiny_store(tmp_path / "a.zarr", coordinate_system="aligned", transformation=AFFINE)
        predict(store, trained_once, where="grid", rasters=["GENE00"])
        sdata = spatialdata.read_zarr(store)
        grid = tissue_grid(open_slide(store), 56.0, 112.0)
        circle = sdata.shapes["c2lst_grid_tiny_run"]
        of_circle = get_transformation(circle, "aligned").to_affine_matrix(("x", "y"), ("x", "y"))
        raster = sdata.images["c2lst_raster_tiny_run_GENE00"]
        of_raster = get_transformation(raster, "aligned").to_affine_matrix(("x", "y"), ("x", "y"))
        of_image = AFFINE.to_affine_matrix(("x", "y"), ("x", "y"))
        wanted = np.c_[grid.yx[:, ::-1], np.ones(len(grid))] @ of_image.T
        centres = np.c_[circle.geometry.x, circle.geometry.y, np.ones(len(circle))]
        pixels = np.c_[grid.rows_columns[:, ::-1] + 0.5, np.ones(len(grid))]
        np.testing.assert_allclose(centres @ of_circle.T, wanted)
        np.testing.assert_allclose(pixels @ of_raster.T, wanted, atol=1e-6)

    def test_an_image_alone_is_converted_and_predicted(self, trained_once: Path, tmp_path: Path) -> None:
        file = tmp_path / "tissue.png"
        Image.fromarray(np.moveaxis(tiny_image(), 0, -1)).save(file)
        reporter = RecordingReporter()
        result = predict(file, trained_once, reporter, where="grid", mpp=2.5)
        assert result.store.suffix == ".zarr"
        assert "c2lst_grid_tiny_run" in spatialdata.read_zarr(result.store).shapes
        assert any("is converted to" in m for m in reporter.messages)
        with pytest.raises(InputError, match="has no spots"):
            predict(file, trained_once, where="spots", mpp=2.5)

    def test_a_coarser_stride(self, store: Path, trained_once: Path) -> None:
        fine = predict(store, trained_once, where="grid").n_grid
        assert predict(store, trained_once, where="grid", stride_um=112).n_grid == pytest.approx(fine / 4, rel=0.2)

    def test_spots_and_grid_with_spread_and_text(self, store: Path, trained_once: Path, tmp_path: Path) -> None:
        result = predict(store, trained_once, where="both", tta=True, csv=tmp_path / "out.csv", name="mine")
        assert result.n_spots == 42
        assert result.csv == (tmp_path / "out.csv", tmp_path / "out_grid.csv")
        tables = spatialdata.read_zarr(store).tables
        for file, name in zip(result.csv, ("c2lst_spots_mine", "c2lst_grid_mine_table"), strict=True):
            assert tables[name].layers["spread"].max() > 0
            frame = pd.read_csv(file, index_col="name")
            assert frame.index.tolist() == tables[name].obs_names.tolist()
            np.testing.assert_allclose(frame[tables[name].var_names], tables[name].X, atol=6e-5)


class TestStore:
    def test_what_is_the_users_stays_as_it_was(self, store: Path, trained_once: Path) -> None:
        before = contents(store)
        predict(store, trained_once, where="both", rasters=["GENE00"])
        after = contents(store)
        changed = {k for k, v in before.items() if after.get(k) != v}
        assert changed <= {"zarr.json"}
        assert all("c2lst_" in k for k in after.keys() - before.keys())
        assert [p.name for p in store.parent.iterdir()] == ["tiny.zarr"]

    def test_predicting_again_replaces_the_result(self, store: Path, trained_once: Path) -> None:
        predict(store, trained_once, spots="all")
        predict(store, trained_once)
        assert spatialdata.read_zarr(store).tables["c2lst_spots_tiny_run"].n_obs == 42

    def test_a_stop_leaves_the_slide_as_it_was(self, store: Path, trained_once: Path) -> None:
        before = contents(store)
        with pytest.raises(Stopped, match="stopped after 10 of 42 spots") as stopped:
            predict(store, trained_once, RecordingReporter(stop_after=2), batch=5)
        assert "the same command goes on" in stopped.value.hint
        assert contents(store) == before
        assert sorted(p.name for p in store.parent.iterdir()) == [".tiny.zarr.tiny_run.spots.part", "tiny.zarr"]

    def test_a_stopped_prediction_goes_on_and_ends_as_an_unbroken_one(self, store: Path, trained_once: Path) -> None:
        with pytest.raises(Stopped):
            predict(store, trained_once, RecordingReporter(stop_after=2), batch=5)
        reporter = RecordingReporter()
        predict(store, trained_once, reporter, batch=5)
        assert "going on after 10 of 42 spots" in reporter.messages
        assert reporter.of_kind("progress")[0]["done"] == 15
        parts = spatialdata.read_zarr(store).tables["c2lst_spots_tiny_run"].X
        predict(store, trained_once, batch=5)
        whole = spatialdata.read_zarr(store).tables["c2lst_spots_tiny_run"].X
        np.testing.assert_allclose(np.asarray(parts), np.asarray(whole), atol=1e-5)
        assert [p.name for p in store.parent.iterdir()] == ["tiny.zarr"]

    def test_never_predicts_everything_anew(self, store: Path, trained_once: Path) -> None:
        with pytest.raises(Stopped):
            predict(store, trained_once, RecordingReporter(stop_after=2), batch=5)
        reporter = RecordingReporter()
        predict(store, trained_once, reporter, batch=5, resume="never")
        assert reporter.of_kind("progress")[0]["done"] == 5
        assert not [m for m in reporter.messages if "going on" in m]

    def test_progress_is_told(self, store: Path, trained_once: Path) -> None:
        reporter = RecordingReporter()
        predict(store, trained_once, reporter, batch=20)
        assert [(p["done"], p["total"]) for p in reporter.of_kind("progress")] == [(20, 42), (40, 42), (42, 42)]


class TestFull:
    def test_a_full_disk_leaves_the_slide_as_it_was(
        self, store: Path, trained_once: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from napari_c2lst.expression import rows

        def full(self: Any, index: Any, values: Any) -> None:
            with rows.disk_errors(store):
                raise OSError(28, "No space left on device")

        before = contents(store)
        monkeypatch.setattr(rows.RowsOnDisk, "write", full)
        with pytest.raises(InputError, match="the disk is full"):
            predict(store, trained_once, where="both")
        assert contents(store) == before
        assert [p.name for p in store.parent.iterdir()] == ["tiny.zarr"]

    def test_patches_are_never_together_in_memory(
        self, store: Path, trained_once: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """However many positions: the network is given a batch, and the batch before is gone."""
        import weakref

        from napari_c2lst.expression.predictor import Predictor

        alive: list[int] = []
        seen: list[weakref.ref[np.ndarray]] = []
        original = Predictor.predict_with_spread

        def watched(self: Predictor, patches: np.ndarray, *args: Any, **more: Any) -> Any:
            seen.append(weakref.ref(patches))
            alive.append(sum(ref() is not None for ref in seen))
            return original(self, patches, *args, **more)

        monkeypatch.setattr(Predictor, "predict_with_spread", watched)
        predict(store, trained_once, where="grid", batch=10)
        assert len(alive) > 10
        assert max(alive) <= 2


class TestRefused:
    @pytest.mark.parametrize(
        ("values", "message"),
        [
            ({"rasters": ["GENE00", "BRCA1", "TP53"], "where": "grid"}, "does not know BRCA1, TP53"),
            ({"predictor": Path("/no/run")}, "there is no predictor"),
            ({"name": "a b"}, "cannot be the name of a result"),
            ({"csv": Path("/tmp")}, "is a folder"),
            ({"slide": Path("/no/slide.zarr")}, "there is no '/no/slide.zarr'"),
        ],
        ids=["genes", "predictor", "name", "csv", "slide"],
    )
    def test_bad_input(self, store_once: Path, trained_once: Path, values: dict[str, Any], message: str) -> None:
        before = contents(store_once)
        with pytest.raises(InputError, match=message):
            predict(**{"slide": store_once, "predictor": trained_once, **values})
        assert contents(store_once) == before


def test_csv_files() -> None:
    assert csv_files(Path("a/out.csv"), "grid") == [Path("a/out.csv")]
    assert csv_files(Path("a/out.csv"), "both") == [Path("a/out.csv"), Path("a/out_grid.csv")]
