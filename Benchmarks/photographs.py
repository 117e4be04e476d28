#!/usr/bin/env python3
"""Sends photographs through a running server the way a user does, and prints PSNR and time for each.

python Benchmarks/photographs.py [URL [FOLDER]]     needs numpy and Pillow
"""
import io, json, pathlib, sys, time, urllib.request
import numpy as np
from PIL import Image

url = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080"
folder = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else "Tests/Photographs")


def post(route, body, kind):
    request = urllib.request.Request(url + route, data=body, headers={"Content-Type": kind})
    start = time.perf_counter()
    with urllib.request.urlopen(request) as answer:
        return answer.read(), 1000 * (time.perf_counter() - start)


def square(path, size):
    """Shorter side to `size` with antialiasing, centre crop, as the server does."""
    image = Image.open(path).convert("RGB")
    scale = size / min(image.size)
    width, height = (max(size, int(side * scale)) for side in image.size)
    image = image.resize((width, height), Image.Resampling.BILINEAR)
    left, top = round((width - size) / 2), round((height - size) / 2)
    return np.asarray(image.crop((left, top, left + size, top + size)), dtype=np.float64)


psnrs, times = [], []
print("image,psnr,encode_ms,decode_ms")
for path in sorted(folder.glob("*.jpg")):
    body, encode = post("/encode", path.read_bytes(), "image/jpeg")
    png, decode = post("/decode", body, "application/json")
    tokens = json.loads(body)
    drawn = np.asarray(Image.open(io.BytesIO(png)), dtype=np.float64)
    psnr = 10 * np.log10(255**2 / np.mean((drawn - square(path, tokens["grid"]["image_size"])) ** 2))
    psnrs.append(psnr)
    times.append(encode + decode)
    print(f"{path.name},{psnr:.2f},{encode:.1f},{decode:.1f}")
print(f"mean,{np.mean(psnrs):.2f} dB, encode + decode {np.median(times):.1f} ms (median), {len(psnrs)} photographs", file=sys.stderr)
