"""What one replica and two give behind HAProxy, each on a core of its own, and the model that deploy/README.md extends to more.

One core is a replica's. What a request costs the replica (s), HAProxy (b) and this client (c), in CPU time, is measured with one replica. The
model: these do not change with the number of replicas, so N replicas answer N / s requests a second, and never more than the cores give to all
three together. With two replicas on two cores that bound is the one that holds: 2 / (s + b + c). The rates want a machine on which nothing else
runs; what a request costs can be compared on any.
"""

import contextlib
import os

from .. import haproxy
from ..clients import Clients, closed_loop
from ..figure import Figure, at_most
from ..server import free_port
from ..usage import Spent

# Enough to keep two replicas busy, and less than their queues take.
_DEPTH, _MOST_OFF = 16, 0.1
_PARTS = ("server_ms", "balancer_ms", "client_ms")


async def run(bench):
    if not haproxy.executable():
        return [Figure("pictures a second", haproxy.MISSING)], {}
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        return [Figure("pictures a second", "not measured: wants two cores")], {}
    figures, details = [], {}
    for operation in ("encode", "decode"):
        one, two = [await _rate(bench, operation, cores[:count]) for count in (1, 2)]
        details[operation] = {"one": one, "two": two}
        figures += _compare(operation, len(cores), one, two)
    return figures, details


def _compare(operation, cores, one, two):
    each = [one[part] for part in _PARTS]
    alone, together = 1000 / one["server_ms"], min(2000 / one["server_ms"], 1000 * cores / sum(each))
    return [
        Figure(f"{operation}: CPU ms of a replica, of HAProxy, of this client", ", ".join(f"{ms:.2f}" for ms in each)),
        Figure(f"{operation}: a second, one replica", f"{one['per_s']:.0f}; the model {alone:.0f}"),
        Figure(f"{operation}: a second, two replicas", f"{two['per_s']:.0f}; the model {together:.0f}"),
        at_most(f"{operation}: the model is off by, one replica", abs(one["per_s"] / alone - 1), _MOST_OFF),
        at_most(f"{operation}: the model is off by, two replicas", abs(two["per_s"] / together - 1), _MOST_OFF),
        at_most(f"{operation}: costs more with two replicas, in CPU, by", sum(two[part] for part in _PARTS) / sum(each) - 1, _MOST_OFF),
        Figure(f"{operation}: replicas that one core of HAProxy feeds", f"{one['server_ms'] / one['balancer_ms']:.0f}"),
    ]


async def _rate(bench, operation, cores):
    """Answers a second with a replica on each of these cores, and what one costs, in ms of CPU."""
    ports = [(free_port(), free_port()) for _ in cores]
    async with contextlib.AsyncExitStack() as stack:
        balancer = stack.enter_context(haproxy.haproxy(ports))
        servers = []
        for (port, admin), core in zip(ports, cores, strict=True):
            flags = ["--admin-port", admin, "--threads", 1, "--max-connections-per-address", 1024]
            servers.append(await stack.enter_async_context(bench.server(*flags, port=port, cores={core})))
        for index in range(len(cores)):
            await balancer.wait_for(index + 1, 1)
        bodies = await bench.bodies(servers[0])
        clients = Clients(balancer.port)
        await closed_loop(clients, operation, bodies.next, _DEPTH, 1)
        spent, fed = [Spent(server.pid) for server in servers], balancer.cpu_seconds()
        outcomes = await closed_loop(clients, operation, bodies.next, _DEPTH, bench.scaled(15))
        used, fed = [one.so_far() for one in spent], balancer.cpu_seconds() - fed
        clients.close()
    served = len(outcomes.served)
    return {
        "per_s": served / used[0]["wall_s"],
        "server_ms": 1000 * sum(one["server_cpu_s"] for one in used) / served,
        "balancer_ms": 1000 * fed / served,
        "client_ms": 1000 * used[0]["client_cpu_s"] / served,
        "outcomes": outcomes.summary(),
    }
