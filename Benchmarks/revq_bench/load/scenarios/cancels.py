"""Half of all clients go away before they have their answer: what is computed for nobody."""

import asyncio
import random

from ..arrivals import poisson
from ..capacity import capacity
from ..clients import Clients, open_loop
from ..figure import Figure, at_most
from ..usage import Spent
from ..wire import Connection

_LOAD = 0.8
_MOST_WASTED = 1.0


async def run(bench):
    figures, details = [], {}
    for operation in ("encode", "decode"):
        async with bench.server() as server:
            bodies = await bench.bodies(server)
            most = (await capacity(bench, server, bodies, operation, bench.seconds(5, 3)))["served_per_s"]
            staying, seconds = _LOAD / 2 * most, bench.seconds(20)
            arrivals = poisson(staying, seconds, bench.seed, operation)
            alone = await _part(server, arrivals, bodies)
            before = await server.counters()
            leaving = poisson(staying, seconds, bench.seed + 1, operation)
            halved = await _part(server, arrivals, bodies, Leaving(server, bodies, leaving, alone["outcomes"]["served_ms"]["p50"], bench.seed))
            after = await server.counters()
        each = alone["server_cpu_s"] / alone["served"]
        wasted = (halved["server_cpu_s"] - each * halved["served"]) / each
        counted = {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)}
        figures += [
            Figure(f"{operation}: gone before their answer, of {len(leaving)}", f"{halved['gone']}"),
            at_most(f"{operation}: work for each that left, in requests", wasted / max(1, halved["gone"]), _MOST_WASTED),
            at_most(f"{operation}: those that stayed and were not served", halved["failed"], 0, "d"),
            Figure(
                f"{operation}: counted as cancelled",
                "; ".join(f"{name} {by:.0f}" for name, by in counted.items() if "cancel" in name) or "no counter",
            ),
        ]
        details[operation] = {"alone": alone, "halved": halved, "counters": counted}
    return figures, details


def cancellations(counted):
    return "; ".join(f"{name} {by:.0f}" for name, by in counted.items() if "cancel" in name) or "no counter"


class Leaving:
    """Clients that close within twice the usual latency."""

    def __init__(self, server, bodies, arrivals, usual_ms, seed):
        self.server, self.bodies, self.arrivals = server, bodies, arrivals
        self.usual, self.source, self.gone = usual_ms / 1000, random.Random(seed), 0

    async def run(self):
        loop, tasks = asyncio.get_running_loop(), []
        start = loop.time()
        for at, operation in self.arrivals:
            await asyncio.sleep(max(0, start + at - loop.time()))
            tasks.append(asyncio.create_task(self._leave(self.bodies.next(operation), self.source.uniform(0, 2 * self.usual))))
        await asyncio.gather(*tasks)

    async def _leave(self, message, seconds):
        connection = await Connection.open(self.server.port)
        answer = connection.ask(message)
        done, _ = await asyncio.wait([answer], timeout=seconds)
        self.gone += not done
        connection.close()
        await asyncio.gather(answer, return_exceptions=True)


async def _part(server, arrivals, bodies, leaving=None):
    clients, spent = Clients(server.port), Spent(server.pid)
    outcomes, _ = await asyncio.gather(open_loop(clients, arrivals, bodies.next), leaving.run() if leaving else asyncio.sleep(0))
    await asyncio.sleep(0.5)
    clients.close()
    served = len(outcomes.served)
    gone = leaving.gone if leaving else 0
    return {"outcomes": outcomes.summary(), "served": served, "failed": len(outcomes) - served, "gone": gone, **spent.so_far()}
