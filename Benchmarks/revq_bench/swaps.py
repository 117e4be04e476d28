"""Replaces a served checkpoint again and again under requests, and says what the server's memory does.

    python -m revq_bench.swaps [--swaps 1000]     needs the standard library alone

Every version is the default checkpoint under the next number, so that every picture has the same tokens whichever version answers. The first
tenth of the swaps is not counted. Ends with status 1 where a request failed or memory grew by more than 5 MB.
"""

import argparse
import http.client
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from . import ROOT

MAXIMUM_GROWTH_BYTES = 5_000_000
PHOTOGRAPH = ROOT / "Tests/Photographs/chelsea.jpg"
KEPT_VERSIONS = 8


class Publisher(threading.Thread):
    """Lets a new version appear faster than one can be loaded, and removes the old ones."""

    def __init__(self, folder):
        super().__init__(daemon=True)
        source = ROOT / "checkpoints/default"
        for vae in source.glob("vae-*"):
            shutil.copytree(vae, folder / vae.name)
        newest = max(path.parent for path in source.glob("*/manifest.json"))
        self.manifest = json.loads((newest / "manifest.json").read_text())
        self.original = shutil.copytree(newest, folder.parent / ".original", ignore=shutil.ignore_patterns("manifest.json"))
        self.folder, self.version, self.ended = folder, self.manifest["step"], threading.Event()
        self.publish()

    def publish(self):
        self.version += 1
        draft = self.folder / f".{self.version}.tmp"
        shutil.copytree(self.original, draft, copy_function=os.link)
        (draft / "manifest.json").write_text(json.dumps(self.manifest | {"step": self.version}))
        draft.rename(self.folder / str(self.version))
        shutil.rmtree(self.folder / str(self.version - KEPT_VERSIONS), ignore_errors=True)

    def run(self):
        while not self.ended.wait(0.02):
            self.publish()


class Client(threading.Thread):
    """Asks for the same photograph's tokens, one request after the other."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.ended = port, threading.Event()
        self.answers, self.failures, self.tokens = 0, [], set()

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        body = PHOTOGRAPH.read_bytes()
        while not self.ended.is_set():
            try:
                connection.request("POST", "/encode", body, {"Content-Type": "image/jpeg"})
                answer = connection.getresponse()
                document = json.loads(answer.read())
                self.answers += 1
                if answer.status != 200:
                    self.failures.append(f"{answer.status} {document}")
                else:
                    self.tokens.add(tuple(document["tokens"]))
            except (OSError, http.client.HTTPException, ValueError) as error:
                self.failures.append(repr(error))
                connection.close()


def resident_bytes(process):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return 1024 * int(re.search(r"VmRSS:\s+(\d+)", status)[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--swaps", type=int, default=1000)
    parser.add_argument("--executable", type=pathlib.Path, default=ROOT / ".build/release/revq-server")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        publisher = Publisher(pathlib.Path(root) / "default")
        command = [options.executable, "--checkpoints", root, "--port", "0"]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        try:
            sys.exit(not measure(process, publisher, options.swaps))
        finally:
            publisher.ended.set()
            process.kill()


def measure(process, publisher, swaps):
    port, swapped, warm = None, -1, None
    client, start = None, time.monotonic()
    for line in process.stderr:
        if port is None and (address := re.search(r"http://127\.0\.0\.1:(\d+)", line)):
            port = int(address[1])
        if "checkpoint refused" in line:
            print(line, end="")
        if "checkpoint loaded" not in line:
            continue
        swapped += 1
        if client is None:
            client = Client(port)
            client.start()
            publisher.start()
        if swapped == swaps // 10:
            warm = resident_bytes(process)
        if swapped > 0 and swapped % (swaps // 10) == 0:
            print(f"{swapped:6} swaps  {resident_bytes(process) / 1e6:8.2f} MB  {client.answers:7} answers", flush=True)
        if swapped == swaps:
            break
    client.ended.set()
    client.join()
    growth = resident_bytes(process) - warm
    seconds = time.monotonic() - start
    print(f"{seconds:.0f} s, {len(client.failures)} failures, {len(client.tokens)} different answers, growth {growth / 1e6:.2f} MB")
    for failure in client.failures[:5]:
        print(failure)
    return not client.failures and len(client.tokens) == 1 and growth <= MAXIMUM_GROWTH_BYTES


if __name__ == "__main__":
    main()
