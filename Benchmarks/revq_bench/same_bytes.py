"""Pictures from tokens beside those of JPEG, WebP and AVIF with as many bytes, on a folder of photographs.

    python -m revq_bench.same_bytes FOLDER [--server NAME=URL ...] [--output DIR] [--json FILE]

Each photograph's shorter side is resized to the model's size (Lanczos), and the centre square kept. A codec gets the quality at which its file,
or its file without the container (what it would cost with a header that is known), is just not longer than the tokens; where even its worst quality
is longer, that photograph is left out for it, and the line below shows the first server on the same photographs. Every server that is named is
measured: two defaults beside each other, for example.

Measures: PSNR over RGB; SSIM of the brightness; ST-LPIPS on AlexNet and VGG where stlpips-pytorch can be imported; grid, the power at the
frequencies of grids of 2, 4 … 32 pixels over that beside them, relative to the photograph's, as a geometric mean, for the worst period: 1 is no grid.
With --output pictures are written there, side by side, originals first. Needs numpy, Pillow and scikit-image.
"""

import argparse
import io
import json
import math
import pathlib
import sys
import urllib.request

import numpy
from PIL import Image
from skimage.metrics import structural_similarity

PERIODS = (2, 4, 8, 16, 32)
# Bytes of a file that are not its picture: what a decoder could know already.
CODECS = {
    "JPEG": ("JPEG", 0, {"optimize": True, "subsampling": 2}),
    "JPEG, payload": ("JPEG", 623, {"optimize": True, "subsampling": 2}),
    "WebP": ("WEBP", 0, {"method": 6}),
    "WebP, payload": ("WEBP", 30, {"method": 6}),
    "AVIF": ("AVIF", 0, {"speed": 4}),
    "AVIF, payload": ("AVIF", 280, {"speed": 4}),
}
LUMA = numpy.array([0.299, 0.587, 0.114])


class Tokenizer:
    """A running server."""

    def __init__(self, argument):
        self.name, _, self.url = argument.rpartition("=")
        self.name = self.name or "revq"
        self.size = json.loads(self._ask("/models"))["models"][0]["versions"][0]["grid"]["image_size"]

    def _ask(self, path, body=None, kind=None):
        request = urllib.request.Request(self.url + path, data=body, headers={"Content-Type": kind} if kind else {})
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.read()

    def draw(self, image):
        """The picture through its tokens, and the bytes that these need."""
        reply = json.loads(self._ask("/encode", png(image), "image/png"))
        drawn = self._ask("/decode", json.dumps(reply).encode(), "application/json")
        bits = len(reply["tokens"]) * math.log2(reply["grid"]["codebook_size"])
        return Image.open(io.BytesIO(drawn)).convert("RGB"), bits / 8


def png(image):
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def square(path, size):
    image = Image.open(path).convert("RGB")
    scale = size / min(image.size)
    image = image.resize([max(size, round(side * scale)) for side in image.size], Image.Resampling.LANCZOS)
    left, top = ((side - size) // 2 for side in image.size)
    return image.crop((left, top, left + size, top + size))


def compressed(image, form, most, options):
    """The best file of at most so many bytes; None where there is none."""
    best, low, high = None, 1 if form == "JPEG" else 0, 100
    while low <= high:
        quality = (low + high) // 2
        buffer = io.BytesIO()
        image.save(buffer, form, quality=quality, **options)
        if len(buffer.getvalue()) <= most:
            best, low = buffer.getvalue(), quality + 1
        else:
            high = quality - 1
    return best


def grids(image):
    """The logarithm, for each period, of the power at its frequency over that beside it."""
    power = numpy.abs(numpy.fft.fft2(numpy.asarray(image, float).mean(2))) ** 2
    size = power.shape[0]
    found = []
    for period in PERIODS:
        place = size // period

        def at(offset, place=place):
            near = (place + offset) % size
            return power[0, near] + power[near, 0] + power[near, place]

        found.append(at(0) / (sum(map(at, (-3, -2, 2, 3))) / 4 + 1e-9))
    return numpy.log(numpy.array(found) + 1e-9)


def perceptual_networks():
    try:
        import torch
        from stlpips_pytorch import stlpips
    except ImportError as error:
        print(f"no ST-LPIPS: {error}", file=sys.stderr)
        return None
    networks = [stlpips.LPIPS(net=net, variant="shift_tolerant", verbose=False).eval() for net in ("alex", "vgg")]

    def distances(a, b):
        a, b = (torch.from_numpy(numpy.asarray(image, numpy.float32) / 127.5 - 1).permute(2, 0, 1)[None] for image in (a, b))
        with torch.no_grad():
            return [float(network(a, b)) for network in networks]

    return distances


def figures(original, drawn, distances):
    a, b = numpy.asarray(original, float), numpy.asarray(drawn, float)
    psnr = 10 * math.log10(255**2 / max(((a - b) ** 2).mean(), 1e-9))
    ssim = structural_similarity(a @ LUMA, b @ LUMA, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False)
    return [psnr, ssim, *(distances(original, drawn) if distances else (math.nan, math.nan)), *(grids(drawn) - grids(original))]


def interval(values, seed=1):
    """Of the mean, 95 %, by drawing photographs anew."""
    draws = numpy.random.default_rng(seed).choice(values, (1000, len(values))).mean(1)
    return [float(numpy.quantile(draws, q)) for q in (0.025, 0.975)]


def measure(paths, tokenizers, distances, output):
    rows = {}
    for number, path in enumerate(paths):
        image = square(path, tokenizers[0].size)
        drawn = {tokenizer.name: tokenizer.draw(image) for tokenizer in tokenizers}
        most = next(iter(drawn.values()))[1]
        for name, (form, container, options) in CODECS.items():
            if data := compressed(image, form, most + container, options):
                drawn[name] = (Image.open(io.BytesIO(data)).convert("RGB"), len(data) - container)
        for name, (picture, size) in drawn.items():
            rows.setdefault(name, {})[path.name] = [*figures(image, picture, distances), size]
        if output:
            sheet([("original", image), *((name, picture) for name, (picture, _) in drawn.items())]).save(output / f"{path.stem}.png")
        print(f"\r{number + 1}/{len(paths)}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return rows


def sheet(pictures):
    """Side by side."""
    width, height = pictures[0][1].size
    sheet = Image.new("RGB", (width * len(pictures), height))
    for place, (_, picture) in enumerate(pictures):
        sheet.paste(picture, (place * width, 0))
    return sheet


def line(name, rows):
    values = numpy.array(list(rows.values()))
    mean = values.mean(0)
    grid = numpy.exp(mean[4:9])
    low, high = interval(values[:, 0])
    return (
        f"| {name} | {len(rows)} | {mean[0]:.2f} [{low:.2f}, {high:.2f}] | {mean[1]:.3f} | {mean[2]:.3f} | {mean[3]:.3f} | {mean[9]:.0f} "
        f"| {grid.max():.2f} ({PERIODS[int(grid.argmax())]}) |"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--server", nargs="+", default=["revq=http://127.0.0.1:8080"], metavar="NAME=URL")
    parser.add_argument("--output", type=pathlib.Path)
    parser.add_argument("--json", type=pathlib.Path, help="a file for every figure of every photograph")
    options = parser.parse_args()
    paths = sorted(path for path in options.folder.iterdir() if path.suffix.lower() in (".png", ".jpg", ".jpeg"))
    if not paths:
        parser.error(f"{options.folder} holds no PNG or JPEG files")
    if options.output:
        options.output.mkdir(parents=True, exist_ok=True)
    tokenizers = [Tokenizer(argument) for argument in options.server]
    rows = measure(paths, tokenizers, perceptual_networks(), options.output)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))
    first = tokenizers[0].name
    print("| | photographs | PSNR, dB | SSIM | ST-LPIPS alex | vgg | bytes | grid (period) |\n|---|---|---|---|---|---|---|---|")
    for name, found in rows.items():
        print(line(name, found))
        if name in CODECS and len(found) < len(rows[first]):
            print(line(f"{first} there", {photograph: rows[first][photograph] for photograph in found}))


if __name__ == "__main__":
    main()
