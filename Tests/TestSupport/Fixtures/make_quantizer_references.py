"""Prints the reference values of QuantizerDesignTests and RateDistortionTests, by numpy and scipy alone."""

import numpy as np
from scipy import integrate, optimize

np.set_printoptions(precision=12)


def noise(i):
    return (i * 7919 + i * i * 31) % 1009 / 1009 - 0.5


def latents(images, channels, height, width):
    z = np.empty((images, channels, height, width))
    for (n, c, y, x), _ in np.ndenumerate(z):
        i = ((n * channels + c) * height + y) * width + x
        z[n, c, y, x] = noise(i) + 0.8 * noise(n * 131 + 7 * y + x) * (c + 1) + 0.5 * c
    return z


def balanced(values, groups):
    """Indices of descending eigenvalues dealt to groups, each to the one with the smallest product so far that has room."""
    members, products = [[] for _ in range(groups)], [0.0] * groups
    for index, value in enumerate(values):
        open_groups = [g for g in range(groups) if len(members[g]) < len(values) // groups]
        group = min(open_groups, key=lambda g: (products[g], g))
        members[group].append(index)
        products[group] += np.log(value / values[-1])
    return members


z = latents(40, 2, 2, 4)
z = (z - z.mean(0)) / z.std(0)
boxes = z.reshape(40, 2, 1, 2, 2, 2).transpose(0, 2, 4, 1, 3, 5).reshape(-1, 8)
values = np.linalg.eigvalsh(boxes.T @ boxes / len(boxes))[::-1]
print("klt-2 variances by group:", [values[group] for group in balanced(values, 2)])

variances, bits = np.array([4, 2, 1, 0.5, 0.01]), 6.0
level = optimize.brentq(lambda t: np.maximum(0.5 * np.log2(variances / t), 0).sum() - bits, 1e-9, 4)
print("water-filling:", np.minimum(level, variances).mean())
gauss = lambda x: np.exp(-x * x / 2) / np.sqrt(2 * np.pi)
norm = integrate.quad(lambda x: gauss(x) ** (1 / 3), -np.inf, np.inf)[0] ** 3
print("zador, one dimension, 5 bits:", norm / 12 * 2.0**-10)
print("eigenvalues:", np.linalg.eigvalsh(np.array([[4, 1, -2], [1, 3, 0.5], [-2, 0.5, 5]]))[::-1])
