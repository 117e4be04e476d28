"""Tokenises a folder of pictures beside a PyTorch DataLoader that does the same work with the default checkpoint, turn about in one run.

    python -m revq_bench.tokenizing PICTURES [--bench .build/release/revq-bench] [--rounds 3]

The work: read each file, SHA-256 of its bytes, decode, shorter side to 256 with antialiasing, centre square, encoder, normaliser, transform,
nearest of 16,384 codes, tar archives of `key.npy` and `key.json`. revq also decodes alone and computes alone, each on all threads, so that
one sees what the stages would allow: on two cores that do both, at best 1 / (1/decode + 1/compute), and one core for each of them gives half
of the slower. PyTorch runs with each way to share the cores between DataLoader workers and threads; the fastest counts. Medians of all rounds
but the first; prints one JSON line. Needs numpy, Pillow, safetensors and torch.
"""

import argparse
import hashlib
import io
import json
import pathlib
import shutil
import statistics
import sys
import tarfile
import tempfile
import time

from . import ROOT
from .worker import Worker

CHECKPOINT = ROOT / "checkpoints" / "default" / "000006"
# DataLoader workers and threads of PyTorch.
SHARES = [(2, 2), (2, 1), (1, 1), (1, 2)]
PICTURES_PER_FILE = 1000


def torch_worker(pictures, output):
    import numpy as np
    import torch
    import torch.nn.functional as F
    from PIL import Image
    from safetensors.torch import load_file

    manifest = json.loads((CHECKPOINT / "manifest.json").read_text())
    vae = CHECKPOINT.parent / f"vae-{manifest['vae']['weights']['sha256'][:12]}" / "diffusion_pytorch_model.safetensors"
    prefix = "encoder.patch_skip.projection."
    # Half precision in the file.
    projection = {name.removeprefix(prefix): tensor.float() for name, tensor in load_file(vae).items() if name.startswith(prefix)}
    parts = load_file(CHECKPOINT / "quantizer.safetensors")
    size, shape, layout = manifest["imageSize"], manifest["latentShape"], manifest["quantizer"]
    channels, side = shape["channels"], shape["height"]
    box = layout["grouping"]["klt"]["side"]
    mean, deviation = (parts[f"normalizer.{name}"].view(channels, side, side) for name in ("mean", "std"))
    analysis, scales = parts["quantizer.transform.analysis"], parts["quantizer.transform.scales"]
    codes = parts["quantizer.embeddings"][0]
    half_norms, codes = 0.5 * codes.square().sum(-1), codes.t().contiguous()

    class Pictures(torch.utils.data.Dataset):
        def __init__(self):
            self.paths = sorted(path for path in pathlib.Path(pictures).rglob("*") if path.suffix in (".jpg", ".png"))

        def __len__(self):
            return len(self.paths)

        def __getitem__(self, index):
            data = self.paths[index].read_bytes()
            image = Image.open(io.BytesIO(data)).convert("RGB")
            width, height = image.size
            shorter = min(width, height)
            width, height = size * width // shorter, size * height // shorter
            left, top = round((width - size) / 2), round((height - size) / 2)
            image = image.resize((width, height), Image.Resampling.BILINEAR).crop((left, top, left + size, top + size))
            return index, hashlib.sha256(data).hexdigest(), torch.from_numpy(np.array(image))

    @torch.inference_mode()
    def tokens(pixels):
        x = pixels.permute(0, 3, 1, 2).float() / 127.5 - 1
        z = (F.conv2d(F.pixel_unshuffle(x, size // side), projection["weight"], projection["bias"]) - mean) / deviation
        n, places = len(z), side // box
        boxes = z.reshape(n, channels, places, box, places, box).permute(0, 2, 4, 1, 3, 5).reshape(n, places * places, channels * box * box)
        vectors = (boxes @ analysis.t()).reshape(n, places * places, len(scales), -1) / scales.view(1, 1, -1, 1)
        vectors = vectors.permute(0, 2, 1, 3).reshape(n * layout["tokens"], layout["dimension"])
        return torch.addmm(half_norms, vectors, codes, alpha=-1).argmin(-1).reshape(n, layout["tokens"])

    def run(workers, threads):
        torch.set_num_threads(threads)
        shutil.rmtree(output, ignore_errors=True)
        pathlib.Path(output).mkdir(parents=True)
        dataset, archive, found = Pictures(), None, []
        loader = torch.utils.data.DataLoader(dataset, batch_size=8, num_workers=workers)
        for indices, digests, pixels in loader:
            rows = tokens(pixels).to(torch.int32).numpy()
            found.append(rows)
            for index, digest, row in zip(indices.tolist(), digests, rows, strict=True):
                if index % PICTURES_PER_FILE == 0:
                    if archive:
                        archive.close()
                    archive = tarfile.open(f"{output}/tokens-{index // PICTURES_PER_FILE:05}.tar", "w", format=tarfile.USTAR_FORMAT)
                buffer = io.BytesIO()
                np.save(buffer, row.astype(np.uint16))
                document = {"name": dataset.paths[index].name, "sha256": digest, "fingerprint": manifest["fingerprint"]}
                for ending, data in (("json", json.dumps(document).encode()), ("npy", buffer.getvalue())):
                    member = tarfile.TarInfo(f"{index:09}.{ending}")
                    member.size = len(data)
                    archive.addfile(member, io.BytesIO(data))
        archive.close()
        return np.concatenate(found)

    for line in sys.stdin:
        start = time.perf_counter()
        rows = run(*json.loads(line))
        seconds = time.perf_counter() - start
        np.save(f"{output}/tokens.npy", rows)
        print(json.dumps({"images": len(rows), "seconds": seconds}), flush=True)


def agreement(ours, theirs):
    """The share of equal tokens in what both wrote."""
    import numpy as np

    equal, expected = [], np.load(f"{theirs}/tokens.npy")
    for path in sorted(pathlib.Path(ours).glob("tokens-*.tar")):
        with tarfile.open(path) as archive:
            for member in archive:
                if member.name.endswith(".npy"):
                    row = np.load(io.BytesIO(archive.extractfile(member).read()))
                    equal.append(np.mean(row == expected[int(member.name[:9])]))
    assert len(equal) == len(expected), f"{len(equal)} pictures have tokens, and {len(expected)} in PyTorch"
    return float(np.mean(equal))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures")
    parser.add_argument("--bench", default=".build/release/revq-bench")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--torch-worker", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.torch_worker:
        return torch_worker(arguments.pictures, arguments.torch_worker)
    with tempfile.TemporaryDirectory() as scratch:
        ours, theirs = f"{scratch}/revq", f"{scratch}/torch"
        options = ["--checkpoint", CHECKPOINT, "--images", arguments.pictures, "--output", ours, "--threads", arguments.threads]
        revq = Worker(arguments.bench, "tokenizing", *options)
        torch = Worker(sys.executable, "-m", "revq_bench.tokenizing", arguments.pictures, "--torch-worker", theirs)
        rates, share = {}, None
        for turn in range(arguments.rounds + 1):
            for step in ("decode", "compute", "whole"):
                answer = revq.ask(step)
                rates.setdefault(step, []).append(answer["images"] / answer["seconds"])
            for workers, threads in SHARES:
                answer = torch.ask(json.dumps([workers, threads]))
                rates.setdefault(f"torch, {workers} workers, {threads} threads", []).append(answer["images"] / answer["seconds"])
            if turn == 0:
                share = agreement(ours, theirs)
        revq.close()
        torch.close()
    medians = {name: round(statistics.median(values[1:]), 1) for name, values in rates.items()}
    decode, compute, whole = (medians[step] for step in ("decode", "compute", "whole"))
    best = max(value for name, value in medians.items() if name.startswith("torch"))
    print(
        json.dumps(
            {
                "images_per_second": medians,
                "both_stages_on_all_cores": round(1 / (1 / decode + 1 / compute), 1),
                "a_core_for_each_stage": round(min(decode, compute) / 2, 1),
                "of_both_stages": round(whole * (1 / decode + 1 / compute), 3),
                "times_torch": round(whole / best, 2),
                "equal_tokens": round(share, 5),
            }
        )
    )


if __name__ == "__main__":
    main()
