"""HTTP/1.1 at its strangest: a body in chunks of one byte, and clients that ask a thousand times before they listen."""

import asyncio

from ..arrivals import merged, poisson
from ..clients import Clients, open_loop
from ..figure import Figure, at_most
from ..usage import Spent
from ..wire import Connection, Lost, request

_CHUNKS, _MOST_CHUNKS_CPU_S = 8 << 20, 0.15
_PIPELINED, _PIPELINES = 1000, 8
_MOST_RATIO = 2.0


async def run(bench):
    chunk_figures, chunks = await _chunks(bench)
    pipeline_figures, pipelines = await _pipelines(bench)
    return chunk_figures + pipeline_figures, {"chunks": chunks, "pipelines": pipelines}


async def _chunks(bench):
    head = request("POST", "/encode", kind="image/jpeg", Transfer_Encoding="chunked").replace(b"Content-Length: 0\r\n", b"")
    async with bench.server() as server:
        await bench.bodies(server)
        connection, spent = await Connection.open(server.port), Spent(server.pid)
        try:
            answer = await asyncio.wait_for(connection.ask(head + b"1\r\na\r\n" * _CHUNKS + b"0\r\n\r\n"), 60)
            status = answer.reason
        except (Lost, TimeoutError) as error:
            status = type(error).__name__
        connection.close()
        used = spent.so_far()
    figures = [
        at_most("8 MB in chunks of one byte: server CPU s", used["server_cpu_s"], _MOST_CHUNKS_CPU_S),
        Figure("8 MB in chunks of one byte: answer", f"{status} after {used['wall_s']:.2f} s"),
    ]
    return figures, {"status": status, **used}


async def _pipelines(bench):
    async with bench.server() as server:
        bodies, seconds = await bench.bodies(server), bench.scaled(20, 6)
        quiet = await _ordinary(server, bodies, seconds, bench.seed)
        tasks = [asyncio.create_task(_pipeline(server.port)) for _ in range(_PIPELINES)]
        beside = await _ordinary(server, bodies, seconds, bench.seed)
        for task in tasks:
            task.cancel()
        answered = sum(await asyncio.gather(*tasks))
    figures, details = [], {"answered": answered}
    for name in ("encode", "livez"):
        alone, flooded = quiet.of(name), beside.of(name)
        what = f"{name} beside {_PIPELINES} × {_PIPELINED} pipelined"
        # Fair shares of two cores among nine connections are not equal latency; a queue of a thousand is another order of magnitude.
        figures.append(at_most(f"{what}: p99 − quiet p99, ms", flooded.percentile(99) - alone.percentile(99), 100, ".0f"))
        figures.append(Figure(f"{what}: p99 quiet → beside, ms", f"{alone.percentile(99):.1f} → {flooded.percentile(99):.1f}"))
        details[name] = {"quiet": alone.summary(), "beside": flooded.summary()}
    return figures, details


async def _ordinary(server, bodies, seconds, seed):
    clients, live = Clients(server.port), request("GET", "/livez")
    arrivals = merged(*(poisson(20, seconds, seed, name) for name in ("encode", "livez")))
    outcomes = await open_loop(clients, arrivals, lambda name: live if name == "livez" else bodies.next(name))
    clients.close()
    return outcomes


async def _pipeline(port):
    """Asks a thousand times at once, again whenever it was answered; counts answers without reading them."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    questions, answered = request("GET", "/livez") * _PIPELINED, 0
    try:
        while True:
            writer.write(questions)
            missing = _PIPELINED
            while missing > 0:
                data = await reader.read(1 << 20)
                if not data:
                    return answered
                count = data.count(b"HTTP/1.1 200")
                missing, answered = missing - count, answered + count
    except (asyncio.CancelledError, OSError):
        return answered
    finally:
        writer.close()
