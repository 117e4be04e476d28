"""Cuts random squares of 256 pixels out of the test photographs: a second domain for `revq-train transfer`.

    python -m revq_bench.photograph_crops OUTPUT [FOLDER]     needs numpy and Pillow

A split by contents takes each square for a picture of its own. Where one is learned from and others of its photograph are reported on, let
`revq-train extract --crops` cut them instead.
"""

import pathlib
import random
import sys

from PIL import Image

from .pictures import PHOTOGRAPHS, photographs

SIDE, COUNT = 256, 64


def main(output, folder=PHOTOGRAPHS):
    output = pathlib.Path(output)
    output.mkdir(parents=True, exist_ok=True)
    draw = random.Random(1)
    for path in photographs(folder):
        photograph = Image.open(path).convert("RGB")
        for index in range(COUNT):
            left, top = draw.randint(0, photograph.width - SIDE), draw.randint(0, photograph.height - SIDE)
            square = photograph.crop((left, top, left + SIDE, top + SIDE))
            if draw.random() < 0.5:
                square = square.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
            square.save(output / f"{path.stem}-{index:02}.png")


if __name__ == "__main__":
    main(*sys.argv[1:])
