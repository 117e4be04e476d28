"""Bursts of twice the capacity, with clients that do what Retry-After says: how many get through at the first retry.

Bursts last two seconds, or as long as it takes to bring twice as many too many as the queue holds. Between them there is room enough for
everyone: three times as long at a fifth of the capacity.
"""

import asyncio

from ..arrivals import merged, poisson
from ..capacity import capacity
from ..clients import Clients
from ..figure import Figure, at_least
from ..outcomes import Outcomes

_BURST_SECONDS, _QUEUE, _PERIOD, _FACTOR, _CALM = 2, 64, 4, 2, 0.2
_LEAST_SHARE, _MOST_RETRIES = 0.90, 10


async def run(bench):
    figures, details = [], {}
    for operation in ("encode", "decode"):
        async with bench.server() as server:
            bodies = await bench.bodies(server)
            most = (await capacity(bench, server, bodies, operation, bench.scaled(5, 3)))["served_per_s"]
            clients, loop = Clients(server.port), asyncio.get_running_loop()
            start, tasks = loop.time(), []
            for at, _ in bursts(operation, most, bench.scaled(5, 2), bench.seed):
                await asyncio.sleep(max(0, start + at - loop.time()))
                tasks.append(asyncio.create_task(obedient(clients, operation, bodies.next(operation), start + at)))
            chains = await asyncio.gather(*tasks)
            clients.close()
        refused = [chain for chain in chains if chain[0].is_refused and chain[0].retry_after is not None]
        through = sum(chain[1].is_served for chain in refused)
        waits = [chain[0].retry_after for chain in refused]
        figures += [
            at_least(f"{operation}: first retries that succeed, of {len(refused)}", through / len(refused) if refused else 1, _LEAST_SHARE),
            Figure(
                f"{operation}: refused at first, of {len(chains)}",
                f"{len(refused)}; Retry-After {min(waits, default=0):g} … {max(waits, default=0):g} s",
            ),
            Figure(f"{operation}: never served", str(sum(not chain[-1].is_served for chain in chains))),
        ]
        attempts = [Outcomes(chain[turn] for chain in chains if len(chain) > turn) for turn in range(max(map(len, chains)))]
        details[operation] = {"capacity_per_s": most, "by_attempt": [outcomes.summary() for outcomes in attempts]}
    return figures, details


def bursts(operation, most, count, seed):
    burst = max(_BURST_SECONDS, 2 * _QUEUE / ((_FACTOR - 1) * most))
    calm = poisson(_CALM * most, count * _PERIOD * burst, seed, operation)
    extra = poisson((_FACTOR - _CALM) * most, count * burst, seed + 1, operation)
    return merged(calm, [(at // burst * _PERIOD * burst + at % burst, operation) for at, operation in extra])


async def obedient(clients, operation, message, intended):
    """The outcomes of a request and of its retries, each at the moment that it was told."""
    chain = [await clients.outcome(operation, message, intended)]
    while chain[-1].is_refused and chain[-1].retry_after is not None and len(chain) <= _MOST_RETRIES:
        at = chain[-1].end + chain[-1].retry_after
        await asyncio.sleep(chain[-1].retry_after)
        chain.append(await clients.outcome(operation, message, at))
    return chain
