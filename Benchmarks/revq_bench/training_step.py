"""Times a training step of the paper's 512-token setting beside the same step in PyTorch, turn about in one run.

    python -m revq_bench.training_step [--bench .build/release/revq-bench] [--batch 64] [--rounds 5]

512 codebooks of 16,384 codes of 4 numbers (33.6 M parameters) and the rectifier of three EfficientViT blocks of width 512 (14.1 M): nearest
codes, both losses, both gradients, clipping and two AdamW. PyTorch has the rectifier from diffusers' blocks, its nearest code from
baddbmm and argmin, its optimisers fused. Each side runs in a process of its own; they take turns, the median of each side's steps
after the first counts. Prints one JSON line: seconds and images per second, the ratio, and both peaks of memory.
Needs torch and diffusers.
"""

import argparse
import json
import resource
import statistics
import sys
import time

from .worker import Worker


def torch_worker(batch, threads):
    import torch
    import torch.nn.functional as F
    from diffusers.models.autoencoders.autoencoder_dc import EfficientViTBlock
    from diffusers.models.normalization import RMSNorm
    from torch import nn

    class Rectifier(nn.Module):
        def __init__(self, channels=32, width=512, depth=3):
            super().__init__()
            self.repeats = width // channels
            self.conv_in = nn.Conv2d(channels, width, 3, padding=1)
            blocks = [EfficientViTBlock(width, attention_head_dim=32, qkv_multiscales=(5,), norm_type="rms_norm") for _ in range(depth)]
            self.blocks = nn.Sequential(*blocks)
            self.norm_out, self.conv_out = RMSNorm(width, 1e-5, bias=True), nn.Conv2d(width, channels, 3, padding=1)

        def forward(self, z):
            hidden = self.blocks(self.conv_in(z) + z.repeat_interleave(self.repeats, dim=1))
            return self.conv_out(F.relu(self.norm_out(hidden.movedim(1, -1)).movedim(-1, 1)))

    torch.manual_seed(1)
    torch.set_num_threads(threads)
    codebooks = nn.Parameter(torch.randn(512, 16_384, 4))
    rectifier = Rectifier()
    offsets = torch.arange(512) * 16_384
    optimizers = [
        torch.optim.AdamW([codebooks], lr=0.01, weight_decay=0, fused=True),
        torch.optim.AdamW(rectifier.parameters(), lr=0.0005, weight_decay=1e-4, fused=True),
    ]
    latents = torch.randn(batch, 32, 8, 8)

    @torch.no_grad()
    def nearest(z):
        found, z = [], z.permute(1, 0, 2)
        for first in range(0, 512, 4):
            codes = codebooks[first : first + 4]
            norms = 0.5 * (codes * codes).sum(-1).unsqueeze(1)
            found.append(torch.baddbmm(norms, z[first : first + 4], codes.transpose(1, 2), alpha=-1).argmin(-1))
        return torch.cat(found).t()

    def step():
        z = latents.reshape(batch, 512, 4)
        q = F.embedding(nearest(z) + offsets, codebooks.view(-1, 4))
        quantized = F.mse_loss(q, z)
        rectified = F.mse_loss(rectifier(q.detach().reshape(batch, 32, 8, 8)), latents)
        for optimizer in optimizers:
            optimizer.zero_grad()
        (quantized + rectified).backward()
        torch.nn.utils.clip_grad_norm_([codebooks], 1)
        torch.nn.utils.clip_grad_norm_(rectifier.parameters(), 1)
        for optimizer in optimizers:
            optimizer.step()
        return quantized.item(), rectified.item()

    for _ in sys.stdin:
        start = time.perf_counter()
        quantized, rectified = step()
        seconds = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(json.dumps({"seconds": seconds, "quantized": quantized, "rectified": rectified, "peak_bytes": peak}), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", default=".build/release/revq-bench")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--torch-worker", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.torch_worker:
        return torch_worker(arguments.batch, arguments.threads)
    shared = ["--batch", arguments.batch, "--threads", arguments.threads]
    workers = {
        "revq": Worker(arguments.bench, "training-step", *shared),
        "torch": Worker(sys.executable, "-m", "revq_bench.training_step", "--torch-worker", *shared),
    }
    answers = {name: [] for name in workers}
    for _ in range(arguments.rounds + 1):
        for name, worker in workers.items():
            answers[name].append(worker.ask("step"))
    result = {"batch": arguments.batch, "threads": arguments.threads, "rounds": arguments.rounds}
    for name, worker in workers.items():
        worker.close()
        seconds = statistics.median(answer["seconds"] for answer in answers[name][1:])
        result[name] = {
            "seconds": round(seconds, 3),
            "images_per_second": round(arguments.batch / seconds, 2),
            "peak_mib": round(answers[name][-1]["peak_bytes"] / 2**20),
            "first_losses": [answers[name][0][k] for k in ("quantized", "rectified")],
        }
    result["ratio"] = round(result["torch"]["seconds"] / result["revq"]["seconds"], 2)
    result["memory_ratio"] = round(result["revq"]["peak_mib"] / result["torch"]["peak_mib"], 2)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
