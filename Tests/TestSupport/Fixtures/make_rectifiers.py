#!/usr/bin/env python3
"""Outputs and gradients of small rectifiers by PyTorch, and closed-form linear ones by NumPy.

Writes rectifiers/networks.safetensors: for each of cnn and mlp NAME/input and NAME/target (NCHW), NAME.parameters.*, NAME/output, the
gradient of mean (output - target)^2 for the parameters as NAME.gradients.* and for the input as NAME/input_gradient; BatchNorm in
training mode. And rectifiers/linear.safetensors: latents z, a noisy q of each, and the ridge regressions from q to z in float64, over
3x3 neighbourhoods and over whole images, with and without the residual. Needs torch, numpy and safetensors; run it in this folder.
"""

import os

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from safetensors.torch import save_file

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)
C, H, W, N, WIDTH = 3, 3, 4, 6, 10


class RMSNorm(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))

    def forward(self, x):
        scale = torch.rsqrt((x * x).mean(1, keepdim=True) + 1e-5)
        return x * scale * self.weight[:, None, None] + self.bias[:, None, None]


class LowRankBlock(nn.Module):
    def __init__(self, width, rank):
        super().__init__()
        self.reduce, self.mix = nn.Conv2d(width, rank, 1), nn.Conv2d(rank, rank, 3, padding=1)
        self.expand, self.norm = nn.Conv2d(rank, width, 1, bias=False), RMSNorm(width)

    def forward(self, x):
        return x + self.norm(self.expand(F.silu(self.mix(F.silu(self.reduce(x))))))


class CNN(nn.Module):
    def __init__(self, width, depth, rank):
        super().__init__()
        self.conv_in = nn.Conv2d(C, width, 3, padding=1)
        self.blocks = nn.ModuleList(LowRankBlock(width, rank) for _ in range(depth))
        self.norm_out, self.conv_out = RMSNorm(width), nn.Conv2d(width, C, 3, padding=1)

    def forward(self, x):
        x = self.conv_in(x)
        for block in self.blocks:
            x = block(x)
        return self.conv_out(F.silu(self.norm_out(x)))


class MLPBlock(nn.Module):
    def __init__(self, inputs, width):
        super().__init__()
        self.linear1, self.linear2 = nn.Conv2d(inputs, width, 1), nn.Conv2d(width, width, 1)
        self.norm, self.skip = nn.BatchNorm2d(width), nn.Conv2d(inputs, width, 1)

    def forward(self, x):
        return self.norm(self.linear2(F.silu(self.linear1(x)))) + self.skip(x)


class MLP(nn.Module):
    def __init__(self, width, depth):
        super().__init__()
        self.blocks = nn.ModuleList(MLPBlock(C * H * W if i == 0 else width, width) for i in range(depth))
        self.out = nn.Conv2d(width, C * H * W, 1)

    def forward(self, x):
        x = x.reshape(len(x), -1, 1, 1)
        for block in self.blocks:
            x = block(x)
        return self.out(x).reshape(-1, C, H, W)


def networks():
    tensors = {}
    generator = torch.Generator().manual_seed(1)
    for name, model in (("cnn", CNN(WIDTH, 2, 4)), ("mlp", MLP(WIDTH, 2))):
        with torch.no_grad():
            for parameter in model.parameters():
                noise = torch.randn(parameter.shape, generator=generator)
                parameter.copy_(0.3 * noise + (0.8 if parameter.ndim == 1 else 0))
        x, target = torch.randn(2, N, C, H, W, generator=generator)
        x.requires_grad_(True)
        buffers = {k: b.clone() for k, b in model.named_buffers() if "running" in k}
        output = model.train()(x)
        F.mse_loss(output, target).backward()
        tensors |= {f"{name}/input": x.detach(), f"{name}/target": target, f"{name}/output": output.detach()}
        tensors[f"{name}/input_gradient"] = x.grad
        tensors |= {f"{name}.parameters.{k}": p.detach() for k, p in (dict(model.named_parameters()) | buffers).items()}
        tensors |= {f"{name}.gradients.{k}": p.grad for k, p in model.named_parameters()}
    save_file({k: t.contiguous() for k, t in tensors.items()}, "rectifiers/networks.safetensors")


def ridge(x, y, penalty):
    """W and b of the least |y - x W - b|^2 + penalty * mean sum of squares of a feature * |W|^2."""
    x = np.concatenate([x, np.ones((len(x), 1))], 1)
    matrix = x.T @ x
    features = x.shape[1] - 1
    matrix[np.arange(features), np.arange(features)] += penalty * np.trace(matrix[:features, :features]) / features
    solution = np.linalg.solve(matrix, x.T @ y)
    return solution[:-1].T, solution[-1]


def linear():
    random = np.random.default_rng(2)
    z = random.standard_normal((60, C, H, W))
    q = (z + 0.4 * random.standard_normal(z.shape) + 0.2 * np.roll(z, 1, 3)).astype(np.float32)
    z = z.astype(np.float32)
    tensors = {"q": q, "z": z}
    patches = F.unfold(torch.from_numpy(q).double(), 3, padding=1).numpy().transpose(0, 2, 1).reshape(-1, C * 9)
    for residual in (False, True):
        y = z.astype(np.float64) - (q if residual else 0)
        suffix = "_residual" if residual else ""
        weight, bias = ridge(patches, y.transpose(0, 2, 3, 1).reshape(-1, C), 0.01)
        tensors[f"neighbourhood{suffix}.map.weight"], tensors[f"neighbourhood{suffix}.map.bias"] = weight.reshape(C, C, 3, 3), bias
        weight, bias = ridge(q.reshape(len(q), -1).astype(np.float64), y.reshape(len(q), -1), 0.01)
        tensors[f"image{suffix}.map.weight"], tensors[f"image{suffix}.map.bias"] = weight[:, :, None, None], bias
    save_file({k: torch.from_numpy(np.ascontiguousarray(t, np.float32)) for k, t in tensors.items()}, "rectifiers/linear.safetensors")


os.makedirs("rectifiers", exist_ok=True)
networks()
linear()
