"""What the server can do at most."""

from .clients import Clients, closed_loop
from .usage import Spent

# Enough to fill batches, and less than the queue takes.
DEPTH = 32


async def capacity(bench, server, bodies, operation, seconds=5.0):
    """Served a second in a closed loop of `DEPTH`, and what a request costs the server's and this client's CPU."""
    clients = Clients(server.port)
    await closed_loop(clients, operation, bodies.next, DEPTH, min(1.0, seconds / 4))
    spent = Spent(server.pid)
    outcomes = await closed_loop(clients, operation, bodies.next, DEPTH, seconds)
    used = spent.so_far()
    clients.close()
    served = len(outcomes.served)
    found = {
        "served_per_s": served / used["wall_s"],
        "server_cpu_ms": 1000 * used["server_cpu_s"] / served,
        "client_cpu_ms": 1000 * used["client_cpu_s"] / served,
        "outcomes": outcomes.summary(),
    }
    bench.say(f"capacity for {operation}: {found['served_per_s']:.0f}/s, {found['server_cpu_ms']:.2f} ms of CPU each")
    return found
