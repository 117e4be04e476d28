"""The client for everybody else: the one for asyncio, on a thread of its own."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Awaitable, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, TypeVar

from .client import AsyncTokenizer, Drawn, Encoded
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

    def run(self, work: Awaitable[_T]) -> _T:
        future = asyncio.run_coroutine_threadsafe(_coroutine(work), self._running())
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


async def _coroutine(work: Awaitable[_T]) -> _T:
    return await work


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

    def encode(self, images: ImageLike | Sequence[ImageLike]) -> Tokens:
        """One picture or a list to tokens, int64 [n, T]."""
        return _background.run(self._twin.encode(images))

    def decode(self, tokens: Any, fingerprint: str | None = None, *, output: str = "pil") -> Drawn:
        """Tokens [n, T] or [T] to a list of Pillow images (`output="pil"`) or uint8 [n, h, w, 3] (`"np"`)."""
        return _background.run(self._twin.decode(tokens, fingerprint, output=output))

    def reconstruct(self, images: ImageLike | Sequence[ImageLike], *, output: str = "pil") -> Drawn:
        """Pictures through their tokens."""
        return _background.run(self._twin.reconstruct(images, output=output))

    def encode_each(self, images: Iterable[Any], *, progress: bool = False) -> Iterator[Encoded]:
        """The tokens of as many pictures as there are, in their order; a broken one ends nothing."""
        groups = self._twin._encoded_groups(images, progress)
        try:
            while True:
                try:
                    items = _background.run(groups.__anext__())
                except StopAsyncIteration:
                    return
                yield from items
        finally:
            _background.run(groups.aclose())

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
