"""KID: zero in the mean for one distribution, larger the further two are apart, and where its features come from."""

import numpy as np
import pytest
from PIL import Image

from napari_c2lst.common.errors import InputError
from napari_c2lst.diffusion.kid import COLOUR, kid, kid_spread, load_extractor


def normal(n, d=8, shift=0.0, seed=0):
    return np.random.default_rng(seed).normal(shift, 1, (n, d))


def test_two_samples_of_one_distribution_give_zero_in_the_mean():
    values = [kid(normal(200, seed=2 * i), normal(200, seed=2 * i + 1)) for i in range(40)]
    assert abs(np.mean(values)) < 3 * np.std(values) / 40**0.5
    assert min(values) < 0 < max(values)


def test_it_grows_with_the_distance():
    values = [kid(normal(200, seed=1), normal(200, shift=shift, seed=2)) for shift in (0, 0.3, 0.6, 1.2)]
    assert values == sorted(values)
    assert values[-1] > 1


def test_it_is_the_double_sum_by_hand():
    x, y = np.array([[1.0], [3.0], [5.0]]), np.array([[2.0], [8.0]])
    z = (x - 3) / x.std()
    w = (y - 3) / x.std()

    def k(a, b):
        return (a * b + 1) ** 3

    xx = np.mean([k(z[i, 0], z[j, 0]) for i in range(3) for j in range(3) if i != j])
    yy = np.mean([k(w[i, 0], w[j, 0]) for i in range(2) for j in range(2) if i != j])
    xy = np.mean([k(a, b) for a in z[:, 0] for b in w[:, 0]])
    assert kid(x, y) == pytest.approx(xx + yy - 2 * xy)


def test_units_of_features_do_not_matter():
    x, y = normal(50, seed=1), normal(50, shift=0.5, seed=2)
    scale = np.logspace(-3, 3, 8)
    assert kid(x * scale, y * scale) == pytest.approx(kid(x, y))


def test_a_feature_that_never_varies_does_no_harm():
    x, y = normal(50, seed=1), normal(50, seed=2)
    x[:, 0] = y[:, 0] = 4
    assert np.isfinite(kid(x, y))


def test_the_spread_is_that_of_subsets_and_follows_the_seed():
    x, y = normal(300, seed=1), normal(300, seed=2)
    assert kid_spread(x, y, size=50) > kid_spread(x, y, size=200) > 0
    assert kid_spread(x, y, seed=3) == kid_spread(x, y, seed=3)


def test_colour_features_need_nothing_and_tell_tissue_from_noise(shared):
    extractor = load_extractor()
    assert extractor.name == COLOUR
    file = shared / "her2st" / "C2" / "5714_HE_BT_C2.jpg"
    picture = np.asarray(Image.open(file).convert("RGB").crop((3000, 3000, 3224, 3224)))
    crops = np.stack([picture[y : y + 32, x : x + 32] for y in range(0, 224, 32) for x in range(0, 224, 32)])
    noise = np.random.default_rng(0).integers(0, 255, crops.shape, dtype=np.uint8)
    features = extractor.features(crops)
    assert features.shape == (49, 42)
    assert kid(features[::2], extractor.features(noise)) > 10 * abs(kid(features[::2], features[1::2]))


def test_a_model_of_the_users_gives_features_without_a_download(tmp_path):
    from transformers import ResNetConfig, ResNetModel

    config = ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic")
    ResNetModel(config).save_pretrained(tmp_path / "my-resnet")
    extractor = load_extractor(str(tmp_path / "my-resnet"))
    assert extractor.name == "my-resnet"
    patches = np.random.default_rng(0).integers(0, 255, (3, 32, 32, 3), dtype=np.uint8)
    features = extractor.features(patches)
    assert features.shape == (3, 16)
    assert np.allclose(extractor.features(patches[1:2]), features[1:2], atol=1e-5)


def test_no_model_and_a_damaged_one_are_told(tmp_path):
    with pytest.raises(InputError, match="no model for features") as caught:
        load_extractor("facebook/dinov2-base")
    assert COLOUR in caught.value.hint
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(InputError, match="cannot be read"):
        load_extractor(str(tmp_path))


def test_a_model_of_something_else_than_pictures_is_refused_when_it_is_loaded(tmp_path):
    """Not at the first KID, which may be hours later."""
    from transformers import BertConfig, BertModel

    config = BertConfig(vocab_size=9, hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8)
    BertModel(config).save_pretrained(tmp_path / "words")
    with pytest.raises(InputError, match=r"words' cannot be read as a model of pictures: .") as caught:
        load_extractor(str(tmp_path / "words"))
    assert "\n" not in caught.value.message
    assert caught.value.hint == "copy it again, or choose another"


@pytest.mark.parametrize("rows", [2, 3, 5])
def test_few_rows_have_a_spread_as_well(rows):
    assert np.isfinite(kid_spread(normal(rows, seed=1), normal(rows + 1, seed=2)))
