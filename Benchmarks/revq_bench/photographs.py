"""Sends photographs through a running server the way a user does, and prints PSNR and time for each.

python -m revq_bench.photographs [URL [FOLDER]]     needs numpy and Pillow
"""

import io
import json
import sys
import time
import urllib.request

import numpy as np
from PIL import Image

from .pictures import PHOTOGRAPHS, photographs, psnr, square


def post(url, body, kind):
    """The answer, and the milliseconds it took."""
    request = urllib.request.Request(url, data=body, headers={"Content-Type": kind})
    start = time.perf_counter()
    with urllib.request.urlopen(request) as answer:
        return answer.read(), 1000 * (time.perf_counter() - start)


def main(url="http://127.0.0.1:8080", folder=PHOTOGRAPHS):
    figures, times = [], []
    print("image,psnr,encode_ms,decode_ms")
    for path in photographs(folder):
        body, encode = post(url + "/encode", path.read_bytes(), "image/jpeg")
        png, decode = post(url + "/decode", body, "application/json")
        drawn = np.asarray(Image.open(io.BytesIO(png)), dtype=np.float64)
        figures.append(psnr(drawn, square(path, json.loads(body)["grid"]["image_size"])))
        times.append(encode + decode)
        print(f"{path.name},{figures[-1]:.2f},{encode:.1f},{decode:.1f}")
    print(f"mean,{np.mean(figures):.2f} dB, encode + decode {np.median(times):.1f} ms (median), {len(figures)} photographs", file=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:])
