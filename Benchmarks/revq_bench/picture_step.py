"""Times a step of training the default's decoder beside the same step in PyTorch, turn about in one run.

    python -m revq_bench.picture_step --perceptual st_lpips_alex.safetensors [--train .build/release/revq-train] [--rounds 3] [--steps 8]

The step: eight crops of 128 pixels through the patch code and the refiner (6 blocks of 96 channels at a quarter of the resolution, one of 48 at half,
one of 32 at all of it), squared error, ST-LPIPS on AlexNet, a patch discriminator under spectral norms (7 convolutions, hinge), whose pull is
weighed against the rest by the gradients of all weights, AdamW for both. revq trains by its command, and reads and cuts its photographs meanwhile;
PyTorch gets crops that are there. Each side runs alone for some steps, the first of which does not count. Prints one JSON line. Needs torch and
stlpips-pytorch.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from . import ROOT
from .worker import Worker

BATCH, CROP, TERM, PULL = 8, 128, 0.04, 0.1
REFINER = {"factor": 4, "channels": 96, "layers": 6, "scales": [{"channels": 48, "layers": 1}, {"channels": 32, "layers": 1}]}
DISCRIMINATOR = [(32, 1), (32, 1), (64, 2), (128, 2), (128, 2), (128, 1), (1, 1)]


def torch_worker(threads):
    import torch
    import torch.nn.functional as F
    from stlpips_pytorch import stlpips
    from torch import nn
    from torch.nn.utils.parametrizations import spectral_norm

    torch.manual_seed(1)
    torch.set_num_threads(threads)

    def conv(inputs, outputs, **options):
        return nn.Conv2d(inputs, outputs, 3, padding=1, **options)

    class Block(nn.Module):
        def __init__(self, channels):
            super().__init__()
            self.conv1, self.conv2 = conv(channels, channels), conv(channels, channels, bias=False)
            self.weight, self.bias = nn.Parameter(torch.zeros(channels)), nn.Parameter(torch.zeros(channels))

        def forward(self, x):
            hidden = self.conv2(F.silu(self.conv1(x)))
            normed = F.rms_norm(hidden.movedim(1, -1), hidden.shape[1:2], self.weight, 1e-5) + self.bias
            return x + normed.movedim(-1, 1)

    class Decoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.patches = nn.Linear(64, 192)
            channels, factor = REFINER["channels"], REFINER["factor"]
            self.conv_in = conv(3 * factor * factor, channels)
            self.blocks = nn.Sequential(*[Block(channels) for _ in range(REFINER["layers"])])
            self.scales = nn.ModuleList()
            for scale in REFINER["scales"]:
                factor //= 2
                width = scale["channels"]
                parts = [conv(channels, width), conv(3 * factor * factor, width), nn.Sequential(*[Block(width) for _ in range(scale["layers"])])]
                self.scales.append(nn.ModuleList(parts))
                channels = width
            self.conv_out = conv(channels, 3 * factor * factor)

        def forward(self, latents):
            drawn = F.pixel_shuffle(self.patches(latents.movedim(1, -1)).movedim(-1, 1), 8)
            factor = REFINER["factor"]
            hidden = self.blocks(self.conv_in(F.pixel_unshuffle(drawn, factor)))
            for enlarge, beside, blocks in self.scales:
                factor //= 2
                hidden = enlarge(F.interpolate(hidden, scale_factor=2, mode="nearest"))
                hidden = blocks(hidden + beside(F.pixel_unshuffle(drawn, factor)))
            return drawn + F.pixel_shuffle(self.conv_out(hidden), factor)

    layers, channels = [], 3
    for outputs, stride in DISCRIMINATOR:
        layers += [spectral_norm(conv(channels, outputs, stride=stride)), nn.SiLU()]
        channels = outputs
    discriminator, decoder = nn.Sequential(*layers[:-1]), Decoder()
    distance = stlpips.LPIPS(net="alex", variant="shift_tolerant", verbose=False).requires_grad_(False)
    parameters = list(decoder.parameters())
    optimizers = [
        torch.optim.AdamW(parameters, lr=7e-4, weight_decay=0, fused=True),
        torch.optim.AdamW(discriminator.parameters(), lr=2e-4, weight_decay=0, fused=True),
    ]
    crops, latents = torch.rand(BATCH, 3, CROP, CROP) * 2 - 1, torch.randn(BATCH, 64, CROP // 8, CROP // 8)

    def step():
        drawn = decoder(latents)
        loss = F.mse_loss(drawn, crops) + TERM * distance(drawn, crops).mean()
        gradient = torch.autograd.grad(loss, parameters, retain_graph=True)
        pull = torch.autograd.grad(-discriminator(drawn).mean(), parameters)
        norms = [torch.sqrt(sum((part * part).sum() for part in parts)) for parts in (gradient, pull)]
        factor = PULL * norms[0] / (norms[1] + 1e-12)
        for parameter, own, other in zip(parameters, gradient, pull, strict=True):
            parameter.grad = own + factor * other
        nn.utils.clip_grad_norm_(parameters, 1)
        optimizers[0].step()
        optimizers[1].zero_grad()
        judged = F.relu(1 - discriminator(crops)).mean() + F.relu(1 + discriminator(drawn.detach())).mean()
        judged.backward()
        optimizers[1].step()
        return loss.item()

    for line in sys.stdin:
        step()
        start = time.perf_counter()
        for _ in range(int(line)):
            step()
        print(json.dumps({"seconds": time.perf_counter() - start}), flush=True)


class Trainer:
    """`revq-train vae` on the photographs of the tests, a few steps more at a time."""

    def __init__(self, train, perceptual, folder, threads):
        self.train, self.perceptual, self.folder, self.threads = train, perceptual, folder, threads
        self.done = 0
        architecture = json.loads((ROOT / "checkpoints/default/architecture.json").read_text())
        (folder / "plain.json").write_text(json.dumps(architecture))
        (folder / "refined.json").write_text(json.dumps(architecture | {"decoder_refiner": REFINER}))
        self._run("--architecture", folder / "plain.json", "--output", folder / "start", "--size", 256, "--steps", 0)

    def seconds(self, steps):
        """What so many steps take behind the first one of a call."""
        self.done += steps + 1
        self._run(
            "--from", self.folder / "start/vae", "--train", "decoder", "--architecture", self.folder / "refined.json",
            "--output", self.folder / "run", "--size", 256, "--crop", CROP, "--scale", 2, "--batch", BATCH, "--shards", 2,
            "--steps", self.done, "--schedule", "constant", "--learning-rate", 7e-4, "--measure-every", 1_000_000,
            "--perceptual", self.perceptual, "--perceptual-weight", TERM, "--adversarial-weight", PULL,
        )  # fmt: skip
        lines = [json.loads(line) for line in (self.folder / "run/log.jsonl").read_text().splitlines()]
        at = {line["step"]: line["seconds"] for line in lines if "images_per_second" in line}
        return at[self.done] - at[self.done - steps]

    def _run(self, *words):
        command = [self.train, "vae", "--images", ROOT / "Tests/Photographs", "--split", "60/20/20", "--threads", self.threads, "--seed", 1, *words]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(done.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--perceptual", help="a file of Tools/perceptual.py st_lpips_alex")
    parser.add_argument("--train", default=".build/release/revq-train")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--torch-worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.torch_worker:
        return torch_worker(options.threads)
    worker = Worker(sys.executable, "-m", "revq_bench.picture_step", "--torch-worker", "--threads", options.threads)
    taken = {"revq": [], "torch": []}
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(options.train, options.perceptual, pathlib.Path(folder), options.threads)
        for _ in range(options.rounds):
            taken["revq"].append(trainer.seconds(options.steps))
            taken["torch"].append(worker.ask(str(options.steps))["seconds"])
    worker.close()
    rates = {f"{name}_steps_per_second": round(options.steps / statistics.median(seconds), 3) for name, seconds in taken.items()}
    ratio = statistics.median(taken["torch"]) / statistics.median(taken["revq"])
    print(json.dumps({"threads": options.threads, **rates, "ratio": round(ratio, 2)}))


if __name__ == "__main__":
    main()
