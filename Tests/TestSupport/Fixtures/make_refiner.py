#!/usr/bin/env python3
"""Output and gradients of a small picture refiner by PyTorch.

Writes refiner.safetensors: input and target (NCHW), parameters.*, output, and the gradients of mean (output - target)^2 for the
parameters as gradients.* and for the input as input_gradient. Needs torch and safetensors; run it in this folder.
"""

import torch
import torch.nn as nn
import torch.nn.functional as F
from safetensors.torch import save_file

torch.set_num_threads(1)
torch.manual_seed(3)
FACTOR, CHANNELS, LAYERS = 4, 10, 2


class RMSNorm(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight, self.bias = nn.Parameter(0.3 * torch.randn(CHANNELS)), nn.Parameter(0.1 * torch.randn(CHANNELS))

    def forward(self, x):
        return x * torch.rsqrt((x * x).mean(1, keepdim=True) + 1e-5) * self.weight[:, None, None] + self.bias[:, None, None]


class ResBlock(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1)
        self.conv2 = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1, bias=False)
        self.norm = RMSNorm()

    def forward(self, x):
        return x + self.norm(self.conv2(F.silu(self.conv1(x))))


class Refiner(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv_in = nn.Conv2d(3 * FACTOR**2, CHANNELS, 3, padding=1)
        self.blocks = nn.ModuleList(ResBlock() for _ in range(LAYERS))
        self.conv_out = nn.Conv2d(CHANNELS, 3 * FACTOR**2, 3, padding=1)

    def forward(self, x):
        hidden = self.conv_in(F.pixel_unshuffle(x, FACTOR))
        for block in self.blocks:
            hidden = block(hidden)
        return x + F.pixel_shuffle(self.conv_out(hidden), FACTOR)


refiner = Refiner()
x = torch.randn(2, 3, 12, 16).requires_grad_(True)
target = torch.randn(2, 3, 12, 16)
output = refiner(x)
F.mse_loss(output, target).backward()
tensors = {"input": x.detach(), "target": target, "output": output.detach(), "input_gradient": x.grad}
tensors |= {"parameters." + k: p.detach() for k, p in refiner.named_parameters()}
tensors |= {"gradients." + k: p.grad for k, p in refiner.named_parameters()}
save_file({k: v.contiguous() for k, v in tensors.items()}, "refiner.safetensors")
