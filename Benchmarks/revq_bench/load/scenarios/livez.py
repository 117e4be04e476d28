"""GET /livez for each second of the server's CPU, beside nginx and Hummingbird, turn about: by HTTP/1.1 with wrk as the client of all, and by
HTTP/2 with h2load, one request at a time on each connection and then many. Hummingbird is asked by HTTP/1.1 alone: its HTTP/2 wants TLS."""

import asyncio
import contextlib
import re
import shutil
import statistics

from .. import hummingbird, nginx, usage
from ..figure import Figure

_CONNECTIONS, _STREAMS, _ROUNDS = 32, 16, 5


async def run(bench):
    if missing := [tool for tool in ("wrk", "h2load") if not shutil.which(tool)]:
        return [Figure("requests a CPU second", f"not measured: no {missing[0]}; apt-get install wrk nghttp2-client nginx-light")], {}
    figures, details = [], {}
    async with bench.server() as server:
        ours = server.port, lambda: usage.cpu_seconds(server.pid)
        for protocol, ask, peers in [
            ("HTTP/1.1", _wrk, _peers),
            ("HTTP/2", lambda port, seconds: _h2load(port, seconds, 1), _http2_peers),
            (f"HTTP/2, {_STREAMS} at once", lambda port, seconds: _h2load(port, seconds, _STREAMS), _http2_peers),
        ]:
            with contextlib.ExitStack() as stack:
                rounds = await _rounds({"revq": ours, **peers(stack)}, ask, bench.scaled(10))
            figures += [_figure(f"{name}, {protocol}", each) for name, each in rounds.items()]
            figures += [_ratio(rounds["revq"], rounds[name], f"{name}, {protocol}") for name in rounds if name != "revq"]
            details[protocol] = rounds
    return figures, details


async def _rounds(servers, ask, seconds):
    await asyncio.sleep(0.5)
    rounds = {name: [] for name in servers}
    for _ in range(_ROUNDS):
        for name, (port, clock) in servers.items():
            start = clock()
            count, rate, failed = await ask(port, max(1, round(seconds)))
            rounds[name].append({"per_cpu_s": count / (clock() - start), "per_s": rate, "failed": failed})
    return rounds


def _peers(stack):
    """Port and clock of those that are there."""
    peers = {}
    if nginx.executable():
        peers["nginx"] = stack.enter_context(nginx.nginx())
    if executable := hummingbird.executable():
        peers["Hummingbird"] = stack.enter_context(hummingbird.hummingbird(executable))
    return peers


def _http2_peers(stack):
    return {"nginx": stack.enter_context(nginx.nginx("http2"))} if nginx.executable() else {}


async def _wrk(port, seconds):
    """Requests, their rate, and how many failed."""
    text = await _output("wrk", "-t1", f"-c{_CONNECTIONS}", f"-d{seconds}s", f"http://127.0.0.1:{port}/livez")
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1])
    return int(re.search(r"(\d+) requests in", text)[1]), rate, int(failed[1]) if failed else 0


async def _h2load(port, seconds, streams):
    text = await _output("h2load", "-t1", f"-c{_CONNECTIONS}", f"-m{streams}", f"-D{seconds}", f"http://127.0.0.1:{port}/livez")
    count, failed = (int(number) for number in re.search(r"(\d+) succeeded, (\d+) failed", text).groups())
    return count, count / seconds, failed


async def _output(*command):
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    return (await process.communicate())[0].decode()


def _figure(name, rounds):
    each = [one["per_cpu_s"] for one in rounds]
    rates, failed = [one["per_s"] for one in rounds], sum(one["failed"] for one in rounds)
    value = f"{statistics.median(each):,.0f} ({min(each):,.0f}–{max(each):,.0f}); {statistics.median(rates):,.0f} a wall second, {failed} failed"
    return Figure(f"{name}: requests a CPU second", value)


def _ratio(ours, theirs, name):
    ratio = statistics.median(us["per_cpu_s"] / them["per_cpu_s"] for us, them in zip(ours, theirs, strict=True))
    return Figure(f"revq / {name}, median of rounds", f"{ratio:.2f}")
