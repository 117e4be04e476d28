"""Trains with one, two and more ranks of one thread each under mpirun, and compares what they leave and how fast they were.

    python -m revq_bench.ranks PICTURES [--train .build/release/revq-train] [--ranks 1 2 4] [--rounds 3]

`fit` by Lloyd's algorithm and by gradient steps with a rectifier on latents of the default checkpoint's autoencoder, and `vae`. The numbers of
ranks take turns, and of each the median of all rounds counts. "Efficiency" is the rate over that of one rank times the number of ranks, or of
cores where these are fewer; "cores" is the CPU time of all ranks over the time that passed: what others left of the machine, waiting included.
Prints one JSON line for each of them. `same` says whether the result is to the byte that of one rank.
"""

import argparse
import hashlib
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time

from . import ROOT, processor

VAE = next((ROOT / "checkpoints" / "default").glob("vae-*"))
MPIRUN = ["mpirun", "--quiet", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none", "--mca", "mpi_yield_when_idle", "1"]
FITTING = {"--tokens": 512, "--codes": 4096, "--codebooks": "one", "--reset": "distortion"}
RECTIFIER = {"--rectifier": "vit", "--rectifier-width": 64, "--rectifier-depth": 2, "--rectifier-head": 16}
WORK = {
    "fit --method lloyd": ("fit", FITTING | {"--passes": 12}),
    "fit --method adam": ("fit", FITTING | {"--method": "adam", "--epochs": 2, "--batch": 64} | RECTIFIER),
    "vae": ("vae", {"--from": VAE, "--size": 256, "--crop": 128, "--batch": 16, "--shards": 4, "--steps": 12, "--measure-every": 1000}),
}
RESULTS = ("quantizer.safetensors", "rectifier.safetensors", "diffusion_pytorch_model.safetensors")


def arguments(pictures, latents, work):
    command, values = WORK[work]
    source = {"--images": pictures} if command == "vae" else {"--latents": latents}
    return [command, *(word for pair in (values | source).items() for word in pair)]


def call(train, words, ranks, output):
    """Seconds that passed, and seconds of all cores."""
    command = [*(MPIRUN + ["-np", str(ranks)] if ranks > 1 else []), train, *words, "--threads", "1", "--output", output]
    start, before = time.monotonic(), os.times()
    ended = subprocess.run([str(word) for word in command], stderr=subprocess.PIPE, text=True)
    assert ended.returncode == 0, ended.stderr
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return time.monotonic() - start, used


def rate(output):
    """Images a second over the steps."""
    log = [json.loads(line) for line in open(output / "log.jsonl")]
    return statistics.median(line["images_per_second"] for line in log if "images_per_second" in line)


def digest(output):
    found = hashlib.sha256()
    for path in sorted(path for path in output.rglob("*") if path.name in RESULTS and path.parent.name in ("fit", "vae")):
        found.update(path.read_bytes())
    return found.hexdigest()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", type=pathlib.Path)
    parser.add_argument("--train", type=pathlib.Path, default=ROOT / ".build" / "release" / "revq-train")
    parser.add_argument("--ranks", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as scratch:
        scratch, pictures = pathlib.Path(scratch), options.pictures.resolve()
        latents = scratch / "latents"
        extract = [options.train, "extract", "--images", pictures, "--vae", VAE, "--output", latents]
        subprocess.run([str(word) for word in extract], check=True, stderr=subprocess.DEVNULL)
        for work in WORK:
            found = {ranks: [] for ranks in options.ranks}
            digests = {}
            for _ in range(options.rounds):
                for ranks in options.ranks:
                    output = scratch / "run"
                    passed, used = call(options.train, arguments(pictures, latents, work), ranks, output)
                    found[ranks].append((rate(output), used / passed))
                    digests[ranks] = digest(output)
                    shutil.rmtree(output)
            first = options.ranks[0]
            alone = statistics.median(rate for rate, _ in found[first]) / first
            for ranks in options.ranks:
                images = statistics.median(rate for rate, _ in found[ranks])
                share = statistics.median(share for _, share in found[ranks])
                line = {"work": work, "ranks": ranks, "images_per_second": round(images, 1), "cores": round(share, 2)}
                line["efficiency"] = round(images / (alone * min(ranks, cores)), 2)
                print(json.dumps({**line, "same": digests[ranks] == digests[first]}), flush=True)
    print(json.dumps({"processor": processor.name()}))


if __name__ == "__main__":
    main()
