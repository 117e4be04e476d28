"""Requests that say how long they wait, in a full queue: each is answered in that time, with tokens or with a refusal."""

import asyncio
import collections
import itertools

from ..arrivals import poisson
from ..bodies import PHOTOGRAPHS
from ..clients import Clients, closed_loop, open_loop
from ..figure import Figure, at_most
from ..wire import request

_TIMEOUTS_MS, _RATE, _DEPTH, _MOST_LATE_MS = (20, 50, 100, 200, 400), 20, 48, 20


async def run(bench):
    figures, details = [], {}
    photograph = sorted(PHOTOGRAPHS.glob("*.jpg"))[0].read_bytes()
    for operation, body, kind in (("encode", photograph, "image/jpeg"), ("decode", None, "application/json")):
        async with bench.server() as server:
            bodies, seconds = await bench.bodies(server), bench.scaled(20, 6)
            messages = {str(limit): _message(operation, body or bodies.tokens, kind, limit) for limit in _TIMEOUTS_MS}
            arrivals = [(at, name) for (at, _), name in zip(poisson(_RATE, seconds, bench.seed, operation), itertools.cycle(messages), strict=False)]
            clients, crowd = Clients(server.port), Clients(server.port)
            filling = asyncio.create_task(closed_loop(crowd, operation, bodies.next, _DEPTH, seconds + 1))
            await asyncio.sleep(1)
            outcomes = await open_loop(clients, arrivals, messages.__getitem__)
            await filling
            for some in (clients, crowd):
                some.close()
        late = sorted(outcome.milliseconds - int(outcome.operation) for outcome in outcomes)
        reasons = collections.Counter(outcome.reason for outcome in outcomes)
        figures += [
            at_most(f"{operation}: answered later than asked for, p99, ms", late[int(0.99 * len(late))], _MOST_LATE_MS, ".1f"),
            Figure(f"{operation}: at worst, of {len(late)}, ms", f"{late[-1]:.1f}"),
            Figure(f"{operation}: answers", ", ".join(f"{reason} × {count}" for reason, count in reasons.most_common())),
        ]
        details[operation] = {name: outcomes.of(name).summary() for name in messages}
    return figures, details


def _message(operation, body, kind, limit):
    return request("POST", f"/{operation}", body, kind, X_Request_Timeout_Ms=limit)
