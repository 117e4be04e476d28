"""What keeping 2,048 low block-DCT coefficients (luma + chroma), unquantised, gives on photographs, for several block sizes.

python -m revq_bench.block_dct [FOLDER]     needs numpy, scipy and Pillow
"""

import itertools
import sys

import numpy as np
from scipy.fft import dctn, idctn

from .pictures import PHOTOGRAPHS, photographs, psnr, square

SIDE = 256
YCC = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])


def decibels(image, block, luma, chroma):
    order = sorted(itertools.product(range(block), range(block)), key=lambda f: (f[0] + f[1], f[0]))
    planes = image @ YCC.T
    drawn = np.zeros_like(planes)
    for channel, kept in enumerate((luma, chroma, chroma)):
        tiles = planes[..., channel].reshape(SIDE // block, block, SIDE // block, block).transpose(0, 2, 1, 3)
        mask = np.zeros((block, block))
        mask[tuple(zip(*order[:kept], strict=True))] = 1
        low = idctn(dctn(tiles, axes=(2, 3), norm="ortho") * mask, axes=(2, 3), norm="ortho")
        drawn[..., channel] = low.transpose(0, 2, 1, 3).reshape(SIDE, SIDE)
    return psnr(np.clip(np.round(drawn @ np.linalg.inv(YCC).T), 0, 255), image)


def main(folder=PHOTOGRAPHS):
    images = [square(path, SIDE) for path in photographs(folder)]
    print("block,luma,chroma,numbers,psnr")
    for block, luma, chroma in ((16, 6, 1), (32, 26, 3), (64, 104, 12), (128, 416, 48)):
        numbers = (SIDE // block) ** 2 * (luma + 2 * chroma)
        print(f"{block},{luma},{chroma},{numbers},{np.mean([decibels(image, block, luma, chroma) for image in images]):.2f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
