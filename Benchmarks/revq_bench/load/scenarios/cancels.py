"""Half of all clients go away while they wait: what is computed for nobody.

A burst fills the queue, and before the first batch is done every second client closes its connection. What the server spends beyond the
same burst without them is work for nobody: no more than what was in progress at that moment, one batch.
"""

import asyncio
import statistics

from ..figure import Figure, at_most
from ..usage import Spent
from ..wire import Connection

# Below --max-queue, so that nobody is refused.
_STAYING, _LEAVING_MS, _ROUNDS, _MOST_WASTED = 30, 10, 9, 8


async def run(bench):
    figures, details = [], {}
    for operation in ("encode", "decode"):
        async with bench.server() as server:
            bodies, before = await bench.bodies(server), await server.counters()
            rounds = [await _round(server, bodies, operation) for _ in range(bench.scaled(_ROUNDS, 3))]
            after = await server.counters()
        counted = {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)}
        # Every item of every batch, beside those that stayed and were answered.
        items = counted.get(f'revq_batch_size_sum{{operation="{operation}"}}')
        wasted = statistics.median(one["wasted_requests"] for one in rounds)
        unserved = sum(one["unserved"] for one in rounds)
        figures += [
            at_most(f"{operation}: work for nobody when {_STAYING} of {2 * _STAYING} leave, in requests", wasted, _MOST_WASTED, ".1f"),
            at_most(f"{operation}: those that stayed and were not served, of {2 * _STAYING * len(rounds)}", unserved, 0, "d"),
            Figure(
                f"{operation}: items of batches beyond those, each round",
                "no counter" if items is None else f"{items / len(rounds) - 2 * _STAYING:.1f}",
            ),
            Figure(f"{operation}: counted as cancelled", _cancellations(counted)),
        ]
        details[operation] = {"rounds": rounds, "counters": counted}
    return figures, details


def _cancellations(counted):
    return "; ".join(f"{name} {by:.0f}" for name, by in counted.items() if "cancel" in name) or "no counter"


async def _round(server, bodies, operation):
    """The burst without those who leave, then with them; they send the same."""
    messages = [bodies.next(operation) for _ in range(_STAYING)]
    alone, halved = await _burst(server, messages, []), await _burst(server, messages, messages)
    each = alone["server_cpu_s"] / _STAYING
    return {
        "wasted_requests": (halved["server_cpu_s"] - alone["server_cpu_s"]) / each,
        "unserved": alone["unserved"] + halved["unserved"],
        "alone": alone,
        "halved": halved,
    }


async def _burst(server, staying, leaving):
    connections = [await Connection.open(server.port) for _ in [*staying, *leaving]]
    spent, stay, leave = Spent(server.pid), connections[: len(staying)], connections[len(staying) :]
    answers = []
    # Turn about, so that those who leave are everywhere in the queue.
    for number, message in enumerate(staying):
        answers.append(stay[number].ask(message))
        if leaving:
            leave[number].send(leaving[number])
    await asyncio.sleep(_LEAVING_MS / 1000)
    for connection in leave:
        connection.close()
    found = await asyncio.gather(*answers, return_exceptions=True)
    # Whatever is still being done for those who left.
    await asyncio.sleep(0.3)
    for connection in stay:
        connection.close()
    return {"unserved": sum(isinstance(answer, Exception) or answer.status != 200 for answer in found), **spent.so_far()}
