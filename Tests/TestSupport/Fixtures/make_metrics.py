#!/usr/bin/env python3
"""Reference values for the picture metrics, computed by other people's packages.

python Tests/TestSupport/Fixtures/make_metrics.py
needs numpy, scipy, torch, torchvision, torch-fidelity and lpips

Inception and AlexNet get random weights that the tests can make themselves: tensor NAME of a network holds draws of the counter-based
generator of RandomSource.swift, stream NAME. So no weights are stored, and none are downloaded.
"""

import json
import pathlib
import tempfile

import numpy as np
import torch

HERE = pathlib.Path(__file__).parent / "metrics"
np.seterr(over="ignore")


def mixed(z):
    z = np.asarray(z, np.uint64)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


GAMMA = np.uint64(0x9E3779B97F4A7C15)


def stream(name):
    value = 0xCBF29CE484222325
    for byte in name.encode():
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return mixed(np.uint64(value))


def uniform(name, count, seed=0):
    """Multiples of 2^-24 in 0 ..< 1."""
    state = mixed(mixed(np.uint64(seed) + GAMMA) ^ mixed(stream(name) + np.uint64(0xD1B54A32D192ED03)))
    counter = np.arange(1, count + 1, dtype=np.uint64) * GAMMA + state
    return ((mixed(counter) >> np.uint64(40)).astype(np.float32)) * np.float32(2**-24)


def random_tensor(name, shape):
    """What kind of tensor it is shows in its name; deviations keep activations near one through the depth."""
    u = torch.from_numpy(uniform(name, int(np.prod(shape)))).reshape(shape)
    if name.endswith("running_var"):
        return 0.5 + u
    if name.endswith("bn.weight"):
        return 0.75 + 0.5 * u
    if name.startswith("lin"):
        return u / shape[1]
    if len(shape) == 4:
        return (2 * u - 1) * (6 / np.prod(shape[1:])) ** 0.5
    return 0.2 * u - 0.1


def randomize(network, state):
    """All learned tensors; lpips' list `lins` holds the layers lin0 … lin4 a second time."""
    learned = {n: t for n, t in state.items() if t.is_floating_point() and not n.startswith(("lins.", "scaling_layer."))}
    network.load_state_dict({n: random_tensor(n, tuple(t.shape)) for n, t in learned.items()}, strict=False)


def picture(name, side):
    """Smooth enough to look like something: noise on a coarse grid, enlarged, and a little fine noise."""
    coarse = uniform(name, 8 * 8 * 3).reshape(8, 8, 3)
    fine = uniform(name + " fine", side * side * 3).reshape(side, side, 3)
    big = np.kron(coarse, np.ones((side // 8, side // 8, 1), np.float32))
    return (np.float32(200) * big + np.float32(40) * fine).astype(np.uint8)


def ssim(a, b):
    from scipy.signal import convolve2d

    weights = np.exp(-0.5 * (np.arange(11) - 5) ** 2 / 1.5**2)
    window = np.outer(weights, weights) / weights.sum() ** 2
    mean = lambda x: convolve2d(x, window, mode="valid")
    ma, mb = mean(a), mean(b)
    va, vb, cov = mean(a * a) - ma**2, mean(b * b) - mb**2, mean(a * b) - ma * mb
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    return float(np.mean((2 * ma * mb + c1) * (2 * cov + c2) / ((ma**2 + mb**2 + c1) * (va + vb + c2))))


def luma(x):
    return x.astype(float) @ np.array([0.299, 0.587, 0.114])


def psnr(a, b):
    return float(10 * np.log10(255**2 / np.mean((a.astype(float) - b.astype(float)) ** 2)))


def pictures():
    import lpips

    names = ["first", "second"]
    images = [picture(name, 64) for name in names]
    network = lpips.LPIPS(net="alex", pretrained=False, pnet_rand=True, verbose=False)
    randomize(network, network.state_dict())
    as_input = lambda x: torch.from_numpy(x.transpose(2, 0, 1).astype(np.float32) / 127.5 - 1)[None]
    with torch.no_grad():
        distance = float(network(*map(as_input, images)))
    a, b = images
    return {
        "psnr": psnr(a, b),
        "luma_psnr": psnr(luma(a), luma(b)),
        "red_psnr": psnr(a[..., 0], b[..., 0]),
        "ssim": ssim(luma(a), luma(b)),
        "lpips": distance,
    }, images


def inception(images):
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    class Random(FeatureExtractorInceptionV3):
        def load_state_dict(self, state, **_):
            pass

    with tempfile.NamedTemporaryFile(suffix=".pth") as file:
        torch.save({}, file.name)
        network = Random("random", ["2048"], feature_extractor_weights_path=file.name)
    randomize(super(Random, network), network.state_dict())
    shapes = [f"{n.removesuffix('.conv.weight')} {' '.join(map(str, t.shape))}" for n, t in network.state_dict().items() if n.endswith("conv.weight")]
    (HERE / "inception.txt").write_text("\n".join(shapes) + "\n")
    with torch.no_grad():
        return network(torch.from_numpy(np.stack(images).transpose(0, 3, 1, 2)))[0].numpy()


def distances():
    """Fewer samples than features, and more."""
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
    from torch_fidelity.metric_kid import kernel_mmd

    result = []
    for n, d in ((12, 20), (60, 20)):
        a = uniform(f"a {n}", n * d).reshape(n, d)
        b = uniform(f"b {n}", n * d).reshape(n, d) * np.float32(1.25) + np.float32(0.1)
        stats = [fid_features_to_statistics(torch.from_numpy(x)) for x in (a, b)]
        kid = kernel_mmd(
            a.astype(float), b.astype(float), kid_kernel="poly", kid_kernel_poly_degree=3, kid_kernel_poly_gamma=None, kid_kernel_poly_coef0=1
        )
        result.append(
            {"n": n, "d": d, "frechet": fid_statistics_to_metric(*stats, verbose=False)["frechet_inception_distance"], "kernel": float(kid)}
        )
    return result


if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    figures, images = pictures()
    features = inception(images)
    np.save(HERE / "inception.npy", features.astype(np.float32))
    (HERE / "metrics.json").write_text(json.dumps({**figures, "distances": distances()}, indent=1) + "\n")
    print(figures, features.mean(), features.std())
