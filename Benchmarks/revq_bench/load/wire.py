"""HTTP/1.1 as a client that costs little: it shares the cores with the server that it measures."""

import asyncio
import collections
import json
import typing


class Lost(ConnectionError):
    """The connection ended before the answer was complete."""


class Answer(typing.NamedTuple):
    status: int
    headers: dict
    body: bytes

    @property
    def reason(self):
        """The problem's code, or the status where there is no problem document."""
        if self.status < 400:
            return str(self.status)
        try:
            return f"{self.status} {json.loads(self.body)['code']}"
        except (ValueError, KeyError, TypeError):
            return str(self.status)


def request(method, path, body=b"", kind=None, **headers):
    """Names of headers with underscores for dashes."""
    lines = [f"{method} {path} HTTP/1.1", "Host: revq"]
    if body or method == "POST":
        # What is measured is computation: a server gives equal pictures in flight one result.
        lines += [f"Content-Length: {len(body)}", "Cache-Control: no-cache"]
    if kind:
        lines.append(f"Content-Type: {kind}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Connection(asyncio.Protocol):
    """Keeps alive; answers come in the order of the questions, so that several may be under way."""

    def __init__(self):
        self.transport = None
        self.is_open = False
        self._buffer = bytearray()
        self._waiting = collections.deque()
        self._head = None

    @classmethod
    async def open(cls, port, address="127.0.0.1"):
        local = None if address == "127.0.0.1" else (address, 0)
        _, connection = await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", port, local_addr=local)
        return connection

    def ask(self, message):
        """A future of the answer."""
        future = asyncio.get_running_loop().create_future()
        if not self.is_open:
            future.set_exception(Lost())
            return future
        self._waiting.append(future)
        self.transport.write(message)
        return future

    def send(self, data):
        """Raw bytes that no answer is expected for yet."""
        if self.is_open:
            self.transport.write(data)

    def close(self):
        self.is_open = False
        if self.transport:
            self.transport.abort()

    def connection_made(self, transport):
        self.transport = transport
        self.is_open = True

    def connection_lost(self, _error):
        self.is_open = False
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_exception(Lost())

    def data_received(self, data):
        self._buffer += data
        while self._take_answer():
            pass

    def _take_answer(self):
        if self._head is None:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return False
            self._head = self._parse(bytes(self._buffer[:end]).decode("latin-1"))
            del self._buffer[: end + 4]
        status, headers = self._head
        length = int(headers.get("content-length", 0))
        if len(self._buffer) < length:
            return False
        body = bytes(self._buffer[:length])
        del self._buffer[:length]
        self._head = None
        if headers.get("connection") == "close":
            self.is_open = False
        if self._waiting and status >= 200:
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(Answer(status, headers, body))
        return bool(self._buffer)

    def _parse(self, head):
        first, *lines = head.split("\r\n")
        fields = (line.split(":", 1) for line in lines)
        return int(first.split(" ", 2)[1]), {name.lower(): value.strip() for name, value in fields}


async def ask(port, message, seconds=30):
    """One answer over a connection of its own."""
    connection = await Connection.open(port)
    try:
        return await asyncio.wait_for(connection.ask(message), seconds)
    finally:
        connection.close()
