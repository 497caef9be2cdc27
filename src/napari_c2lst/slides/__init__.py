"""Open any slide, find its spots and microns, read patches, write results back into the SpatialData."""

from napari_c2lst.common.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "GenePanel": "panel",
        "PatchSpec": "patches",
        "Slide": "slide",
        "SpotSet": "spotsets",
        "StainNormalizer": "stain",
        "StainReference": "stain",
        "iter_patches": "patches",
        "iter_spot_patches": "patches",
        "list_spot_sets": "spotsets",
        "open_slide": "opening",
        "read_patches": "patches",
        "read_spot_set": "spotsets",
        "sample_slide_path": "sample_data",
        "spot_patches": "patches",
        "tissue_mask": "tissue",
        "write_elements": "results",
        "write_spot_set": "spotsets",
    },
)
