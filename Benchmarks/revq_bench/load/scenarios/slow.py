"""Slow clients: 1,500 that drip heads and bodies, then eight that upload 32 MB, beside probes and ordinary requests."""

import asyncio
import collections
import itertools

from ..arrivals import merged, poisson
from ..clients import Clients, open_loop
from ..figure import Figure, at_most
from ..outcomes import Outcome, Outcomes
from ..wire import Connection, Lost, ask, request

_CONNECTIONS, _ADDRESSES = 1500, 50
_MOST_READY_MS, _MOST_ENCODE_MS, _MOST_REFUSED = 200, 1000, 0.01
_UPLOADS, _UPLOAD_BYTES, _UPLOAD_RATE = 8, 32_000_000, 20_000
# Of ordinary clients, who come from an address of their own.
_PROBES, _ENCODES = 10, 10


async def run(bench):
    figures, details = [], {}
    for name, attack in ((f"{_CONNECTIONS:,} slow connections", drips), ("eight slow uploads", uploads)):
        async with bench.server() as server:
            found, details[name] = await under(attack, bench, server, server.port)
        figures += [figure._replace(what=f"{name}: {figure.what}") for figure in found]
    return figures, details


async def under(attack, bench, server, probed):
    """What probes at the port `probed` and ordinary requests see meanwhile."""
    bodies, seconds = await bench.bodies(server), bench.scaled(60, 15)
    counts = collections.Counter()
    attackers = attack(server.port, counts)
    await asyncio.sleep(min(10, seconds / 2))
    probes, encodes = await asyncio.gather(_probe(probed, seconds, bench.seed), _encode(server, bodies, seconds, bench.seed))
    for task in attackers:
        task.cancel()
    await asyncio.gather(*attackers, return_exceptions=True)
    figures = [
        at_most("/readyz p95, ms", probes.percentile(95), _MOST_READY_MS, ".0f"),
        at_most(f"/readyz not 200, of {len(probes)}", len(probes) - len(probes.served), 0, "d"),
        at_most("/encode p95, ms", encodes.percentile(95), _MOST_ENCODE_MS, ".0f"),
        at_most("/encode refused share", encodes.share(lambda outcome: not outcome.is_served), _MOST_REFUSED),
        Figure("/readyz p99, /encode p99, ms", f"{probes.percentile(99):.0f}, {encodes.percentile(99):.0f}"),
        Figure("attackers", ", ".join(f"{what} {count}" for what, count in counts.items())),
        Figure("most memory, MB", f"{server.peak_bytes() / 1e6:.0f}"),
    ]
    return figures, {"readyz": probes.summary(), "encode": encodes.summary(), "attackers": counts}


async def _probe(port, seconds, seed):
    """Each on a connection of its own, as supervisors do it."""
    loop, tasks = asyncio.get_running_loop(), []
    start = loop.time()
    for at, _ in poisson(_PROBES, seconds, seed, "readyz"):
        await asyncio.sleep(max(0, start + at - loop.time()))
        tasks.append(asyncio.create_task(_ready(port, start + at)))
    return Outcomes(await asyncio.gather(*tasks))


async def _ready(port, intended):
    loop = asyncio.get_running_loop()
    try:
        answer = await ask(port, request("GET", "/readyz"))
        return Outcome("readyz", intended, loop.time(), answer.status, answer.reason)
    except (OSError, TimeoutError) as error:
        return Outcome("readyz", intended, loop.time(), 0, type(error).__name__)


async def _encode(server, bodies, seconds, seed):
    clients = Clients(server.port)
    outcomes = await open_loop(clients, merged(poisson(_ENCODES, seconds, seed, "encode")), bodies.next)
    clients.close()
    return outcomes


def drips(port, counts):
    """From 50 addresses; half of them send a head, half a body, a byte a second. Whoever is closed comes back a second later."""
    head = b"POST /encode HTTP/1.1\r\nHost: revq\r\nX-Slow: "
    body = b"POST /encode HTTP/1.1\r\nHost: revq\r\nContent-Type: image/jpeg\r\nContent-Length: 100000\r\n\r\n"
    addresses = (f"127.0.0.{2 + number % _ADDRESSES}" for number in itertools.count())
    return [
        asyncio.create_task(_drip(port, address, body if number % 2 else head, number, counts))
        for number, address in zip(range(_CONNECTIONS), addresses, strict=False)
    ]


async def _drip(port, address, start, number, counts):
    # Spread over a second, so that this client has no busy moments of its own.
    await asyncio.sleep(3 * number / _CONNECTIONS)
    while True:
        try:
            connection = await Connection.open(port, address)
            counts["connected"] += 1
            connection.send(start)
            while connection.is_open:
                await asyncio.sleep(1)
                connection.send(b"a")
            counts["closed by the server"] += 1
        except OSError:
            counts["not connected"] += 1
        await asyncio.sleep(1)


def uploads(port, counts):
    head = request("POST", "/encode", kind="image/png").replace(b"Content-Length: 0", b"Content-Length: %d" % _UPLOAD_BYTES)
    return [asyncio.create_task(_upload(port, f"127.0.0.{2 + number}", head, counts)) for number in range(_UPLOADS)]


async def _upload(port, address, head, counts):
    while True:
        try:
            connection = await Connection.open(port, address)
            answer = connection.ask(head + b"\x89PNG\r\n\x1a\n")
            counts["uploads begun"] += 1
            while connection.is_open and not answer.done():
                await asyncio.sleep(0.1)
                connection.send(bytes(_UPLOAD_RATE // 10))
            counts[f"ended by {(await answer).reason}"] += 1
        except Lost:
            counts["closed by the server"] += 1
        except OSError:
            counts["not connected"] += 1
        await asyncio.sleep(1)
