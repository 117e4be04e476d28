"""Three times as much as the server can do, for each operation: goodput beside capacity, latency of what is served, memory."""

from ..arrivals import poisson
from ..capacity import capacity
from ..clients import Clients, open_loop
from ..figure import Figure, at_least, at_most
from ..usage import Spent

_FACTOR = 3
_LEAST_GOODPUT, _MOST_BYTES = 0.90, 512 << 20
# The server's own bound on requests in progress, --max-queue: whoever is served waits for no more than that many, and half of it for luck.
_QUEUE, _SLACK = 64, 1.5


async def run(bench):
    figures, details = [], {}
    for operation in ("encode", "decode"):
        async with bench.server() as server:
            bodies = await bench.bodies(server)
            alone = await capacity(bench, server, bodies, operation, bench.scaled(10, 4))
            rate, seconds = _FACTOR * alone["served_per_s"], bench.scaled(30)
            clients, spent = Clients(server.port), Spent(server.pid)
            outcomes = await open_loop(clients, poisson(rate, seconds, bench.seed, operation), bodies.next)
            used = spent.so_far()
            clients.close()
            served = outcomes.served
            goodput = len(served) / used["wall_s"]
            figures += [
                at_least(f"{operation}: goodput at {_FACTOR}× capacity, of capacity", goodput / alone["served_per_s"], _LEAST_GOODPUT),
                at_most(f"{operation}: p99 of what is served there, ms", served.percentile(99), 1000 * _SLACK * _QUEUE / goodput, ".0f"),
                Figure(f"{operation}: capacity → goodput, a second", f"{alone['served_per_s']:.0f} → {goodput:.0f}"),
                at_most(f"{operation}: most memory, MB", server.peak_bytes() / 1e6, _MOST_BYTES / 1e6, ".0f"),
                at_most(f"{operation}: neither served nor refused", len(outcomes.failed()), 0, "d"),
                Figure(f"{operation}: server, client CPU seconds a wall second", _cores(used)),
            ]
            details[operation] = {"capacity": alone, "overload": outcomes.summary(), "used": used, "connections": clients.opened}
    return figures, details


def _cores(used):
    return f"{used['server_cpu_s'] / used['wall_s']:.2f}, {used['client_cpu_s'] / used['wall_s']:.2f}"
