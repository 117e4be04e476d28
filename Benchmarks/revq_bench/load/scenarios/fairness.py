"""A flood of one operation beside a few requests of the other: how many of the few are refused, and how long they take."""

from ..arrivals import merged, poisson
from ..clients import Clients, open_loop
from ..figure import Figure, at_most

# Flooding operation and rate, the other's rate.
_FLOODS = (("encode", 600, "decode", 8), ("decode", 150, "encode", 20))
_MOST_REFUSED = 0.10


async def run(bench):
    figures, details = [], {}
    for flooding, flood, other, few in _FLOODS:
        async with bench.server() as server:
            bodies, seconds = await bench.bodies(server), bench.scaled(40, 12)
            arrivals = merged(poisson(flood, seconds, bench.seed, flooding), poisson(few, seconds, bench.seed, other))
            clients = Clients(server.port)
            outcomes = await open_loop(clients, arrivals, bodies.next)
            clients.close()
        minority, majority = outcomes.of(other), outcomes.of(flooding)
        where = f"{few} {other}s/s beside {flood} {flooding}s/s"
        figures += [
            at_most(f"{where}: refused share", minority.refused_share(), _MOST_REFUSED),
            at_most(f"{where}: neither served nor refused", len(minority.failed()), 0, "d"),
            Figure(f"{where}: p50, p99 of those served, ms", f"{minority.served.percentile(50):.0f}, {minority.served.percentile(99):.0f}"),
            Figure(f"{where}: served of the flood, a second", f"{len(majority.served) / seconds:.0f}"),
        ]
        details[f"{flooding} flood"] = {other: minority.summary(), flooding: majority.summary()}
    return figures, details
