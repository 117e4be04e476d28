"""What is served beside what the core alone computes, and one client beside thirty-two.

Client, HTTP, JPEG and PNG share the cores with the core's own work, so shares are given by the wall clock and by the server's CPU.
"""

import os

from .. import core
from ..capacity import DEPTH, capacity
from ..clients import Clients, closed_loop
from ..figure import Figure, at_least

_LEAST_SHARE = 0.97


async def run(bench):
    figures, details = [], {}
    threads = len(os.sched_getaffinity(0))
    for operation in ("encode", "decode"):
        alone = core.measure(bench.options.core, bench.checkpoints, operation, threads, seconds=bench.scaled(5))
        async with bench.server() as server:
            bodies = await bench.bodies(server)
            served = await capacity(bench, server, bodies, operation, bench.scaled(15))
            clients = Clients(server.port)
            single = await closed_loop(clients, operation, bodies.next, 1, bench.scaled(5))
            clients.close()
        free = threads / (served["server_cpu_ms"] / 1000)
        figures += [
            at_least(f"{operation}: served, of the core's own", served["served_per_s"] / alone["per_s"], _LEAST_SHARE),
            Figure(f"{operation}: core alone, a second", f"{alone['per_s']:.0f} ({alone['cpu_ms']:.2f} ms of CPU each)"),
            Figure(f"{operation}: served, a second", f"{served['served_per_s']:.0f} ({served['server_cpu_ms']:.2f} ms of CPU each)"),
            Figure(f"{operation}: would be served if clients cost nothing, a second", f"{free:.0f} ({free / alone['per_s']:.2f} of the core's own)"),
            Figure(
                f"{operation}: one client, a second", f"{single.rate():.0f}; {DEPTH} clients {served['served_per_s'] / single.rate():.2f} times that"
            ),
        ]
        details[operation] = {"core": alone, "served": served, "single": single.summary()}
    return figures, details
