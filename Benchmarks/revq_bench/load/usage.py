"""What a process has used, and what the rest of the machine was doing meanwhile, as Linux counts it."""

import os
import pathlib
import resource
import time


def cpu_seconds(pid):
    """User and system time of every thread that it ever had, to the nanosecond: clock_getcpuclockid(3)'s clock."""
    return time.clock_gettime((~pid << 3) | 2)


def _status(pid, field):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(field))


def resident_bytes(pid):
    return _status(pid, "VmRSS")


def peak_bytes(pid):
    """The most it held since it started, or since `forget_peak`."""
    return _status(pid, "VmHWM")


def forget_peak(pid):
    pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")


def _machine_seconds():
    """Time in which some core did something, of all cores."""
    with open("/proc/stat") as lines:
        user, nice, system, _, _, interrupt, soft_interrupt, steal = map(int, next(lines).split()[1:9])
    return (user + nice + system + interrupt + soft_interrupt + steal) / os.sysconf("SC_CLK_TCK")


def _children_seconds():
    """Of the servers that were started and have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime


class Spent:
    """CPU seconds from now on, of one server and of this client."""

    def __init__(self, pid):
        self.pid = pid
        self._start = self._read()

    def _read(self):
        return time.perf_counter(), cpu_seconds(self.pid), time.process_time()

    def so_far(self):
        wall, server, client = (now - then for now, then in zip(self._read(), self._start, strict=True))
        return {"wall_s": wall, "server_cpu_s": server, "client_cpu_s": client}


class Surroundings:
    """What this client and all others used while a scenario ran: whatever others use makes every figure worse."""

    def __init__(self):
        self._start = self._read()

    def _read(self):
        return time.perf_counter(), time.process_time(), _children_seconds(), _machine_seconds()

    def so_far(self):
        wall, client, servers, machine = (now - then for now, then in zip(self._read(), self._start, strict=True))
        return {"wall_s": wall, "client_cpu_s": client, "servers_cpu_s": servers, "others_cores": max(0, machine - client - servers) / wall}
