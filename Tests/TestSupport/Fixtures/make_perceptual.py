"""Reference values for PerceptualNetwork, in double precision, from the packages stlpips-pytorch and lpips with weights that follow from their
places: python make_perceptual.py

Writes perceptual.safetensors: for each trunk two pictures and their targets ([2, 40, 48, 3]), `<trunk>.distances` and `<trunk>.gradient`, of the
mean distance for the pictures. Element i of tensor number k, counted by name, is ((i * 2654435761 + (k + 1) * 40503) mod 2^32) / 2^32, mapped to
±sqrt(6 / fan in) for convolutions, ±0.1 for biases and 0 … 1 for heads. The pictures are numbers 100 and 200, or for lpips 301 and 401:
others leave neighbours so nearly equal that PyTorch's own single precision takes another one than its double precision, and sends a gradient
elsewhere.
"""

import pathlib

import lpips
import numpy
import torch
from safetensors.numpy import save_file
from stlpips_pytorch import stlpips


def drawn(shape, number):
    places = numpy.arange(int(numpy.prod(shape)), dtype=numpy.uint64)
    values = ((places * 2654435761 + (number + 1) * 40503) % 2**32).astype(numpy.float64) / 2**32
    return values.reshape(shape)


def weights(name, shape, number):
    values = drawn(shape, number)
    if name.startswith("lin"):
        return values.astype(numpy.float32)
    bound = 0.1 if name.endswith("bias") else (6 / numpy.prod(shape[1:])) ** 0.5
    return ((2 * values - 1) * bound).astype(numpy.float32)


def is_weight(name):
    return (name.startswith("net.slice") and name.endswith((".weight", ".bias"))) or (name.startswith("lin") and not name.startswith("lins"))


NETWORKS = {
    "st_lpips_alex": lambda: stlpips.LPIPS(net="alex", variant="shift_tolerant", verbose=False),
    "st_lpips_vgg": lambda: stlpips.LPIPS(net="vgg", variant="shift_tolerant", verbose=False),
    "lpips_alex": lambda: lpips.LPIPS(net="alex", pnet_rand=True, verbose=False),
    "lpips_vgg": lambda: lpips.LPIPS(net="vgg", pnet_rand=True, verbose=False),
    "lpips_squeeze": lambda: lpips.LPIPS(net="squeeze", pnet_rand=True, verbose=False),
}
found = {}
for network, make in NETWORKS.items():
    reference = make().eval()
    first = 100 if network.startswith("st_") else 301
    state = reference.state_dict()
    for number, name in enumerate(sorted(name for name in state if is_weight(name))):
        new = torch.from_numpy(weights(name, state[name].shape, number))
        state[name] = new
        # The heads are registered twice.
        state |= {f"lins.{name[3]}{name[4:]}": new} if name.startswith("lin") and f"lins.{name[3]}{name[4:]}" in state else {}
    reference.load_state_dict(state)
    reference.double()
    y = torch.from_numpy((2 * drawn((2, 40, 48, 3), first) - 1).astype(numpy.float32)).double().requires_grad_()
    target = torch.from_numpy((2 * drawn((2, 40, 48, 3), first + 100) - 1).astype(numpy.float32)).double()
    distances = reference(y.permute(0, 3, 1, 2), target.permute(0, 3, 1, 2)).reshape(-1)
    distances.mean().backward()
    found[f"{network}.distances"] = distances.detach().float().numpy()
    found[f"{network}.gradient"] = y.grad.float().numpy()
    print(network, distances.detach().numpy())
save_file(found, pathlib.Path(__file__).parent / "perceptual.safetensors")
