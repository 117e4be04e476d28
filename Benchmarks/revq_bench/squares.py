"""Cuts pictures into squares of 256 pixels side by side, without those that are almost black: a second domain for `revq-train tolerance`.

    python -m revq_bench.squares OUTPUT PICTURE…     needs numpy and Pillow

Squares of one picture fall into all parts of a split: they are for measuring what was trained on other pictures.
"""

import pathlib
import sys

import numpy as np
from PIL import Image

SIDE = 256
# Of bytes; the surroundings of an eye's background are darker.
DARKEST_MEAN = 24


def main(output, *pictures):
    output = pathlib.Path(output)
    output.mkdir(parents=True, exist_ok=True)
    for path in map(pathlib.Path, pictures):
        picture = Image.open(path).convert("RGB")
        for top in range(0, picture.height - SIDE + 1, SIDE):
            for left in range(0, picture.width - SIDE + 1, SIDE):
                square = picture.crop((left, top, left + SIDE, top + SIDE))
                if np.asarray(square).mean() >= DARKEST_MEAN:
                    square.save(output / f"{path.stem}-{top // SIDE}-{left // SIDE}.png")


if __name__ == "__main__":
    main(*sys.argv[1:])
