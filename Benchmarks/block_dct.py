#!/usr/bin/env python3
"""What keeping 2,048 low block-DCT coefficients (luma + chroma), unquantised, gives on photographs, for several block sizes.

python Benchmarks/block_dct.py [FOLDER]     needs numpy, scipy and Pillow
"""
import itertools, pathlib, sys
import numpy as np
from PIL import Image
from scipy.fft import dctn, idctn

SIDE = 256
YCC = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])


def square(path):
    image = Image.open(path).convert("RGB")
    scale = SIDE / min(image.size)
    width, height = (max(SIDE, int(side * scale)) for side in image.size)
    left, top = round((width - SIDE) / 2), round((height - SIDE) / 2)
    image = image.resize((width, height), Image.Resampling.BILINEAR).crop((left, top, left + SIDE, top + SIDE))
    return np.asarray(image, float)


def psnr(image, block, luma, chroma):
    order = sorted(itertools.product(range(block), range(block)), key=lambda f: (f[0] + f[1], f[0]))
    planes = image @ YCC.T
    drawn = np.zeros_like(planes)
    for channel, kept in enumerate((luma, chroma, chroma)):
        tiles = planes[..., channel].reshape(SIDE // block, block, SIDE // block, block).transpose(0, 2, 1, 3)
        mask = np.zeros((block, block))
        mask[tuple(zip(*order[:kept]))] = 1
        low = idctn(dctn(tiles, axes=(2, 3), norm="ortho") * mask, axes=(2, 3), norm="ortho")
        drawn[..., channel] = low.transpose(0, 2, 1, 3).reshape(SIDE, SIDE)
    rgb = np.clip(np.round(drawn @ np.linalg.inv(YCC).T), 0, 255)
    return 10 * np.log10(255**2 / np.mean((rgb - image) ** 2))


folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "Tests/Photographs")
images = [square(path) for path in sorted(folder.glob("*.jpg"))]
print("block,luma,chroma,numbers,psnr")
for block, luma, chroma in ((16, 6, 1), (32, 26, 3), (64, 104, 12), (128, 416, 48)):
    numbers = (SIDE // block) ** 2 * (luma + 2 * chroma)
    print(f"{block},{luma},{chroma},{numbers},{np.mean([psnr(image, block, luma, chroma) for image in images]):.2f}")
