"""A checkpoint whose tokens mean something else, made of another."""

from __future__ import annotations

import hashlib
import json
import pathlib
import shutil
import struct

import numpy as np


def swapped(model: pathlib.Path) -> int:
    """Publishes the newest version of `model` with its codes in reverse order, as its next version: equal pictures, and tokens that are
    the largest minus what they were. Its number."""
    newest = max(folder for folder in model.iterdir() if folder.name.isdigit())
    number = int(newest.name) + 1
    staged = model / f".staged-{number}"
    shutil.copytree(newest, staged)
    manifest = json.loads((staged / "manifest.json").read_text())
    codes = manifest["quantizer"]["codes"]
    _reverse_codes(staged / "quantizer.safetensors")
    golden = json.loads((staged / "golden.json").read_text())
    for picture in golden:
        picture["tokens"] = [codes - 1 - token for token in picture["tokens"]]
    (staged / "golden.json").write_text(json.dumps(golden))
    for name, digest in manifest["files"].items():
        data = (staged / name).read_bytes()
        digest.update(bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
    manifest.update(step=number, fingerprint=_fingerprint(manifest))
    (staged / "manifest.json").write_text(json.dumps(manifest))
    staged.rename(model / f"{number:06}")
    return number


def _reverse_codes(file: pathlib.Path) -> None:
    data = bytearray(file.read_bytes())
    (length,) = struct.unpack("<Q", data[:8])
    entry = json.loads(data[8 : 8 + length])["quantizer.embeddings"]
    first, last = (8 + length + offset for offset in entry["data_offsets"])
    codes = np.frombuffer(bytes(data[first:last]), "<f4").reshape(entry["shape"])
    data[first:last] = codes[:, ::-1].tobytes()
    file.write_bytes(data)


def _fingerprint(manifest: dict) -> str:
    """As CheckpointManifest has it, for a tokenizer of the default checkpoint's kind."""
    quantizer, latent = manifest["quantizer"], manifest["latentShape"]
    parts = [
        "revq token meaning 1",
        str(manifest["imageSize"]),
        f"{latent['channels']}×{latent['height']}×{latent['width']}",
        "{tokens}×{codes}×{dimension}/{codebooks} klt-{side}".format(**quantizer, side=quantizer["grouping"]["klt"]["side"]),
        "identity",
        manifest["preprocessing"],
        manifest["vae"]["configuration"]["sha256"],
        manifest["vae"]["weights"]["sha256"],
        manifest["files"]["quantizer.safetensors"]["sha256"],
        "",
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
