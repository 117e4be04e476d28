"""Measurements of revq, alone and beside others. From the repository's root:

    PYTHONPATH=Benchmarks python -m revq_bench.NAME     with what requirements.txt names

peers             encode, decode, nearest code and rectifier beside PyTorch, ONNX Runtime, OpenVINO and MNN: `make bench`
check             revq alone against thresholds.json: `make bench-check`; the standard library is enough
load              the server under load and under attack: `make bench-load`; the standard library is enough
python_client     what the Python client takes of what wrk gets from the server
nearest_code      the exact nearest code beside torch, FAISS and SciPy
training_step     a training step beside PyTorch's
tokenizing        a data set tokenised beside a PyTorch DataLoader
photographs       photographs through a running server
same_bytes        pictures from tokens beside JPEG, WebP and AVIF of as many bytes
block_dct         what block DCT gives on photographs, unquantised
quantisers        quantisers of equal bits and rectifiers behind them, with bounds
photograph_crops  a second domain for `revq-train transfer`
squares           squares of large pictures: a second domain for `revq-train tolerance`
pyramid_code      an autoencoder with latents of two scales, in closed form
round_trip        photographs through an autoencoder alone, beside PyTorch
random_vae        a full-size autoencoder with random weights
"""

import pathlib

# Benchmarks, and the repository.
FOLDER = pathlib.Path(__file__).resolve().parent.parent
ROOT = FOLDER.parent
CONFIGURATIONS = FOLDER / "revq_bench" / "configurations"
