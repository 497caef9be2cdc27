"""The official post-processing, step by step and nucleus by nucleus with OpenCV, from its description; slow."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.segmentation import watershed


def drop_small(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    labels = labels.copy()
    for number in range(1, labels.max() + 1):
        if (labels == number).sum() < 10:
            labels[labels == number] = 0
    return labels


def official_labels(
    prob: NDArray[np.float32], horizontal: NDArray[np.float32], vertical: NDArray[np.float32]
) -> NDArray[np.int32]:
    import cv2

    def to_unit(values: NDArray[Any]) -> NDArray[np.float32]:
        return cv2.normalize(values, None, alpha=0, beta=1, norm_type=cv2.NORM_MINMAX, dtype=cv2.CV_32F)

    blob = (drop_small(ndimage.label(prob >= 0.5)[0]) > 0).astype(np.int32)
    along_x = 1 - to_unit(cv2.Sobel(to_unit(horizontal), cv2.CV_64F, 1, 0, ksize=21))
    along_y = 1 - to_unit(cv2.Sobel(to_unit(vertical), cv2.CV_64F, 0, 1, ksize=21))
    overall = np.maximum(along_x, along_y) - (1 - blob)
    overall[overall < 0] = 0
    basin = -cv2.GaussianBlur((1.0 - overall) * blob, (3, 3), 0)
    marker = blob - (overall >= 0.4)
    marker[marker < 0] = 0
    marker = ndimage.binary_fill_holes(marker).astype(np.uint8)
    ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    marker = cv2.morphologyEx(marker, cv2.MORPH_OPEN, ellipse)
    return watershed(basin, markers=drop_small(ndimage.label(marker)[0]), mask=blob)


def official_nuclei(labels: NDArray[np.int32], types: NDArray[np.integer]) -> dict[int, dict[str, Any]]:
    import cv2

    found: dict[int, dict[str, Any]] = {}
    for number in np.unique(labels)[1:].tolist():
        mask = (labels == number).astype(np.uint8)
        contour = np.squeeze(cv2.findContours(mask, cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)[0][0])
        if contour.ndim != 2 or len(contour) < 3:
            continue
        moments = cv2.moments(mask)
        values, counts = np.unique(types[mask > 0], return_counts=True)
        ranked = sorted(zip(values.tolist(), counts.tolist(), strict=True), key=lambda pair: -pair[1])
        kind, pixels = ranked[1] if ranked[0][0] == 0 and len(ranked) > 1 else ranked[0]
        found[number] = {
            "type": kind,
            "type_prob": pixels / (mask.sum() + 1e-6),
            "centroid": (moments["m10"] / moments["m00"], moments["m01"] / moments["m00"]),
            "contour": contour,
            "area": int(mask.sum()),
        }
    return found
