"""The gene predictor: training with and without synthetic pairs, prediction on spots and on a grid."""

from napari_c2lst.common.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "Predictor": "predictor",
        "fit_predictor": "fitting",
        "load_predictor": "predictor",
    },
)
