"""Photographs as the server sees them."""

import pathlib

import numpy as np
from PIL import Image

from . import ROOT

PHOTOGRAPHS = ROOT / "Tests" / "Photographs"


def photographs(folder=PHOTOGRAPHS):
    return sorted(pathlib.Path(folder).glob("*.jpg"))


def square(path, side):
    """Shorter side to `side` with antialiasing, then the centre: [side, side, 3], 0 … 255, float64."""
    image = Image.open(path).convert("RGB")
    scale = side / min(image.size)
    width, height = (max(side, int(length * scale)) for length in image.size)
    left, top = round((width - side) / 2), round((height - side) / 2)
    image = image.resize((width, height), Image.Resampling.BILINEAR).crop((left, top, left + side, top + side))
    return np.asarray(image, dtype=np.float64)


def psnr(drawn, image):
    """In dB, over all numbers of two 8-bit pictures."""
    return 10 * np.log10(255**2 / np.mean((drawn - image) ** 2))
