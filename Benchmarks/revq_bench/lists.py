"""Pictures in one list beside as many requests, and the bytes of a picture's tokens in each form.

python3 -m revq_bench.lists http://127.0.0.1:8080 [--pictures 64] [--connections 8] [--rounds 5]

The pictures are crops of nothing: the photographs of the tests with a few bytes behind their end, so that no two are equal. Ways take turns, and the
median of the rounds is printed.
"""

from __future__ import annotations

import argparse
import base64
import concurrent.futures
import gzip
import http.client
import json
import statistics
import time
import urllib.parse

from . import ROOT

FORMS = ["application/json", "application/x-npy", "application/octet-stream", "application/vnd.revq.tokens"]


class Connection:
    def __init__(self, url):
        self._connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc)

    def post(self, body, kind, accept="application/json"):
        headers = {"Content-Type": kind, "Accept": accept, "Cache-Control": "no-cache"}
        self._connection.request("POST", "/encode", body, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{answer.status}: {content.decode(errors='replace')}")
        return content


def in_one_list(connections, pictures):
    document = json.dumps({"images": [base64.b64encode(picture).decode() for picture in pictures]}).encode()
    items = json.loads(connections[0].post(document, "application/json"))["items"]
    assert [item["status"] for item in items] == [200] * len(pictures)


def in_requests(connections, pictures):
    def serve(index):
        for picture in pictures[index :: len(connections)]:
            connections[index].post(picture, "image/jpeg")

    with concurrent.futures.ThreadPoolExecutor(len(connections)) as pool:
        list(pool.map(serve, range(len(connections))))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--pictures", type=int, default=64)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    files = [path.read_bytes() for path in sorted((ROOT / "Tests" / "Photographs").glob("*.jpg"))]
    pictures = [files[index % len(files)] + index.to_bytes(4, "little") for index in range(options.pictures)]
    connections = [Connection(options.url) for _ in range(options.connections)]
    ways = {"one list": in_one_list, f"{options.pictures} requests": in_requests}
    seconds = {name: [] for name in ways}
    for _ in range(options.rounds + 1):
        for name, way in ways.items():
            start = time.perf_counter()
            way(connections, pictures)
            seconds[name].append(time.perf_counter() - start)
    for name, taken in seconds.items():
        print(f"{name}: {options.pictures / statistics.median(taken[1:]):.1f} pictures/s")
    for form in FORMS:
        bodies = [connections[0].post(picture, "image/jpeg", form) for picture in files]
        plain, packed = statistics.mean(map(len, bodies)), statistics.mean(len(gzip.compress(body, 9)) for body in bodies)
        print(f"{form}: {plain:.0f} bytes a picture, {packed:.0f} behind gzip -9")


if __name__ == "__main__":
    main()
