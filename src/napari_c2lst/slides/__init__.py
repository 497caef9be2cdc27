"""Open any slide, find its spots and microns, read patches, write results back into the SpatialData."""

from napari_c2lst.common.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "GenePanel": "genes.panel",
        "PatchSpec": "patches.cutting",
        "Slide": "slide",
        "SpotSet": "spots.spotsets",
        "StainNormalizer": "stain.normalizer",
        "StainReference": "stain.normalizer",
        "iter_patches": "patches.cutting",
        "iter_spot_patches": "patches.cutting",
        "list_spot_sets": "spots.spotsets",
        "open_slide": "opening",
        "read_patches": "patches.cutting",
        "read_spot_set": "spots.spotsets",
        "sample_slide_path": "sample_data",
        "spot_patches": "patches.cutting",
        "standardize_luminosity": "stain.luminosity",
        "tissue_mask": "images.tissue",
        "write_elements": "store.results",
        "write_spot_set": "spots.spotsets",
    },
)
