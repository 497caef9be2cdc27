"""Slides that are darker than what weights have learned from."""

from pathlib import Path

import numpy as np
import pytest

from napari_c2lst.cells.density import (
    AS_IT_IS,
    LIGHTEST,
    chosen_factors,
    density_note,
    density_of,
    factors_for,
    lightened,
    slide_factors,
)
from napari_c2lst.cells.facts import CellFacts, Density
from napari_c2lst.cells.weights import load_hovernet
from napari_c2lst.common.reporter import RecordingReporter
from napari_c2lst.slides.images.tissue import TissueMask, tissue_mask
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.sample_data import sample_slide_path


def of_density(*densities: float) -> np.ndarray:
    """An image with columns of these optical densities, 100 pixels each."""
    columns = np.repeat([np.exp(-d) * 256 - 1 for d in densities], 100)
    return np.broadcast_to(np.rint(columns)[None, :, None], (10, len(columns), 3)).astype(np.uint8)


class TestMeasuring:
    def test_a_flat_image_has_its_own(self) -> None:
        assert density_of([of_density(0.8)]) == pytest.approx((0.8, 0.8, 0.8), abs=0.01)

    def test_the_darkest_few_per_cent_count(self) -> None:
        tissue, nuclei = np.full((100, 95, 3), 150, np.uint8), np.full((100, 5, 3), 50, np.uint8)
        assert density_of([np.hstack([tissue, nuclei])]) == pytest.approx([-np.log(51 / 256)] * 3, abs=0.01)

    def test_glass_does_not(self) -> None:
        slide = of_density(0.8)
        glass = np.full((500, 500, 3), 250, np.uint8)
        assert density_of([slide, glass]) == density_of([slide])

    def test_how_the_images_are_cut_does_not(self) -> None:
        image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
        assert density_of([image]) == density_of([image[:20], image[20:]])

    @pytest.mark.parametrize("images", [[], [np.full((8, 8, 3), 255, np.uint8)]])
    def test_nothing_but_glass_has_none(self, images: list[np.ndarray]) -> None:
        assert density_of(images) is None


class TestChoosing:
    def test_a_darker_slide_is_brought_to_what_is_known(self) -> None:
        assert factors_for((1.0, 1.0, 1.0), (1.6, 2.0, 1.0)) == pytest.approx((0.62, 0.5, 1.0))

    def test_a_lighter_one_stays(self) -> None:
        assert factors_for((1.0, 1.0, 1.0), (0.5, 0.9, 0.2)) == AS_IT_IS

    def test_no_slide_is_bleached(self) -> None:
        assert factors_for((0.1, 1.0, 1.0), (3.0, 1.0, 1.0)) == (LIGHTEST, 1.0, 1.0)

    @pytest.mark.parametrize(("known", "found"), [(None, (1.6, 1.6, 1.6)), ((1.0, 1.0, 1.0), None), (None, None)])
    def test_what_is_not_known_changes_nothing(self, known: Density | None, found: Density | None) -> None:
        assert factors_for(known, found) == AS_IT_IS


class TestLightening:
    def test_densities_are_multiplied(self) -> None:
        image = of_density(0.5, 1.0, 1.5)
        lighter = lightened(image, (0.5, 0.8, 1.0))
        assert density_of([lighter[:, 100:200]]) == pytest.approx((0.5, 0.8, 1.0), abs=0.02)
        assert density_of([lighter[:, 200:]]) == pytest.approx((0.75, 1.2, 1.5), abs=0.02)

    def test_one_gives_the_very_pixels_back(self) -> None:
        image = of_density(0.5, 1.0)
        assert lightened(image, AS_IT_IS) is image

    def test_black_and_white_stay_in_range(self) -> None:
        ends = np.array([[[0, 0, 0], [255, 255, 255]]], np.uint8)
        assert lightened(ends, (0.63, 0.63, 0.63))[0, 1].tolist() == [255, 255, 255]
        assert lightened(ends, (2.0, 2.0, 2.0))[0, 0].tolist() == [0, 0, 0]

    def test_what_was_lightened_is_as_dark_as_what_is_known(self) -> None:
        image = of_density(0.3, 0.9, 2.0)
        found = density_of([image])
        known = (1.0, 1.2, 0.9)
        assert density_of([lightened(image, factors_for(known, found))]) == pytest.approx(known, abs=0.03)


class TestSlides:
    def test_the_sample_slide_is_darker_than_consep(self) -> None:
        slide = open_slide(sample_slide_path())
        facts = load_hovernet("embedded").facts
        assert facts.density is not None
        factors = slide_factors(slide, facts, tissue_mask(slide))
        assert all(0.4 < factor < 0.85 for factor in factors)
        assert factors[0] < factors[1]  # its haematoxylin is bluer
        assert factors == slide_factors(slide, facts, tissue_mask(slide))

    def test_weights_that_do_not_say_change_no_slide(self) -> None:
        slide = open_slide(sample_slide_path())
        assert slide_factors(slide, CellFacts(mode="fast"), tissue_mask(slide)) == AS_IT_IS

    def test_the_user_is_told_how_to_leave_it(self) -> None:
        assert density_note(AS_IT_IS) is None
        assert "times 0.47, 0.73 and 0.62" in str(density_note((0.47, 0.73, 0.62)))


def test_weights_on_disk_say_how_dark_their_tissue_was(tmp_path: Path) -> None:
    from napari_c2lst.cells.weights import save_hovernet

    model = load_hovernet("embedded")
    facts = model.facts.model_copy(update={"density": (0.7, 0.8, 0.9)})
    assert load_hovernet(save_hovernet(model.net, facts, tmp_path / "w.safetensors")).facts.density == (0.7, 0.8, 0.9)


class TestWhatIsUsed:
    def test_a_factor_of_the_user_is_neither_measured_nor_explained(self) -> None:
        """He knows what he gave; and it may as well make the slide darker."""
        reporter = RecordingReporter()
        chosen = chosen_factors(2.0, lambda: pytest.fail("measured"), reporter)
        assert chosen == (2.0, 2.0, 2.0)
        assert reporter.messages == []

    def test_what_is_measured_is_told(self) -> None:
        reporter = RecordingReporter()
        assert chosen_factors(None, lambda: (0.5, 0.75, 1.0), reporter) == (0.5, 0.75, 1.0)
        note = density_note((0.5, 0.75, 1.0))
        assert reporter.messages == [f"{note} before the network sees them (--density 1 leaves them)"]

    def test_nothing_to_change_is_nothing_to_tell(self) -> None:
        reporter = RecordingReporter()
        assert chosen_factors(None, lambda: AS_IT_IS, reporter) == AS_IT_IS
        assert reporter.messages == []

    def test_a_slide_without_tissue_is_left(self) -> None:
        facts = CellFacts(mode="fast", density=(0.5, 0.5, 0.5))
        assert slide_factors(None, facts, TissueMask(np.zeros((4, 4), bool), 32.0)) == AS_IT_IS


@pytest.mark.parametrize("shape", [(4, 5, 3), (2, 4, 5, 3), (0, 4, 5, 3)])
def test_each_channel_has_its_own_factor(shape: tuple[int, ...]) -> None:
    images = np.full(shape, 63, np.uint8)  # a density of log 4
    lighter = lightened(images, (0.5, 1.0, 0.75))
    assert lighter.shape == shape
    assert lighter.dtype == np.uint8
    wanted = [127, 63, round(256 / 4**0.75 - 1)]
    assert all((lighter[..., channel] == wanted[channel]).all() for channel in range(3))
    assert (images == 63).all()


def test_lighter_never_turns_the_order_of_shades() -> None:
    shades = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    lighter = lightened(shades, (0.4, 0.62, 0.9)).astype(int)
    assert (np.diff(lighter, axis=1) >= 0).all()
    assert (lighter >= shades).all()
