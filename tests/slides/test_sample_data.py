import numpy as np

from napari_c2lst.common.reporter import RecordingReporter
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.sample_data import cache_folder, sample_slide_path, sample_source


def test_the_sample_slide_says_where_it_comes_from():
    text = (sample_source() / "SOURCE.md").read_text()
    assert "CC BY 4.0" in text
    assert "Andersson" in text


def test_the_sample_slide_is_small():
    assert sum(f.stat().st_size for f in sample_source().iterdir()) < 6e6


def test_the_sample_slide_is_made_once_and_opens(tmp_path):
    reporter = RecordingReporter()
    store = sample_slide_path(tmp_path, reporter)
    assert len(reporter.messages) >= 1
    slide = open_slide(store)
    assert len(slide.spots.ids) == 283
    assert abs(slide.mpp - 0.688) < 0.003
    assert slide.counts().shape == (283, 15289)
    silent = RecordingReporter()
    assert sample_slide_path(tmp_path, silent) == store
    assert silent.messages == []


def test_spots_of_the_crop_stand_where_they_stood(shared, tmp_path):
    cropped = open_slide(sample_source() / "B4.tsv.gz")
    whole = open_slide(shared / "her2st" / "B4" / "B4.tsv.gz")
    assert cropped.spots.ids.tolist() == whole.spots.ids.tolist()
    shift = whole.spots.yx - cropped.spots.yx
    assert np.ptp(shift, axis=0).max() < 0.05


def test_the_cache_can_be_moved(monkeypatch, tmp_path):
    monkeypatch.setenv("C2LST_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("C2LST_CACHE")
    assert cache_folder().name == "napari-c2lst"
