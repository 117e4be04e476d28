#!/usr/bin/env python3
"""Takes the picture of the playground that README.md shows.

.venv-pages/bin/python Tests/PageTests/picture.py [SERVER]

SERVER is the program; otherwise $REVQ_SERVER, or what `make build` has built. Fonts are those of this machine.
"""

import io
import os
import pathlib
import sys

from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "clients/python/tests"))

from browsing import CHROMIUM, Visit  # noqa: E402

from servers import RealServer  # noqa: E402

PICTURE = ROOT / "docs/playground.png"


def main():
    server = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("REVQ_SERVER") or ROOT / ".build/release/revq-server"
    with RealServer(server, ROOT / "checkpoints") as service, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        visit = Visit(browser, service.url, "/")
        visit.page.set_viewport_size({"width": 1120, "height": 1140})
        visit.page.click("[data-example=cat]")
        visit.said("cat.jpg went through")
        visit.settle()
        visit.page.click("#map [data-index='5']")
        visit.said("It acts on", "#selected")
        visit.page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
        shot = Image.open(io.BytesIO(visit.page.screenshot())).convert("RGB")
        visit.close()
        browser.close()
    PICTURE.parent.mkdir(exist_ok=True)
    shot.quantize(224, Image.Quantize.MEDIANCUT, kmeans=3, dither=Image.Dither.NONE).save(PICTURE, optimize=True)
    print(f"{PICTURE.relative_to(ROOT)}: {PICTURE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
