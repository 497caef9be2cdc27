"""The central model, its local modulation, and sampling synthetic pairs."""

from napari_c2lst.common.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "CentralModel": "central",
        "LocalModel": "local",
        "Modulation": "modulation",
        "NoiseNet": "unet",
        "NoiseSchedule": "schedule",
        "SamplingPlan": "solvers",
        "load_central": "central",
        "load_pairs": "pairs",
        "sample_central": "samplers",
        "save_central": "central",
    },
)
