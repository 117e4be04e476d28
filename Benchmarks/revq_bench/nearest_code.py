"""Times the exact nearest code beside torch, FAISS and SciPy in one run, and counts answers that are not float64's.

    python -m revq_bench.nearest_code [--bench .build/release/revq-bench] [--repeats 5]

For 512 codebooks of 16,384 codes of 4 numbers and 256 of 65,536 codes of 8, all standard normal, one image and sixteen: milliseconds
per image of
  search  revq, codebooks arranged beforehand (what a server does)
  scan    revq, codebooks as they are (what a training step does)
  torch   baddbmm and argmin, norms beforehand
  faiss   one IndexFlatL2 for each codebook, built beforehand
  scipy   one cKDTree for each codebook, built beforehand
Every method is timed once in each round, the least of its times counts. `ratio` is the best peer's time over that of search. Needs
numpy, scipy, torch and faiss; peers use two threads, as revq does with --threads.
"""

import argparse
import json
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

import faiss
import numpy as np
import torch
from scipy.spatial import cKDTree

from .worker import Worker


def milliseconds(work, z):
    start = time.perf_counter()
    result = work(z)
    return 1e3 * (time.perf_counter() - start), result


class Torch:
    """Groups of codebooks whose scores stay in the caches."""

    def __init__(self, codebooks, images):
        self.codes = torch.from_numpy(codebooks)
        self.half_norms = 0.5 * (self.codes * self.codes).sum(-1)
        self.group = max(1, (1 << 22) // (codebooks.shape[1] * images))

    @torch.no_grad()
    def __call__(self, z):
        z = torch.from_numpy(z).permute(1, 0, 2)
        found = []
        for first in range(0, len(self.codes), self.group):
            codes, norms = self.codes[first : first + self.group], self.half_norms[first : first + self.group]
            scores = torch.baddbmm(norms.unsqueeze(1), z[first : first + self.group], codes.transpose(1, 2), alpha=-1)
            found.append(scores.argmin(-1))
        return torch.cat(found).t().numpy()


class Faiss:
    def __init__(self, codebooks, images):
        self.indexes = []
        for codes in codebooks:
            self.indexes.append(faiss.IndexFlatL2(codes.shape[1]))
            self.indexes[-1].add(codes)

    def __call__(self, z):
        z = np.ascontiguousarray(z.transpose(1, 0, 2))
        return np.stack([index.search(part, 1)[1][:, 0] for index, part in zip(self.indexes, z, strict=True)], 1)


class SciPy:
    def __init__(self, codebooks, images):
        self.trees = [cKDTree(codes) for codes in codebooks]
        self.threads = ThreadPoolExecutor(torch.get_num_threads())

    def __call__(self, z):
        z = np.ascontiguousarray(z.transpose(1, 0, 2))
        return np.stack(list(self.threads.map(lambda pair: pair[0].query(pair[1])[1], zip(self.trees, z, strict=True))), 1)


class Revq:
    """The worker: a folder of raw floats, then one line for each call."""

    def __init__(self, bench, codebooks, z, threads, folder):
        codebooks.tofile(f"{folder}/codebooks")
        z.tofile(f"{folder}/vectors")
        groups, codes, d = codebooks.shape
        self.folder, self.shape = folder, z.shape[:2]
        shape = ["--codebooks", groups, "--codes", codes, "--dimension", d, "--images", len(z)]
        self.worker = Worker(bench, "nearest-code", "--folder", folder, *shape, "--threads", threads)
        self.preparation = self.worker.answer()["arranging_ms"]

    def __call__(self, method):
        taken = self.worker.ask(method)["ms"]
        return taken, np.fromfile(f"{self.folder}/found", np.int32).reshape(self.shape)

    def close(self):
        self.worker.close()


def double_precision(codebooks, z):
    """The least distances, and the lowest index that has each."""
    found = np.empty(z.shape[:2], np.int64)
    for group, codes in enumerate(codebooks.astype(np.float64)):
        for image in range(len(z)):
            difference = codes - z[image, group].astype(np.float64)
            found[image, group] = np.argmin((difference * difference).sum(1))
    return found


def compare(bench, groups, codes, d, images, repeats, threads):
    random = np.random.default_rng(1)
    codebooks = random.standard_normal((groups, codes, d), np.float32)
    z = random.standard_normal((images, groups, d), np.float32)
    peers = {"torch": Torch(codebooks, images), "faiss": Faiss(codebooks, images), "scipy": SciPy(codebooks, images)}
    with tempfile.TemporaryDirectory() as folder:
        ours = Revq(bench, codebooks, z, threads, folder)
        times = {name: [] for name in ("search", "scan", *peers)}
        answers = {}
        for _ in range(repeats):
            for method in ("search", "scan"):
                taken, answers[method] = ours(method)
                times[method].append(taken)
            for name, peer in peers.items():
                taken, answers[name] = milliseconds(peer, z)
                times[name].append(taken)
        ours.close()
    exact = double_precision(codebooks, z)
    best = {name: min(taken) / images for name, taken in times.items()}
    peer = min(best[name] for name in peers)
    return {
        "codebooks": groups,
        "codes": codes,
        "d": d,
        "images": images,
        "arranging_ms": round(ours.preparation),
        "ms_per_image": {name: round(value, 3) for name, value in best.items()},
        "ratio": round(peer / best["search"], 1),
        "scan_ratio": round(peer / best["scan"], 1),
        "not_as_float64": {name: int((answer != exact).sum()) for name, answer in answers.items()},
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", default=".build/release/revq-bench")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", type=int, nargs="*", help="numbers of the rows to run, from 0")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    faiss.omp_set_num_threads(arguments.threads)
    rows = [(512, 16_384, 4, 1), (512, 16_384, 4, 16), (256, 65_536, 8, 1), (256, 65_536, 8, 16)]
    for index, row in enumerate(rows):
        if arguments.only is None or index in arguments.only:
            print(json.dumps(compare(arguments.bench, *row, arguments.repeats, arguments.threads)), flush=True)


if __name__ == "__main__":
    main()
