"""Settings of `publish`."""

from pathlib import Path
from typing import ClassVar

from napari_c2lst.common.settings import TaskSettings, setting


class PublishSettings(TaskSettings):
    """Make a folder of a central model that can be given away."""

    task: ClassVar[str] = "publish"

    run: Path = setting(help="the run folder of 'c2lst pretrain', or a central model's folder", positional=True)
    out: Path = setting(help="the new folder to write")
    name: str | None = setting(None, help="name of the published model; none = the name it has")
    licence: str | None = setting(
        None, help="licence of the weights, such as 'CC BY 4.0'; none = what the model says itself"
    )
    licence_file: Path | None = setting(None, help="a text file with the licence in full, to go along")
    data: str | None = setting(
        None, help="what it learned from, for the model card, in words without names; none = what the model says itself"
    )
    half: bool = setting(
        False,
        help="store the weights as float16: half the size, but not the model that local models name",
        advanced=True,
    )
