from pathlib import Path

import pytest

from napari_c2lst.diffusion import opened
from napari_c2lst.diffusion.settings import AdaptSettings
from napari_c2lst.slides.settings import SlideSettings


def test_every_setting_about_the_slide_reaches_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, object] = {}
    monkeypatch.setattr(opened, "open_slide", lambda path, **more: asked.update(path=path, **more))
    opened.open_named(AdaptSettings.resolve(slide="a.zarr", out="o", preset="small", mpp=0.5, table="t", image="i.tif"))
    assert asked.pop("path") == Path("a.zarr")
    assert set(asked) == set(SlideSettings.model_fields) - {"slide"}
    assert (asked["mpp"], asked["table"], asked["image"]) == (0.5, "t", Path("i.tif"))
