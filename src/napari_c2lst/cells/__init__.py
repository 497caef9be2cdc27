"""Nuclei: HoVer-Net on patches and whole slides, their types, and what each spot is composed of."""

from napari_c2lst.common.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "HoVerNet": "network",
        "load_hovernet": "weights",
        "postprocess": "postprocess",
        "save_hovernet": "weights",
    },
)
