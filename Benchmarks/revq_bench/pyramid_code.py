"""Makes an autoencoder with latents of two scales: a linear code of patches (PatchSkipAutoencoderDC) that is a pyramid.

    python -m revq_bench.pyramid_code OUTPUT PICTURES PARTS     needs numpy, Pillow and safetensors

PICTURES is a folder, PARTS a pictures.json of revq-train: only pictures of its training part are learned from. Of each patch of 32×32 pixels 16
numbers are principal components of the coarse picture (4×4 pixels in one); of what they leave, each quarter has 12 of its own (2×2 in one).
Together 64 channels: 16 of the patch, then 12 of each quarter, so that a quantiser finds both scales in every position.
"""

import hashlib
import json
import pathlib
import sys

import numpy as np
from PIL import Image
from safetensors.numpy import save_file

PATCH, SIDE = 32, 256
# The side of what a number is about, how many there are for it, and how many pixels are averaged first, in each direction.
LEVELS = [(32, 16, 4), (16, 12, 2)]
CONFIGURATION = {
    "_class_name": "PatchSkipAutoencoderDC",
    "latent_channels": sum(count * (PATCH // side) ** 2 for side, count, _ in LEVELS),
    "encoder_out_shortcut": False,
    "decoder_in_shortcut": False,
    "encoder_layers_per_block": [0] * 6,
    "decoder_layers_per_block": [0] * 6,
}


def patches(folder, parts):
    """[n, 3, 32, 32] in -1 … 1, of the centre squares of the pictures that are learned from."""
    training = set(json.loads(pathlib.Path(parts).read_text())["training"])
    found = []
    for path in sorted(pathlib.Path(folder).rglob("*.jpg")):
        if hashlib.sha256(path.read_bytes()).hexdigest()[:16] not in training:
            continue
        picture = Image.open(path).convert("RGB")
        scale = SIDE / min(picture.size)
        picture = picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.Resampling.BILINEAR)
        left, top = (picture.width - SIDE) // 2, (picture.height - SIDE) // 2
        square = np.asarray(picture.crop((left, top, left + SIDE, top + SIDE)), np.float32) / 127.5 - 1
        tiles = square.reshape(SIDE // PATCH, PATCH, SIDE // PATCH, PATCH, 3).transpose(0, 2, 4, 1, 3)
        found.append(tiles.reshape(-1, 3, PATCH, PATCH))
    return np.concatenate(found)


def parts_of(x, side):
    """[n, 3, 32, 32] -> [n · parts, 3, side, side]."""
    k = PATCH // side
    return x.reshape(-1, 3, k, side, k, side).transpose(0, 2, 4, 1, 3, 5).reshape(-1, 3, side, side)


def whole_of(x, side):
    """The way back from parts_of."""
    k = PATCH // side
    return x.reshape(-1, k, k, 3, side, side).transpose(0, 3, 1, 4, 2, 5).reshape(-1, 3, PATCH, PATCH)


def averaged(x, factor):
    n, _, side, _ = x.shape
    return x.reshape(n, 3, side // factor, factor, side // factor, factor).mean((3, 5)).reshape(n, -1)


def learn(x):
    """Of each level the directions that numbers are products with, and the pixels that they stand for."""
    levels, left = [], x
    for side, count, factor in LEVELS:
        pieces = parts_of(left, side)
        coarse = averaged(pieces, factor)
        basis = np.linalg.eigh(coarse.T @ coarse)[1][:, ::-1][:, :count]
        z = coarse @ basis
        drawn = np.linalg.solve(z.T @ z, z.T @ pieces.reshape(len(pieces), -1))
        levels.append((basis, drawn))
        left = left - whole_of(z @ drawn, side)
    return levels


def encode(x, levels):
    """[n, 3, 32, 32] -> [n, 64], linear."""
    numbers = []
    for (side, _, factor), (basis, drawn) in zip(LEVELS, levels, strict=True):
        z = averaged(parts_of(x, side), factor) @ basis
        x = x - whole_of(z @ drawn, side)
        numbers.append(z.reshape(len(x), -1))
    return np.concatenate(numbers, 1)


def decode(z, levels):
    """The way back from encode."""
    x, start = 0, 0
    for (side, count, _), (_, drawn) in zip(LEVELS, levels, strict=True):
        end = start + count * (PATCH // side) ** 2
        x = x + whole_of(z[:, start:end].reshape(-1, count) @ drawn, side)
        start = end
    return x


def main(output, pictures, parts):
    x = patches(pictures, parts)
    mean = x.mean(0)
    levels = learn(x - mean)
    pixels, channels = mean.size, CONFIGURATION["latent_channels"]
    analysis = encode(np.eye(pixels, dtype=np.float32).reshape(-1, 3, PATCH, PATCH), levels).T
    synthesis = decode(np.eye(channels, dtype=np.float32), levels).reshape(channels, pixels).T
    output = pathlib.Path(output)
    output.mkdir(parents=True)
    tensors = {
        "encoder.patch_skip.projection.weight": analysis.reshape(channels, pixels, 1, 1),
        "encoder.patch_skip.projection.bias": -analysis @ mean.reshape(-1),
        "decoder.patch_skip.projection.weight": synthesis.reshape(pixels, channels, 1, 1),
        "decoder.patch_skip.projection.bias": mean.reshape(-1),
    }
    save_file({name: np.ascontiguousarray(x, np.float32) for name, x in tensors.items()}, output / "diffusion_pytorch_model.safetensors")
    (output / "config.json").write_text(json.dumps(CONFIGURATION))
    left = decode(encode(x - mean, levels), levels) - (x - mean)
    print(f"{len(x)} patches, {10 * np.log10(4 / np.square(left).mean()):.2f} dB on them")


if __name__ == "__main__":
    main(*sys.argv[1:])
