#!/usr/bin/env python3
"""How long it takes from a dropped picture to the first sight of what its tokens make of it.

.venv-pages/bin/python Tests/PageTests/speed.py [SERVER]

SERVER is the program; otherwise $REVQ_SERVER, or what `make build` has built. Prints the median and the longest for each photograph, in
milliseconds, as the page itself measures them: from the drop event until the picture is in its canvas.
"""

import base64
import os
import pathlib
import statistics
import sys

from playwright.sync_api import sync_playwright

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "clients/python/tests"))

from browsing import CHROMIUM, Visit  # noqa: E402

from servers import RealServer  # noqa: E402

TIMES = 11
DROP = """
([name, data]) => {
  performance.clearMeasures();
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, { type: 'image/jpeg' }));
  document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
}
"""


def dropped(visit, file):
    visit.page.evaluate(DROP, [file.name, base64.b64encode(file.read_bytes()).decode()])
    visit.until("performance.getEntriesByName('first reconstruction').length > 0")
    duration = visit.page.evaluate("performance.getEntriesByName('first reconstruction')[0].duration")
    visit.settle()
    return duration


def main():
    server = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("REVQ_SERVER") or ROOT / ".build/release/revq-server"
    with RealServer(server, ROOT / "checkpoints") as service, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        visit = Visit(browser, service.url, "/")
        print(f"{'photograph':<16} {'median':>8} {'longest':>8}  ms of {TIMES}")
        for file in sorted((ROOT / "Tests/Photographs").glob("*.jpg")):
            durations = [dropped(visit, file) for _ in range(TIMES)]
            print(f"{file.stem:<16} {statistics.median(durations):>8.0f} {max(durations):>8.0f}", flush=True)
        visit.close()
        browser.close()


if __name__ == "__main__":
    main()
