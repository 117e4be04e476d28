"""GET /livez for each second of the server's CPU, beside nginx and Hummingbird, turn about, with wrk as the client of all."""

import asyncio
import contextlib
import re
import shutil
import statistics

from .. import hummingbird, nginx, usage
from ..figure import Figure

_CONNECTIONS, _ROUNDS = 32, 5


async def run(bench):
    wrk = shutil.which("wrk")
    if not wrk:
        return [Figure("requests a CPU second", "not measured: apt-get install wrk nginx-light")], {}
    seconds = bench.scaled(10)
    async with bench.server() as server:
        with contextlib.ExitStack() as stack:
            servers = {"revq": (server.port, lambda: usage.cpu_seconds(server.pid)), **_peers(stack)}
            await asyncio.sleep(0.5)
            rounds = {name: [] for name in servers}
            for _ in range(_ROUNDS):
                for name, (port, clock) in servers.items():
                    rounds[name].append(await _round(wrk, port, clock, seconds))
    ratios = [_ratio(rounds["revq"], rounds[name], name) for name in rounds if name != "revq"]
    return [_figure(name, each) for name, each in rounds.items()] + ratios, rounds


def _peers(stack):
    """Port and clock of those that are there."""
    peers = {}
    if nginx.executable():
        peers["nginx"] = stack.enter_context(nginx.nginx())
    if executable := hummingbird.executable():
        peers["Hummingbird"] = stack.enter_context(hummingbird.hummingbird(executable))
    return peers


async def _round(wrk, port, clock, seconds):
    start = clock()
    command = [wrk, "-t1", f"-c{_CONNECTIONS}", f"-d{max(1, round(seconds))}s", f"http://127.0.0.1:{port}/livez"]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    text = (await process.communicate())[0].decode()
    count = int(re.search(r"(\d+) requests in", text)[1])
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1])
    return {"per_cpu_s": count / (clock() - start), "per_s": rate, "failed": int(failed[1]) if failed else 0}


def _figure(name, rounds):
    each = [one["per_cpu_s"] for one in rounds]
    rates, failed = [one["per_s"] for one in rounds], sum(one["failed"] for one in rounds)
    value = f"{statistics.median(each):,.0f} ({min(each):,.0f}–{max(each):,.0f}); {statistics.median(rates):,.0f} a wall second, {failed} failed"
    return Figure(f"{name}: requests a CPU second", value)


def _ratio(ours, theirs, name):
    ratio = statistics.median(us["per_cpu_s"] / them["per_cpu_s"] for us, them in zip(ours, theirs, strict=True))
    return Figure(f"revq / {name}, median of rounds", f"{ratio:.2f}")
