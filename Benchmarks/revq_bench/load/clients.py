"""Many clients in one process."""

import asyncio

from .outcomes import Outcome, Outcomes
from .wire import Connection, Lost


class Clients:
    """Takes an idle connection for each request, and opens another where there is none."""

    def __init__(self, port, seconds=60):
        self.port, self.seconds = port, seconds
        self._idle = []
        self.opened = 0

    async def ask(self, message):
        connection = await self._connection()
        try:
            answer = await asyncio.wait_for(connection.ask(message), self.seconds)
        except BaseException:
            connection.close()
            raise
        if connection.is_open:
            self._idle.append(connection)
        return answer

    async def _connection(self):
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open:
                return connection
        self.opened += 1
        return await Connection.open(self.port)

    async def outcome(self, operation, message, intended):
        """What became of it; never an error."""
        loop = asyncio.get_running_loop()
        try:
            answer = await self.ask(message)
        except Lost:
            return Outcome(operation, intended, loop.time(), 0, "lost")
        except TimeoutError:
            return Outcome(operation, intended, loop.time(), 0, "no answer")
        except OSError as error:
            return Outcome(operation, intended, loop.time(), 0, type(error).__name__)
        retry = answer.headers.get("retry-after")
        return Outcome(operation, intended, loop.time(), answer.status, answer.reason, float(retry) if retry else None)

    def close(self):
        for connection in self._idle:
            connection.close()


async def open_loop(clients, arrivals, message):
    """Sends at the times of `arrivals`, pairs of seconds from now and an operation, whatever the answers do; `message(operation)` is what.
    A timer may be late by this client's own doing, which then counts as latency."""
    loop = asyncio.get_running_loop()
    start, tasks = loop.time(), []
    for at, operation in arrivals:
        pause = start + at - loop.time()
        # Zero lets answers be read between two that are due.
        await asyncio.sleep(max(0, pause))
        tasks.append(asyncio.create_task(clients.outcome(operation, message(operation), start + at)))
    return Outcomes(await asyncio.gather(*tasks))


async def closed_loop(clients, operation, message, depth, seconds):
    """`depth` clients, each of which asks again as soon as it has its answer, or half a second after a refusal."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    outcomes = Outcomes()

    async def client():
        while (now := loop.time()) < end:
            outcomes.append(await clients.outcome(operation, message(operation), now))
            if not outcomes[-1].is_served:
                await asyncio.sleep(0.5)

    await asyncio.gather(*(client() for _ in range(depth)))
    return outcomes
