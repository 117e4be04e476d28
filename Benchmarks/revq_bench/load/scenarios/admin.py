"""Slow clients as in `slow`, and probes on a port of their own, --admin-port."""

from ..server import free_port
from .slow import drips, under


async def run(bench):
    admin = free_port()
    async with bench.server("--admin-port", admin) as server:
        return await under(drips, bench, server, admin)
