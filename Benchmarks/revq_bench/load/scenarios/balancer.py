"""Two replicas behind HAProxy as deploy/ configures it: both replaced under load, then killed under load."""

import asyncio
import contextlib
import signal
import ssl

from .. import haproxy
from ..arrivals import merged, poisson
from ..bodies import Bodies
from ..clients import Clients, closed_loop, open_loop
from ..figure import Figure, at_least, at_most
from ..server import free_port

# A second, of each kind: little enough for one replica with one core, which is what is left while the other is on its way.
_RATES = {"encode": 10, "decode": 4}
_DRAIN_SECONDS, _DEPTH = 3, 8
# More than tune.bufsize, so that HAProxy has no copy to send again.
_LARGE_BYTES = 400_000


class Replicas:
    """Two servers on ports that stay the same when one is replaced."""

    def __init__(self, bench):
        self._bench = bench
        self.ports = [(free_port(), free_port()) for _ in range(2)]
        self.servers = [None, None]

    async def start(self, index):
        port, admin = self.ports[index]
        flags = ["--admin-port", admin, "--drain-delay", _DRAIN_SECONDS, "--threads", 1, "--max-connections-per-address", 1024]
        self.servers[index] = await self._bench.start(*flags, port=port)

    async def replace(self, index):
        """As `docker stop` and a start do, or a pod's end and the next one's beginning."""
        self.servers[index].terminate()
        await asyncio.to_thread(self.servers[index].process.wait, 60)
        await self.start(index)

    def freeze(self, index):
        """It keeps what it has from now on, so that it can be counted."""
        self.servers[index].process.send_signal(signal.SIGSTOP)

    async def kill(self, index):
        self.servers[index].process.kill()
        await asyncio.to_thread(self.servers[index].process.wait)

    def close(self):
        for server in self.servers:
            if server:
                server.close()


async def run(bench):
    if not haproxy.executable():
        return [Figure("requests that failed", haproxy.MISSING)], {}
    replicas = Replicas(bench)
    with contextlib.closing(replicas), haproxy.haproxy(replicas.ports) as balancer:
        for index in range(2):
            await replicas.start(index)
            await balancer.wait_for(index + 1, 1)
        bodies = await bench.bodies(replicas.servers[0])
        figures, details = [], {"protocol": await _protocol(balancer)}
        figures.append(Figure("what a client with TLS is offered", details["protocol"], "h2", details["protocol"] == "h2"))
        for part in (_replacement, _kill, _kill_with_large_bodies):
            found, more = await part(bench, replicas, balancer, bodies)
            figures += found
            details[part.__name__.strip("_")] = more
    return figures, details


async def _protocol(balancer):
    """The one that ALPN settles on where the client speaks both."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2", "http/1.1"])
    _, writer = await asyncio.open_connection("127.0.0.1", balancer.tls_port, ssl=context)
    protocol = writer.get_extra_info("ssl_object").selected_alpn_protocol()
    writer.close()
    return protocol


async def _replacement(bench, replicas, balancer, bodies):
    rounds = bench.scaled(3, 1)
    clients, loop = Clients(balancer.port, seconds=30), asyncio.get_running_loop()
    seconds = rounds * 2 * (_DRAIN_SECONDS + 3) + 4
    arrivals = merged(*(poisson(rate, seconds, bench.seed, operation) for operation, rate in _RATES.items()))
    load = asyncio.create_task(open_loop(clients, arrivals, bodies.next))
    begun, alone = loop.time(), 0.0
    for _ in range(rounds):
        for index in range(2):
            await asyncio.sleep(1)
            started = loop.time()
            await replicas.replace(index)
            await balancer.wait_for(index + 1, 1)
            alone += loop.time() - started
    replaced = loop.time() - begun
    outcomes = await load
    clients.close()
    count = f"of {len(outcomes)}, {sum(_RATES.values())} a second, while {2 * rounds} replicas were replaced in {replaced:.0f} s"
    return [
        at_most(f"requests not served, {count}", len(outcomes) - len(outcomes.served), 0, "d"),
        Figure("p50 and p99 meanwhile, ms", f"{outcomes.percentile(50):.0f}, {outcomes.percentile(99):.0f}"),
        at_least("seconds of load during which one replica was on its way", min(alone, seconds), 2 * rounds * _DRAIN_SECONDS, ".0f"),
    ], outcomes.summary()


async def _kill(bench, replicas, balancer, bodies):
    """Bodies that HAProxy has a copy of."""
    found, details = await _killed(bench, replicas, balancer, bodies)
    lost = len(found["outcomes"]) - len(found["outcomes"].served)
    return [
        at_most(f"kill -9 of a replica with {found['in_flight']} requests: not served, of {len(found['outcomes'])}", lost, 0, "d"),
        at_least("asked of the other replica instead", found["retried"], found["in_flight"], ".0f"),
    ], details


async def _kill_with_large_bodies(bench, replicas, balancer, bodies):
    """Bodies that it has not: what the replica took with it fails, and nothing else. It may take one more than was counted just before."""
    pictures = [_grown(message) for message in bodies.requests["encode"]]
    found, details = await _killed(bench, replicas, balancer, Bodies(pictures, [bodies.tokens]))
    failed = [outcome for outcome in found["outcomes"] if not outcome.is_served]
    what = f"the same with bodies of {_LARGE_BYTES // 1000} kB, more than HAProxy keeps, and {found['in_flight']} requests: not served"
    return [
        Figure(f"{what}, of {len(found['outcomes'])}", f"{len(failed)}"),
        at_most("sent when the replica was gone, and not served", sum(outcome.intended > found["gone"] for outcome in failed), 0, "d"),
        Figure("what their clients were told", ", ".join(sorted({outcome.reason for outcome in failed})) or "nothing"),
    ], details


async def _killed(bench, replicas, balancer, bodies):
    """Kills replica 1 under a closed loop, and brings it back.

    returns what became of all requests, how many were with the replica when it was killed, when it was gone, and how many HAProxy asked again
    """
    clients = Clients(balancer.port, seconds=30)
    retries = await balancer.count("haproxy_server_retry_warnings_total")
    load = asyncio.create_task(closed_loop(clients, "encode", bodies.next, _DEPTH, bench.scaled(8, 4)))
    await asyncio.sleep(bench.scaled(3, 1.5))
    replicas.freeze(0)
    # Until it has as many as HAProxy gives a replica that answers none.
    await asyncio.sleep(0.5)
    in_flight = _sessions(await balancer.metrics())
    await replicas.kill(0)
    gone = asyncio.get_running_loop().time()
    outcomes = await load
    clients.close()
    retried = await balancer.count("haproxy_server_retry_warnings_total") - retries
    await replicas.start(0)
    await balancer.wait_for(1, 1)
    found = {"outcomes": outcomes, "in_flight": in_flight, "gone": gone, "retried": retried}
    return found, {**outcomes.summary(), "in_flight": in_flight, "retried": retried}


def _sessions(metrics):
    return int(metrics['haproxy_server_current_sessions{proxy="revq",server="replica1"}'])


def _grown(message):
    """The picture of a request with comments in it, as long as is wanted: they change none of its pixels."""
    picture = message.split(b"\r\n\r\n", 1)[1]
    comment = b"\xff\xfe" + (65_535).to_bytes(2, "big") + bytes(65_533)
    count = max(0, _LARGE_BYTES - len(picture)) // len(comment) + 1
    return picture[:2] + comment * count + picture[2:]
