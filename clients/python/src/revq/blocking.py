"""The client for everybody else: the one for asyncio, on a thread of its own."""

from __future__ import annotations

import asyncio
import os
import queue
import threading
from collections.abc import AsyncGenerator, Coroutine, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, TypeVar

from .client import AsyncTokenizer, Drawn, Encoded, PictureSize
from .pictures import ImageLike
from .protocol import Info
from .retry import Patience
from .tokens import Tokens

_T = TypeVar("_T")


class _Background:
    """One event loop on one thread, for all tokenizers of the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        future = asyncio.run_coroutine_threadsafe(work, self._running())
        try:
            return future.result()
        except BaseException:
            # Ctrl-C ends the work, too.
            future.cancel()
            raise

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="revq", daemon=True).start()
            return self._loop

    def forget(self) -> None:
        """In a forked child, which has no such thread. The loop is left to the parent: it is the parent's epoll that it would close."""
        _left_alone.append(self._loop)
        self.__init__()  # type: ignore[misc]


_left_alone: list[Any] = []
_background = _Background()
os.register_at_fork(after_in_child=_background.forget)


class _Stream:
    """Items of an asynchronous generator for a thread that is not its loop's. They wait in a queue, so that a thread is woken for an item
    once, and nobody is woken to ask for the next one: at most `_AHEAD` wait, and room is given back by `_PORTION`."""

    _AHEAD, _PORTION = 64, 8

    def __init__(self, items: AsyncGenerator[Encoded, None]) -> None:
        self._items = items
        self._results: queue.SimpleQueue[Encoded | BaseException | None] = queue.SimpleQueue()

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._room = asyncio.Semaphore(self._AHEAD)
        self._task = self._loop.create_task(self._pump())

    def stop(self) -> None:
        """Does not wait for the end: whoever collects a forgotten generator may be the loop's own thread."""
        self._loop.call_soon_threadsafe(self._task.cancel)

    async def _pump(self) -> None:
        try:
            async for item in self._items:
                await self._room.acquire()
                self._results.put(item)
            self._results.put(None)
        except Exception as error:
            self._results.put(error)
        finally:
            await self._items.aclose()

    def __iter__(self) -> Iterator[Encoded]:
        taken = 0
        while (result := self._results.get()) is not None:
            if isinstance(result, BaseException):
                raise result
            yield result
            taken += 1
            if taken % self._PORTION == 0:
                self._loop.call_soon_threadsafe(self._give_room)

    def _give_room(self) -> None:
        for _ in range(self._PORTION):
            self._room.release()


class Tokenizer:
    """A revq server. `AsyncTokenizer` documents arguments and methods: they are the same, and this one may be used from any thread.

    It can be pickled, and used in a forked process: each process has connections of its own.
    """

    def __init__(
        self,
        url: str,
        model: str | None = None,
        *,
        concurrency: int = 16,
        timeout: float = 60.0,
        patience: Patience = Patience(),  # noqa: B008 - it cannot be changed
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._options = dict(model=model, concurrency=concurrency, timeout=timeout, patience=patience, headers=headers)
        self._twin = AsyncTokenizer(url, model, concurrency=concurrency, timeout=timeout, patience=patience, headers=headers)

    @property
    def url(self) -> str:
        return self._twin.url

    def info(self) -> Info:
        """The version that is served now."""
        return _background.run(self._twin.info())

    def encode(self, images: ImageLike | Sequence[ImageLike], *, size: PictureSize | None = None, version: int | str | None = None) -> Tokens:
        """One picture or a list to tokens, int64 [n, T]; `size` in pixels, of a square or (height, width), where it is not the model's own."""
        return _background.run(self._twin.encode(images, size=size, version=version))

    def decode(self, tokens: Any, fingerprint: str | None = None, *, size: PictureSize | None = None, output: str = "pil") -> Drawn:
        """Tokens [n, T] or [T] to a list of Pillow images (`output="pil"`) or uint8 [n, h, w, 3] (`"np"`)."""
        return _background.run(self._twin.decode(tokens, fingerprint, size=size, output=output))

    def reconstruct(
        self,
        images: ImageLike | Sequence[ImageLike],
        *,
        size: PictureSize | None = None,
        version: int | str | None = None,
        output: str = "pil",
    ) -> Drawn:
        """Pictures through their tokens."""
        return _background.run(self._twin.reconstruct(images, size=size, version=version, output=output))

    def encode_each(
        self, images: Iterable[Any], *, size: PictureSize | None = None, version: int | str | None = None, progress: bool = False
    ) -> Iterator[Encoded]:
        """The tokens of as many pictures as there are, in their order; a broken one ends nothing."""
        stream = _Stream(self._twin.encode_each(images, size=size, version=version, progress=progress))
        _background.run(stream.start())
        try:
            yield from stream
        finally:
            stream.stop()

    def close(self) -> None:
        """Closes the connections."""
        _background.run(self._twin.close())

    def __enter__(self) -> Tokenizer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        return _made, (self.url, self._options)


def _made(url: str, options: Mapping[str, Any]) -> Tokenizer:
    return Tokenizer(url, **options)
