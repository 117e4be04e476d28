"""Hostile pictures and bodies, one at a time on an idle server: what each takes of CPU and memory.

Wanted: 150 ms of CPU and 10 ms for each megapixel that is really drawn, and 64 MB beside the body itself.
"""

import asyncio
import time

from .. import usage
from ..figure import Figure, at_most
from ..hostile.corpus import cases
from ..wire import request

_LEAST_MS, _MS_PER_MEGAPIXEL, _MOST_BYTES = 150, 10, 64 << 20
_PATIENCE_SECONDS, _ATTEMPTS = 60, 3


async def run(bench):
    found, tried = [], Trial(bench)
    try:
        tokens = await tried.start()
        for case in cases(tokens):
            if bench.options.only not in case.name:
                continue
            found.append(await tried.measure(case))
            bench.say(line(found[-1]))
    finally:
        tried.close()
    return figures(found), {"cases": found}


class Trial:
    """A server that is started anew where a case ended it, or left it larger than it was: memory that is free inside it would hide what
    the next one takes."""

    def __init__(self, bench):
        self.bench = bench
        self.server = self._small = None

    async def start(self):
        self.server = await self.bench.start()
        bodies = await self.bench.bodies(self.server)
        for operation in ("encode", "decode"):
            await self.server.ask(bodies.next(operation))
        self._small = self.server.resident_bytes()
        return bodies.tokens

    def close(self):
        if self.server:
            self.server.close(5)

    async def measure(self, case):
        """A busy moment of the machine spoils it, so what misses its bound is measured twice more, and the best counts."""
        found = [await self._once(case)]
        while not found[-1]["holds"] and len(found) < _ATTEMPTS:
            found.append(await self._once(case))
        return min(found, key=lambda one: (not one["holds"], one["cpu_ms"]))

    async def _once(self, case):
        if not self.server.is_running or self.server.resident_bytes() > self._small + (8 << 20):
            self.close()
            await self.start()
        pid, before = self.server.pid, self.server.resident_bytes()
        usage.forget_peak(pid)
        start, cpu = time.perf_counter(), usage.cpu_seconds(pid)
        status = await self._status(case)
        wall = time.perf_counter() - start
        await self._settle(pid)
        is_alive = self.server.is_running
        spent = usage.cpu_seconds(pid) - cpu if is_alive else wall
        peak, left = (self.server.peak_bytes() - before, self.server.resident_bytes() - before) if is_alive else (0, 0)
        return judge(case, status if is_alive else "killed the server", 1000 * spent, 1000 * wall, peak) | {"left_bytes": left}

    async def _status(self, case):
        try:
            return (await self.server.ask(request("POST", case.path, case.body, case.kind), _PATIENCE_SECONDS)).reason
        except TimeoutError:
            return "no answer"
        except OSError:
            return "closed"

    async def _settle(self, pid):
        """Until it does nothing more: work that goes on behind the answer counts too."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        last = -1.0
        while self.server.is_running and time.monotonic() < deadline:
            now = usage.cpu_seconds(pid)
            if now - last < 0.002:
                return
            last = now
            await asyncio.sleep(0.04)


def judge(case, status, cpu_ms, wall_ms, peak):
    most = _LEAST_MS + _MS_PER_MEGAPIXEL * case.megapixels
    peak = max(0, peak)
    is_held = cpu_ms <= most and peak - len(case.body) <= _MOST_BYTES and not status.startswith(("5", "no", "killed"))
    return {
        "name": case.name,
        "body_bytes": len(case.body),
        "megapixels": case.megapixels,
        "status": status,
        "cpu_ms": cpu_ms,
        "most_cpu_ms": most,
        "wall_ms": wall_ms,
        "peak_bytes": peak,
        "holds": is_held,
    }


def line(case):
    verdict = "  " if case["holds"] else "✗ "
    sizes = f"{case['body_bytes'] / 1e6:8.3f} MB body, {case['cpu_ms']:7.0f} of {case['most_cpu_ms']:4.0f} ms, +{case['peak_bytes'] / 1e6:4.0f} MB"
    return f"{verdict}{sizes}, {case['status']}: {case['name']}"


def figures(found):
    offenders = [case for case in found if not case["holds"]]
    worst_cpu = max(found, key=lambda case: case["cpu_ms"] / case["most_cpu_ms"])
    worst_memory = max(found, key=lambda case: case["peak_bytes"] - case["body_bytes"])
    most_left = max(found, key=lambda case: case["left_bytes"])
    return [
        at_most(f"hostile bodies beyond their bounds, of {len(found)}", len(offenders), 0, "d"),
        Figure("most CPU beside its bound", line(worst_cpu).strip()),
        Figure("most memory beside its body", line(worst_memory).strip()),
        Figure("most memory that an idle server kept of one", f"{most_left['left_bytes'] / 1e6:.0f} MB: {most_left['name']}"),
        *(Figure("offender", line(case)[2:], "", False) for case in offenders),
    ]
