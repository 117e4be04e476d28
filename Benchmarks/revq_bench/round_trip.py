"""Photographs through an autoencoder alone, by revq and by PyTorch: the PSNR of both, and how far they are apart.

    python -m revq_bench.round_trip VAE [FOLDER] [--size 256] [--executable .build/release/revq-bench]

VAE is a folder of the diffusers layout, such as `revq-train import vae` writes. Needs torch, diffusers, safetensors, numpy and Pillow.
"""

import argparse
import os
import pathlib
import tempfile

import numpy as np
from safetensors.numpy import load_file, save_file

from . import ROOT
from .peers import plan
from .peers.models import Model
from .peers.process import Worker
from .pictures import PHOTOGRAPHS, photographs, psnr, square

PEERS = plan.OURS, plan.PYTORCH[0]


def parse():
    parser = argparse.ArgumentParser(prog="revq_bench.round_trip", description=__doc__.splitlines()[0])
    parser.add_argument("vae", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path, nargs="?", default=PHOTOGRAPHS)
    parser.add_argument("--size", type=int, default=256, help="the photographs are brought to squares of this side")
    parser.add_argument("--executable", type=pathlib.Path, default=ROOT / ".build/release/revq-bench")
    return parser.parse_args()


def drawn(worker, image, scratch):
    """decode(encode(image)), as [h, w, 3] of 8-bit numbers."""
    x = (image / 127.5 - 1).astype(np.float32)[np.newaxis]
    file, has_channels_last = scratch / "x.safetensors", worker.peer.engine == "revq"
    if not has_channels_last:
        x = np.ascontiguousarray(np.moveaxis(x, -1, 1))
    for operation in plan.ENCODE_DECODE:
        save_file({"x": x}, file)
        worker.ask(do="prepare", operation=operation, input=str(file))
        worker.ask(do="run", operation=operation)
        worker.ask(do="save", operation=operation, output=str(file))
        x = load_file(file)["y"]
    picture = x[0] if has_channels_last else np.moveaxis(x[0], 0, -1)
    return np.round(np.clip((picture.astype(np.float64) + 1) * 127.5, 0, 255))


def main():
    options = parse()
    case = plan.Case(Model("", options.vae, options.vae), 1, options.size, len(os.sched_getaffinity(0)), "fp32", plan.ENCODE_DECODE)
    figures = []
    print(f"image,{','.join(peer.name for peer in PEERS)}")
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        workers = [Worker(peer, case, options.executable, scratch) for peer in PEERS]
        for path in photographs(options.folder):
            image = square(path, options.size)
            figures.append([psnr(drawn(worker, image, scratch), image) for worker in workers])
            print(f"{path.name},{','.join(f'{figure:.4f}' for figure in figures[-1])}")
        for worker in workers:
            worker.close()
    ours, theirs = np.transpose(figures)
    worst = np.abs(ours - theirs).max()
    print(f"mean of {len(figures)}: {ours.mean():.4f} dB, {PEERS[1].name} {theirs.mean():.4f} dB, at most {worst:.5f} dB apart on one photograph")


if __name__ == "__main__":
    main()
