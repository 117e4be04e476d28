"""How calls reach the server: over connections of this module's own where it is plain HTTP, over httpx where TLS or a proxy is in between.

httpx spends 1.1 to 2.3 ms of CPU on an /encode, an asyncio protocol that has h11 read the answers some 0.4. On a machine that the server shares,
that decides whether a client can take all that the server gives (Benchmarks/revq_bench/python_client.py measures it).
"""

from __future__ import annotations

import asyncio
import ssl
import urllib.parse
import urllib.request
from collections.abc import Sequence

import h11
import httpx

from .errors import Error
from .protocol import Answer, Call, Protocol
from .retry import Lost, NotConnected, NotHTTP, TooSlow

_CONNECT_SECONDS = 10.0


class Transport:
    """Makes calls, each at most once."""

    async def send(self, call: Call, seconds: float) -> Answer:
        """
        Raises:
            Failure: if there is no answer.
        """
        raise NotImplementedError

    async def close(self) -> None:
        raise NotImplementedError


def transport(protocol: Protocol) -> Transport:
    """Of the kind that the URL and the environment (HTTP_PROXY, ALL_PROXY, NO_PROXY) ask for."""
    origin, proxies = protocol.origin, urllib.request.getproxies()
    has_proxy = bool({origin.scheme, "all"} & proxies.keys()) and not urllib.request.proxy_bypass(origin.hostname or "")
    if origin.scheme == "https" or has_proxy:
        return ThroughHTTPX(origin)
    return Direct(origin)


class Direct(Transport):
    """Plain HTTP/1.1 over connections that are kept; as many as there are calls at a time."""

    def __init__(self, origin: urllib.parse.SplitResult) -> None:
        self._host, self._port = origin.hostname or "", origin.port or 80
        self._authority = origin.netloc
        self._idle: list[_Connection] = []

    async def send(self, call: Call, seconds: float) -> Answer:
        connection = await self._connection()
        try:
            answer = await connection.ask(self._head(call), call.body, seconds)
        except BaseException:
            # Whatever comes over it now would be taken for the answer to another call.
            connection.abort()
            raise
        if connection.is_open:
            self._idle.append(connection)
        return answer

    async def close(self) -> None:
        while self._idle:
            self._idle.pop().abort()
        # A transport that was closed is gone after the loop's next turn.
        await asyncio.sleep(0)

    async def _connection(self) -> _Connection:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open:
                return connection
        loop = asyncio.get_running_loop()
        try:
            _, connection = await asyncio.wait_for(loop.create_connection(_Connection, self._host, self._port), _CONNECT_SECONDS)
        except asyncio.TimeoutError:
            raise NotConnected(f"no connection within {_CONNECT_SECONDS:.0f} s") from None
        except OSError as error:
            raise NotConnected(_reason(error)) from None
        return connection

    def _head(self, call: Call) -> h11.Request:
        headers: list[tuple[str, str]] = [("Host", self._authority), *call.headers]
        if call.body or call.method == "POST":
            headers.append(("Content-Length", str(len(call.body))))
        try:
            return h11.Request(method=call.method, target=call.path, headers=headers)
        except (h11.LocalProtocolError, UnicodeError) as error:
            raise Error(f"a header cannot be sent: {error}") from error


class _Connection(asyncio.Protocol):
    """One call at a time. h11 says what the bytes mean; this only moves them."""

    def __init__(self) -> None:
        self._http = h11.Connection(h11.CLIENT)
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Answer] | None = None
        self._head: h11.Response | None = None
        self._parts: list[bytes] = []
        self._count = 0
        self._has_spoken_first = False

    @property
    def is_open(self) -> bool:
        return self._transport is not None and self._http.our_state is h11.IDLE

    def abort(self) -> None:
        if self._transport:
            self._transport.abort()
            self._transport = None

    async def ask(self, head: h11.Request, body: bytes, seconds: float) -> Answer:
        if self._has_spoken_first:
            raise NotHTTP("it speaks first")
        if self._transport is None:
            raise Lost("the connection was closed", self._count > 0)
        loop = asyncio.get_running_loop()
        waiting = self._waiting = loop.create_future()
        data = [self._http.send(head) or b"", self._http.send(h11.Data(data=body)) or b"", self._http.send(h11.EndOfMessage()) or b""]
        self._transport.write(b"".join(data))
        timer = loop.call_later(seconds, self._fail, TooSlow())
        try:
            answer: Answer = await waiting
        finally:
            timer.cancel()
            self._waiting = None
        self._count += 1
        return answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._receive(data)

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        # An answer without a length ends here.
        self._receive(b"")
        self._fail(Lost(_reason(error) if isinstance(error, OSError) else "it closed the connection before it answered", self._count > 0))

    def _receive(self, data: bytes) -> None:
        if self._waiting is None:
            # Nothing was asked: whatever this is, it belongs to no call. Proxies say 408 to a connection that rests for long.
            self._has_spoken_first |= bool(data) and self._count == 0
            self.abort()
            return
        if self._head is None and data and not data.startswith(b"HTTP/"[: len(data)]):
            # h11 would wait for the end of what it takes for a head.
            self._fail(NotHTTP("its answer begins with " + data[:4].hex(" ")))
            return
        try:
            self._http.receive_data(data)
            self._read()
        except h11.RemoteProtocolError as error:
            self._fail(NotHTTP(str(error)) if data else Lost(str(error), self._count > 0))

    def _read(self) -> None:
        while True:
            event = self._http.next_event()
            if isinstance(event, h11.Response):
                self._head, self._parts = event, []
            elif isinstance(event, h11.Data):
                self._parts.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                self._finish()
                return
            elif not isinstance(event, h11.InformationalResponse):
                return

    def _finish(self) -> None:
        head, waiting, self._head = self._head, self._waiting, None
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
        else:
            self.abort()
        if head and waiting and not waiting.done():
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers}
            waiting.set_result(Answer(head.status_code, headers, b"".join(self._parts)))

    def _fail(self, failure: Exception) -> None:
        if self._waiting and not self._waiting.done():
            self._waiting.set_exception(failure)


class ThroughHTTPX(Transport):
    """TLS and proxies, as httpx does them."""

    def __init__(self, origin: urllib.parse.SplitResult) -> None:
        self._base = f"{origin.scheme}://{origin.netloc}"
        # As many connections as there are calls at a time: the client bounds these.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        self._client = httpx.AsyncClient(limits=limits, follow_redirects=False)

    async def send(self, call: Call, seconds: float) -> Answer:
        headers: Sequence[tuple[str, str]] = call.headers
        timeout = httpx.Timeout(seconds, connect=_CONNECT_SECONDS)
        try:
            answer = await self._client.request(call.method, self._base + call.path, headers=headers, content=call.body or None, timeout=timeout)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
            raise NotConnected(_reason(error)) from None
        except httpx.TimeoutException:
            raise TooSlow() from None
        except httpx.RemoteProtocolError as error:
            # httpx has one error for both, and keeps to itself whether the connection was used before.
            if "disconnected" in str(error):
                raise Lost(str(error), was_reused=False) from None
            raise NotHTTP(str(error)) from None
        except httpx.TransportError as error:
            raise Lost(_reason(error), was_reused=False) from None
        except (httpx.HTTPError, ssl.SSLError) as error:
            raise Lost(str(error), was_reused=False) from None
        return Answer(answer.status_code, {name.lower(): value for name, value in answer.headers.items()}, answer.content)

    async def close(self) -> None:
        await self._client.aclose()


def _reason(error: BaseException) -> str:
    """Connection refused, rather than which of how many addresses refused it."""
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
