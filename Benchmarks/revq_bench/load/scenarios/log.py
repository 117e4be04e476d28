"""A reader of the log that stalls, and one that leaves: the server goes on, and ends when it is asked to."""

import asyncio
import os

from ..clients import Clients
from ..figure import at_most
from ..outcomes import Outcomes
from ..wire import request

_REQUESTS, _DEPTH, _MOST_END_SECONDS = 5000, 8, 5


async def run(bench):
    figures, details = [], {}
    for name, leaves in (("a reader that stalls", False), ("a reader that leaves", True)):
        reading, writing = os.pipe()
        async with bench.server(log=writing) as server:
            os.close(writing)
            if leaves:
                os.close(reading)
            bodies = await bench.bodies(server)
            outcomes = await _ask(server, bodies)
            loop = asyncio.get_running_loop()
            start = loop.time()
            ended = await asyncio.to_thread(server.close, _MOST_END_SECONDS)
            seconds = loop.time() - start
        if not leaves:
            os.close(reading)
        answered = [outcome for outcome in outcomes if outcome.status in (200, 404, 422)]
        figures += [
            at_most(f"{name}: unanswered, of {len(outcomes)}", len(outcomes) - len(answered), 0, "d"),
            at_most(f"{name}: seconds from SIGTERM to its end", seconds if ended else float("inf"), _MOST_END_SECONDS, ".1f"),
        ]
        details[name] = {"outcomes": outcomes.summary(), "ended": ended, "status": server.process.returncode}
    return figures, details


async def _ask(server, bodies):
    """Unknown paths, now and then a broken picture and a good one: whatever may be logged is."""
    broken = request("POST", "/encode", b"\x89PNG\r\n\x1a\nbroken", "image/png")
    messages = [request("GET", "/nothing")] * 18 + [broken, bodies.next("encode")]
    clients, loop, outcomes, numbers = Clients(server.port, seconds=5), asyncio.get_running_loop(), Outcomes(), iter(range(_REQUESTS))

    async def client():
        for number in numbers:
            outcomes.append(await clients.outcome("any", messages[number % len(messages)], loop.time()))
            if not outcomes[-1].status:
                return

    await asyncio.gather(*(client() for _ in range(_DEPTH)))
    clients.close()
    return outcomes
