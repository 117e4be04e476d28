"""GET /livez for each second of the server's CPU, beside nginx, turn about, with wrk as the client of both."""

import asyncio
import re
import shutil
import statistics

from .. import nginx, usage
from ..figure import Figure

_CONNECTIONS, _ROUNDS = 32, 5


async def run(bench):
    wrk = shutil.which("wrk")
    if not wrk:
        return [Figure("requests a CPU second", "not measured: apt-get install wrk nginx-light")], {}
    ours, theirs, seconds = [], [], bench.scaled(10)
    async with bench.server() as server:
        if not nginx.executable():
            for _ in range(_ROUNDS):
                ours.append(await _round(wrk, server.port, lambda: usage.cpu_seconds(server.pid), seconds))
            return [_figure("revq", ours)], {"revq": ours}
        with nginx.nginx() as (port, clock):
            await asyncio.sleep(0.5)
            for _ in range(_ROUNDS):
                ours.append(await _round(wrk, server.port, lambda: usage.cpu_seconds(server.pid), seconds))
                theirs.append(await _round(wrk, port, clock, seconds))
    ratio = statistics.median(us["per_cpu_s"] / them["per_cpu_s"] for us, them in zip(ours, theirs, strict=True))
    return [_figure("revq", ours), _figure("nginx", theirs), Figure("revq / nginx, median of rounds", f"{ratio:.2f}")], {
        "revq": ours,
        "nginx": theirs,
    }


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
