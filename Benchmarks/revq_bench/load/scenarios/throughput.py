"""What is served beside what the core alone computes, and one client beside thirty-two.

The core reads no pictures. So that it can be compared, `encode` sends flat PNG files of the model's own size, which cost next to nothing to
read; photographs are beside them. This client takes a share of the cores, and only the rest is the server's to use.
"""

import json
import os

from .. import core
from ..capacity import DEPTH, capacity
from ..clients import Clients, closed_loop
from ..figure import Figure, at_least
from ..hostile import png
from ..server import newest_version
from ..wire import request

_LEAST_SHARE = 0.97


async def run(bench):
    figures, details = [], {}
    threads = len(os.sched_getaffinity(0))
    for name, operation in (("encode", "encode"), ("decode", "decode"), ("encode of photographs", "encode")):
        alone = core.measure(bench.options.core, bench.checkpoints, operation, threads, seconds=bench.scaled(5))
        async with bench.server() as server:
            bodies = await bench.bodies(server)
            if name == "encode":
                bodies.requests["encode"] = [_flat(bench.checkpoints)]
            served = await capacity(bench, server, bodies, operation, bench.scaled(15))
            clients = Clients(server.port)
            single = await closed_loop(clients, operation, bodies.next, 1, bench.scaled(5))
            clients.close()
        left = alone["per_s"] * (1 - served["served_per_s"] * served["client_cpu_ms"] / 1000 / threads)
        share, what = served["served_per_s"] / left, f"{name}: served, of the core's own on the cores that this client leaves"
        figures += [
            at_least(what, share, _LEAST_SHARE) if name == operation else Figure(what, f"{share:.2f}"),
            Figure(f"{name}: core alone, a second", f"{alone['per_s']:.0f} ({alone['cpu_ms']:.2f} ms of CPU each)"),
            Figure(f"{name}: served, a second", f"{served['served_per_s']:.0f} ({served['server_cpu_ms']:.2f} ms of CPU each)"),
            Figure(f"{name}: one client, a second", f"{single.rate():.0f}; {DEPTH} clients {served['served_per_s'] / single.rate():.2f} times that"),
        ]
        details[name] = {"core": alone, "served": served, "single": single.summary()}
    return figures, details


def _flat(checkpoints):
    side = json.loads((newest_version(checkpoints) / "manifest.json").read_text())["imageSize"]
    return request("POST", "/encode", png.png(png.header(side, side), png.rows(side, side)), "image/png")
