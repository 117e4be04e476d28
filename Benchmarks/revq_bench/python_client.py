"""What the Python client takes of what wrk gets: /encode of photographs with 16 in flight, turn about in rounds. The client is a process of its
own, and shares the cores with the server, as wrk does.

python -m revq_bench.python_client [--seconds 6] [--rounds 5]     with PYTHONPATH=Benchmarks:clients/python/src, numpy, Pillow, httpx; wants wrk

Ends with status 1 where the client's median share is less than it should be.
"""

import argparse
import asyncio
import itertools
import json
import pathlib
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from . import ROOT
from .load.server import Server
from .processor import name as processor_name

IN_FLIGHT, LEAST_SHARE = 16, 0.90
PHOTOGRAPHS = sorted((ROOT / "Tests" / "Photographs").glob("*.jpg"))
WAYS = ("bytes", "paths", "asyncio", "httpx")
HEADERS = {"Content-Type": "image/jpeg", "Accept": "application/x-npy"}


def main():
    parser = argparse.ArgumentParser(prog="revq_bench.python_client", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--executable", type=pathlib.Path, default=ROOT / ".build/release/revq-server")
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--client", nargs=2, metavar=("WAY", "URL"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.client:
        return client(*options.client, options.seconds)
    wrk = shutil.which("wrk") or sys.exit("wrk is not installed: apt-get install wrk")
    rounds = asyncio.run(measure(wrk, options))
    shares = report(rounds)
    sys.exit(shares["bytes"] < LEAST_SHARE)


async def measure(wrk, options):
    server = Server(options.executable, ROOT / "checkpoints", ["--log-format", "json"])
    try:
        await server.wait_until_ready()
        url = f"http://127.0.0.1:{server.port}"
        rounds = []
        for number in range(options.rounds):
            # The other way round every other time, so that whoever is first gains nothing by it.
            ways = ("wrk", *WAYS)[:: -1 if number % 2 else 1]
            rounds.append({way: with_wrk(wrk, url, options.seconds) if way == "wrk" else started(way, url, options) for way in ways})
            rates = ", ".join(f"{way} {rounds[-1][way]['per_s']:.0f}/s" for way in ("wrk", *WAYS))
            print(f"round {number + 1}: {rates}", file=sys.stderr, flush=True)
        return rounds
    finally:
        server.close()


def with_wrk(wrk, url, seconds):
    """What `started` gives, of wrk."""
    bodies = ", ".join(f'"{path}"' for path in PHOTOGRAPHS)
    headers = ", ".join(f'["{name}"] = "{value}"' for name, value in HEADERS.items())
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(f"""
            local requests, turn = {{}}, 0
            init = function()
              for index, path in ipairs({{{bodies}}}) do
                local file = io.open(path, "rb")
                requests[index] = wrk.format("POST", "/encode", {{{headers}}}, file:read("*a"))
                file:close()
              end
            end
            request = function() turn = turn % #requests + 1; return requests[turn] end
        """)
        script.flush()
        command = [wrk, "-t1", f"-c{IN_FLIGHT}", f"-d{max(1, round(seconds))}s", "-s", script.name, url]
        before = children_seconds()
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in text:
        sys.exit(text)
    count = int(re.search(r"(\d+) requests in", text)[1])
    return {"per_s": float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1]), "cpu_ms": 1000 * (children_seconds() - before) / count}


def children_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def started(way, url, options):
    """Pictures a second, and milliseconds of CPU that the client takes for one."""
    command = [sys.executable, "-m", "revq_bench.python_client", "--seconds", str(options.seconds), "--client", way, url]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def client(way, url, seconds):
    """The other process: prints its figures."""
    images = PHOTOGRAPHS if way == "paths" else [path.read_bytes() for path in PHOTOGRAPHS]
    if way in ("asyncio", "httpx"):
        meter = asyncio.run((with_asyncio if way == "asyncio" else with_httpx)(url, images, seconds))
    else:
        import revq

        with revq.Tokenizer(url, concurrency=IN_FLIGHT) as tokenizer:
            meter = Meter(seconds)
            for item in tokenizer.encode_each(itertools.cycle(images)):
                if meter.counts(item):
                    break
    print(json.dumps({"per_s": meter.per_s, "cpu_ms": meter.cpu_ms}))


async def with_asyncio(url, images, seconds):
    import revq

    async with revq.AsyncTokenizer(url, concurrency=IN_FLIGHT) as tokenizer:
        meter = Meter(seconds)
        async for item in tokenizer.encode_each(itertools.cycle(images)):
            if meter.counts(item):
                return meter


async def with_httpx(url, images, seconds):
    """What httpx alone gets, without anything that reads its answers."""
    import httpx

    meter, turns = Meter(seconds), itertools.cycle(images)

    async def one(asks):
        while not meter.is_over:
            meter.counts((await asks.post(url + "/encode", content=next(turns), headers=HEADERS)).raise_for_status())

    async with httpx.AsyncClient(limits=httpx.Limits(max_connections=IN_FLIGHT, max_keepalive_connections=IN_FLIGHT), timeout=60) as asks:
        await asyncio.gather(*(one(asks) for _ in range(IN_FLIGHT)))
    return meter


class Meter:
    """Counts from the hundredth on, when connections are open and batches are full."""

    def __init__(self, seconds):
        self.seconds, self.count, self.is_over = seconds, -100, False
        self.per_s = self.cpu_ms = 0.0

    def counts(self, item):
        """Whether it has been long enough."""
        if getattr(item, "error", None):
            sys.exit(str(item.error))
        self.count += 1
        if self.count == 0:
            self.start, self.start_cpu = time.perf_counter(), time.process_time()
        elif self.count > 0 and not self.is_over and (spent := time.perf_counter() - self.start) >= self.seconds:
            self.per_s, self.cpu_ms = self.count / spent, 1000 * (time.process_time() - self.start_cpu) / self.count
            self.is_over = True
        return self.is_over


def report(rounds):
    print(f"\n/encode of {len(PHOTOGRAPHS)} photographs, {IN_FLIGHT} in flight, {processor_name()}; pictures a second, {len(rounds)} rounds\n")
    print("| | median | least … most | of wrk's in the same round, median | CPU of the client, ms each |\n|---|---|---|---|---|")
    shares = {}
    for way in ("wrk", *WAYS):
        rates = [each[way]["per_s"] for each in rounds]
        shares[way] = statistics.median(each[way]["per_s"] / each["wrk"]["per_s"] for each in rounds)
        cpu = statistics.median(each[way]["cpu_ms"] for each in rounds)
        row = f"{statistics.median(rates):.0f} | {min(rates):.0f} … {max(rates):.0f} | {100 * shares[way]:.0f} % | {cpu:.2f}"
        print(f"| {way} | {row} |")
    print(f"\nwanted of bytes: ≥ {100 * LEAST_SHARE:.0f} %")
    return shares


if __name__ == "__main__":
    main()
