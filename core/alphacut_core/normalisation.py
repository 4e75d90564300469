"""The statistics of ImageNet's photographs, which most networks expect to be taken out of their input."""

from __future__ import annotations

IMAGENET_MEAN = (0.485, 0.456, 0.406)
"""Red, green, blue; subtracted after scaling to 0..1."""

IMAGENET_STD = (0.229, 0.224, 0.225)
"""Red, green, blue; divides afterwards."""
