"""SIGTERM under load: probes see 503 on an open port, then the port closes, and no request is lost."""

import asyncio
import collections

from ..arrivals import poisson
from ..clients import Clients, open_loop
from ..figure import Figure, at_most

_DELAY_SECONDS, _RATE, _PROBE_SECONDS = 3, 20, 0.02


async def run(bench):
    loop = asyncio.get_running_loop()
    async with bench.server("--drain-delay", _DELAY_SECONDS) as server:
        bodies, probes, before = await bench.bodies(server), [], bench.scaled(5, 2)
        probing = asyncio.create_task(_probe(server, probes))
        clients = Clients(server.port, seconds=30)
        load = asyncio.create_task(open_loop(clients, poisson(_RATE, before + _DELAY_SECONDS + 2, bench.seed, "encode"), bodies.next))
        await asyncio.sleep(before)
        signalled = loop.time()
        server.terminate()
        outcomes = await load
        status = await asyncio.to_thread(server.process.wait, 60)
        ended = loop.time() - signalled
        probing.cancel()
        clients.close()
    closed_at = next((at for at, seen in probes if at > signalled and seen == "refused"), loop.time())
    while_open = [seen for at, seen in probes if signalled <= at < closed_at]
    first = next((at - signalled for at, seen in probes if at > signalled and seen == 503), float("inf"))
    meant = [outcome for outcome in outcomes if outcome.intended < closed_at]
    figures = [
        at_most("from SIGTERM to the first 503 of /readyz, ms", 1000 * first, 200, ".0f"),
        Figure(
            "from SIGTERM to the port's closing, s",
            f"{closed_at - signalled:.2f}, with --drain-delay {_DELAY_SECONDS}",
            "",
            closed_at - signalled > 0.9 * _DELAY_SECONDS,
        ),
        Figure("what /readyz said meanwhile", ", ".join(f"{seen} × {count}" for seen, count in collections.Counter(while_open).items())),
        at_most(f"not served though sent before the port closed, of {len(meant)}", sum(not outcome.is_served for outcome in meant), 0, "d"),
        at_most(
            "lost afterwards, on connections that were open",
            sum(outcome.reason == "lost" for outcome in outcomes if outcome.intended >= closed_at),
            0,
            "d",
        ),
        Figure("ended with status, after s", f"{status}, {ended:.1f}", "0", status == 0),
    ]
    return figures, {"probes": [(at - signalled, seen) for at, seen in probes], "outcomes": outcomes.summary()}


async def _probe(server, probes):
    loop = asyncio.get_running_loop()
    while True:
        at = loop.time()
        try:
            probes.append((at, (await server.get("/readyz", 5)).status))
        except ConnectionRefusedError:
            probes.append((at, "refused"))
        except (OSError, TimeoutError) as error:
            probes.append((at, type(error).__name__))
        await asyncio.sleep(_PROBE_SECONDS)
