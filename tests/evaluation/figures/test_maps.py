from __future__ import annotations

import numpy as np
import pytest

from napari_c2lst.evaluation.figures.maps import demo_genes, maps_figure


def draw(scene, **predictions):
    return maps_figure(scene.tissue, scene.yx_um, ["A", "B"], scene.truth, predictions, ~scene.training)


def coloured(axes):
    return next(c for c in axes.collections if c.get_array() is not None)


def test_truth_and_predictions_share_one_colour_scale_a_gene(scene) -> None:
    figure = draw(scene, first=scene.truth * 0.5, second=scene.truth + 9)
    maps = figure.axes[:6]
    held = ~scene.training
    for row in (maps[:3], maps[3:]):
        assert len({coloured(axes).get_clim() for axes in row}) == 1
    assert coloured(maps[0]).get_clim() == pytest.approx(tuple(np.percentile(scene.truth[held, 0], [2, 98])))


def test_only_held_out_spots_are_coloured(scene) -> None:
    figure = draw(scene, first=scene.truth * 0.5)
    held = ~scene.training
    np.testing.assert_allclose(coloured(figure.axes[0]).get_array(), scene.truth[held, 0])
    np.testing.assert_allclose(coloured(figure.axes[1]).get_array(), 0.5 * scene.truth[held, 0])
    assert len(figure.axes[0].collections[0].get_paths()) == scene.training.sum()


def test_predictions_of_held_out_spots_are_enough(scene) -> None:
    truth, prediction = scene.truth.copy(), scene.truth * 0.5
    truth[scene.training] = prediction[scene.training] = np.nan
    figure = maps_figure(scene.tissue, scene.yx_um, ["A", "B"], truth, {"x": prediction}, ~scene.training)
    assert np.isfinite(coloured(figure.axes[1]).get_array()).all()


def test_each_prediction_says_its_r_and_a_constant_says_none(scene) -> None:
    figure = draw(scene, good=scene.truth * 0.5, flat=np.ones_like(scene.truth))
    texts = [[text.get_text() for text in axes.texts] for axes in figure.axes[:3]]
    assert texts == [[], ["r = 1.00"], ["r: none"]]
    assert [axes.get_title() for axes in figure.axes[:3]] == ["measured", "good", "flat"]


def test_a_gene_that_is_zero_everywhere_can_be_drawn(scene) -> None:
    zero = np.zeros_like(scene.truth)
    figure = maps_figure(None, scene.yx_um, ["A", "B"], zero, {"x": zero}, ~scene.training)
    low, high = coloured(figure.axes[0]).get_clim()
    assert low < high


def neighbours_agree(n: int = 12, seed: int = 0) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Gene 0: pure noise of the largest variance; 1 and 2: the same gradient; 3: another gradient; 4: a named clone."""
    y, x = (grid.ravel() for grid in np.mgrid[:n, :n])
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(n * n, 5))
    across, down = x / n - 0.5, y / n - 0.5
    values = [4 * noise[:, 0], 6 * across + 0.3 * noise[:, 1], 5 * across + 0.3 * noise[:, 2], 4 * down, 9 * down]
    return np.stack(values, 1), 100.0 * np.stack([y, x], 1), ["NOISE", "LEFT", "LEFT2", "DOWN", "AP000769.1"]


def test_demo_genes_have_structure_and_differ() -> None:
    targets, yx, genes = neighbours_agree()
    chosen = demo_genes(targets, genes, yx, np.ones(len(yx), bool), count=2)
    assert chosen == ["LEFT", "DOWN"]  # not the noisy one, not the same map twice, not the unnamed clone


def test_demo_genes_read_training_spots_only() -> None:
    targets, yx, genes = neighbours_agree()
    training = np.arange(len(yx)) % 3 == 0
    chosen = demo_genes(targets, genes, yx, training)
    changed = targets.copy()
    changed[~training] = np.random.default_rng(1).normal(0, 100, changed[~training].shape)
    assert demo_genes(changed, genes, yx, training) == chosen


def test_demo_genes_take_what_there_is() -> None:
    targets, yx, genes = neighbours_agree()
    everywhere = np.ones(len(yx), bool)
    assert set(demo_genes(targets, genes, yx, everywhere, count=5)) == set(genes)
    assert len(demo_genes(targets[:, :1], genes[:1], yx, everywhere)) == 1


def test_genes_name_their_rows_and_one_bar_explains_each(scene) -> None:
    figure = draw(scene, x=scene.truth)
    assert [axes.get_ylabel() for axes in figure.axes[:4:2]] == ["A", "B"]
    bars = [axes for axes in figure.axes[4:] if axes.get_ylabel() == "expression, log(1 + x)"]
    assert len(bars) == 2


def test_far_spots_are_drawn_larger_and_near_ones_true_to_size(scene) -> None:
    def shown(diameter_um: float) -> float:
        figure = maps_figure(None, scene.yx_um, ["A", "B"], scene.truth, {}, ~scene.training, diameter_um=diameter_um)
        return coloured(figure.axes[0]).get_paths()[0].get_extents().width

    assert shown(10.0) == pytest.approx(85)  # 85 % of the pitch of 100 um
    assert shown(95.0) == pytest.approx(95)


def test_one_spot_has_its_true_size() -> None:
    one = np.array([[200.0, 200.0]])
    figure = maps_figure(None, one, ["A"], np.ones((1, 1)), {}, np.array([True]), diameter_um=55.0)
    assert coloured(figure.axes[0]).get_paths()[0].get_extents().width == pytest.approx(55)


def test_a_prediction_the_wrong_way_round_says_so(scene) -> None:
    figure = draw(scene, wrong=-scene.truth)
    assert [text.get_text() for text in figure.axes[1].texts] == ["r = -1.00"]


def test_the_tissue_behind_is_faded(scene) -> None:
    figure = draw(scene, x=scene.truth)
    shown = np.asarray(figure.axes[0].images[0].get_array())
    assert shown.min() > scene.tissue.image.min()
    assert (shown[..., 0] == shown[..., 2]).all()  # grey: the colours belong to the genes
    assert len(figure.axes[1].images) == 1


def test_demo_genes_of_equal_covariance_come_in_the_order_of_the_panel() -> None:
    targets, yx, _ = neighbours_agree()
    same = np.repeat(targets[:, 1:2], 3, axis=1)
    assert demo_genes(same, ["A", "B", "C"], yx, np.ones(len(yx), bool), count=2) == ["A", "B"]


@pytest.mark.parametrize("count", [1, 2])
def test_demo_genes_of_hardly_any_training_spot(count: int) -> None:
    targets, yx, genes = neighbours_agree()
    training = np.arange(len(yx)) < count
    chosen = demo_genes(targets, genes, yx, training, count=3)
    assert len(set(chosen)) == 3
    assert "AP000769.1" not in chosen  # an unnamed clone still stands back


@pytest.mark.parametrize("name", ["MT-CO1", "RPL3", "RPS27A", "ENSG00000139618", "ENSMUSG00000064351.3", "AC004556.1"])
def test_names_that_say_little_stand_back(name: str) -> None:
    targets, yx, _ = neighbours_agree()
    both = np.stack([10 * targets[:, 4], 0.1 * targets[:, 1]], axis=1)
    assert demo_genes(both, [name, "ERBB2"], yx, np.ones(len(yx), bool), count=1) == ["ERBB2"]
