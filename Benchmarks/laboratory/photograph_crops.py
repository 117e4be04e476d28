#!/usr/bin/env python3
"""Cuts random squares of 256 pixels out of the test photographs: a second domain for `revq-train transfer`.

    python Benchmarks/laboratory/photograph_crops.py OUTPUT [FOLDER]     needs Pillow

Files sort by photograph, so that the last ones, which `--held-out` measures on, are of photographs that no other square is of.
"""
import pathlib, random, sys
from PIL import Image

side, count = 256, 64
output = pathlib.Path(sys.argv[1])
folder = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else "Tests/Photographs")
output.mkdir(parents=True, exist_ok=True)
draw = random.Random(1)
for path in sorted(folder.glob("*.jpg")):
    photograph = Image.open(path).convert("RGB")
    for index in range(count):
        left, top = draw.randint(0, photograph.width - side), draw.randint(0, photograph.height - side)
        square = photograph.crop((left, top, left + side, top + side))
        if draw.random() < 0.5:
            square = square.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        square.save(output / f"{path.stem}-{index:02}.png")
