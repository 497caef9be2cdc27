"""Sample data in napari's File > Open Sample menu."""

from .layers import LayerData
from .reading import read_slide


def her2st_b4() -> list[LayerData]:
    """her2st B4: HER2-positive breast cancer, 283 spots (Andersson et al. 2021, CC BY 4.0); made on first use."""
    from napari_c2lst.slides.sample_data import sample_slide_path

    return read_slide(str(sample_slide_path()))
