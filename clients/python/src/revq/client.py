"""The client for asyncio."""

from __future__ import annotations

import asyncio
import collections
import functools
import io
import itertools
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Callable, TypeVar, Union

import numpy as np
from PIL import Image

from .connections import Transport, transport
from .errors import Error, FingerprintMismatch, PictureError
from .pictures import ImageLike, Picture, body_of, listed, load, named
from .progress import Progress
from .protocol import Answer, Call, Info, Protocol, Row, Wanted
from .retry import Attempts, Failure, Patience
from .tokens import Tokens, whole_numbers

_In = TypeVar("_In")
_Out = TypeVar("_Out")

#: Drawn pictures: a list of Pillow images, or an array uint8 [n, h, w, 3].
Drawn = Union[list[Image.Image], "np.ndarray[Any, Any]"]
#: Of pictures in pixels: the side of a square, or height and width.
PictureSize = Union[int, tuple[int, int]]

# A server that was told the timeout says itself that it has passed; this client waits a little longer, for those that do not.
_GRACE = 1.25
# How often the older part of a batch is encoded again, where checkpoints are swapped while it is under way.
_ROUNDS = 3


@dataclass(frozen=True)
class Encoded:
    """What became of one of many pictures: its `tokens` [T], or the `error` that it is to blame for."""

    name: str
    tokens: Tokens | None
    error: PictureError | None


class AsyncTokenizer:
    """A revq server, for asyncio; `Tokenizer` is the same for everybody else.

    Args:
        url: of the server, such as `http://127.0.0.1:8080`.
        model: one of its models by name; may be left out where there is one, or one is named `default`.
        concurrency: the most calls at a time. The server makes batches of them; beyond some 16 it has nothing to gain.
        timeout: seconds that a call may take, which the server is told. Waiting because the server asked for it does not count.
        patience: how long to put up with a server that is overloaded or fails.
        headers: further ones of every call, for a proxy in front of the server.
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
        if concurrency < 1:
            raise Error(f"at least one call at a time is needed, not {concurrency}")
        self._protocol = Protocol(url, model, headers or {}, timeout)
        self._concurrency, self._patience = concurrency, patience
        self._has_answered = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._transport: Transport | None = None
        self._sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
        self._chance: Callable[[], float] = random.random

    @property
    def url(self) -> str:
        return self._protocol.url

    async def info(self) -> Info:
        """The version that is served now."""
        call = self._protocol.models()
        return self._protocol.info(call, await self._ask(call))

    async def encode(self, images: ImageLike | Sequence[ImageLike], *, size: PictureSize | None = None, version: int | str | None = None) -> Tokens:
        """Pictures to tokens.

        Args:
            images: one picture or a list: paths, bytes of a file, Pillow images, uint8 arrays or tensors [h, w, 3], [h, w], [3, h, w]; or an
                array [n, h, w, 3]. Each is resized so that its shorter side is the model's image size, and its centre square is kept.
            size: another one, in pixels: of a square, or (height, width), which the picture is resized to cover. `info().sizes` says which there are.
            version: of the model, by its number, "stable" or "canary"; without it the stable one.

        Returns:
            int64 [n, T] with the fingerprint of the version that made them, one for all: where a checkpoint is swapped meanwhile, what the
            older version made is encoded again.

        Raises:
            Error: naming the picture, where it is one picture's fault.
        """
        pictures, one = listed(images), functools.partial(self._row, _wanted(size, version))
        if not pictures:
            raise Error("there are no pictures to encode")
        rows = await self._all(one, pictures)
        for _ in range(_ROUNDS):
            newest = max(rows, key=lambda row: row.version).fingerprint
            stale = [index for index, row in enumerate(rows) if row.fingerprint != newest]
            if not stale:
                return Tokens(np.stack([row.tokens for row in rows]), newest, rows[0].size)
            again = await self._all(one, [pictures[index] for index in stale])
            for index, row in zip(stale, again):
                rows[index] = row
        found = sorted({row.fingerprint for row in rows})
        raise FingerprintMismatch(f"{self.url} goes on answering with several model versions ({', '.join(found)}): its replicas differ")

    async def decode(self, tokens: Any, fingerprint: str | None = None, *, size: PictureSize | None = None, output: str = "pil") -> Drawn:
        """Tokens to pictures.

        Args:
            tokens: what `encode` gave, edited or not, [n, T] or [T]; or other whole numbers with a `fingerprint`.
            fingerprint: whose tokens they are, where they do not say so themselves.
            size: of the pictures, where it is not the model's own and the tokens do not say so themselves.
            output: "pil" for a list of Pillow images, "np" for uint8 [n, h, w, 3].

        Raises:
            FingerprintMismatch: if the server no longer holds the version that made them.
        """
        rows = np.atleast_2d(np.asarray(whole_numbers(tokens)))
        _check_output(output, len(rows))
        whose, sides = _fingerprint(tokens, fingerprint), _picture_size(tokens, size)
        calls = [self._protocol.decode(row, whose, f"tokens {index}", sides) for index, row in enumerate(rows)]
        return _gathered(await self._all(functools.partial(self._drawn, output), calls), output)

    async def reconstruct(
        self,
        images: ImageLike | Sequence[ImageLike],
        *,
        size: PictureSize | None = None,
        version: int | str | None = None,
        output: str = "pil",
    ) -> Drawn:
        """Pictures through their tokens; arguments as `encode` and `decode` have them."""
        pictures, wanted = listed(images), _wanted(size, version)
        _check_output(output, len(pictures))
        return _gathered(await self._all(functools.partial(self._reconstructed, output, wanted), pictures), output)

    async def encode_each(
        self, images: Iterable[Any], *, size: PictureSize | None = None, version: int | str | None = None, progress: bool = False
    ) -> AsyncGenerator[Encoded, None]:
        """The tokens of as many pictures as there are, in their order, while others are under way.

        Args:
            images: `revq.folder(…)`, `revq.webdataset(…)`, or any pictures that `encode` takes. Read ahead by some dozens, on another thread.
            size: of all of them, and
            version: of the model, as `encode` has them.
            progress: whether to write a line of progress to standard error.

        Yields:
            An `Encoded` for each. A broken picture has its error there and ends nothing. Tokens say whose they are: after a swap of the
            checkpoint they have another fingerprint, and `np.stack` refuses to mix them.

        Raises:
            Error: where it is no picture's fault.
        """
        total = len(images) if isinstance(images, Sized) else None
        bar = Progress(total) if progress else None
        pictures = (named(image, index) for index, image in enumerate(images))
        one = functools.partial(self._encoded, _wanted(size, version))
        results = self._ordered(one, pictures, 4 * self._concurrency, is_blocking=True)
        try:
            async for item in results:
                if bar:
                    bar.add(item.error is not None)
                yield item
        finally:
            await results.aclose()
            if bar:
                bar.close()

    async def close(self) -> None:
        """Closes the connections."""
        if self._transport and self._loop is asyncio.get_running_loop():
            await self._transport.close()
        self._transport = self._loop = None

    async def __aenter__(self) -> AsyncTokenizer:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        await self.close()

    # Many at a time.

    async def _all(self, work: Callable[[_In], Awaitable[_Out]], items: Sequence[_In]) -> list[_Out]:
        return [result async for result in self._ordered(work, iter(items), 2 * self._concurrency, is_blocking=False)]

    async def _ordered(
        self, work: Callable[[_In], Awaitable[_Out]], items: Iterator[_In], width: int, is_blocking: bool
    ) -> AsyncGenerator[_Out, None]:
        """Results in the order of `items`, of which at most `width` are under way, `concurrency` at work. The first error ends all.
        `is_blocking` where the next item may have to be waited for."""
        gate = asyncio.Semaphore(self._concurrency)

        async def gated(item: _In) -> _Out:
            async with gate:
                return await work(item)

        loop = asyncio.get_running_loop()
        tasks: collections.deque[asyncio.Task[_Out]] = collections.deque()
        is_over = False
        try:
            while True:
                if not is_over and len(tasks) <= width // 2:
                    count = width - len(tasks)
                    next_items = itertools.islice(items, count)
                    taken = await loop.run_in_executor(None, list, next_items) if is_blocking else list(next_items)
                    is_over = len(taken) < count
                    tasks.extend(loop.create_task(gated(item)) for item in taken)
                if not tasks:
                    return
                yield await tasks.popleft()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    # One.

    async def _row(self, wanted: Wanted, picture: Picture) -> Row:
        body = body_of(picture.source) or await asyncio.get_running_loop().run_in_executor(None, load, picture)
        call = self._protocol.encode(body, picture.name, wanted)
        return self._protocol.row(call, await self._ask(call))

    async def _encoded(self, wanted: Wanted, picture: Picture) -> Encoded:
        try:
            row = await self._row(wanted, picture)
        except PictureError as error:
            return Encoded(picture.name, None, error)
        return Encoded(picture.name, Tokens(row.tokens, row.fingerprint, row.size), None)

    async def _reconstructed(self, output: str, wanted: Wanted, picture: Picture) -> Any:
        body = body_of(picture.source) or await asyncio.get_running_loop().run_in_executor(None, load, picture)
        return await self._drawn(output, self._protocol.reconstruct(body, picture.name, wanted))

    async def _drawn(self, output: str, call: Call) -> Any:
        png = self._protocol.png(call, await self._ask(call))
        try:
            return await asyncio.get_running_loop().run_in_executor(None, _unpacked, png, output)
        except (OSError, SyntaxError, ValueError) as error:
            raise Error(f"{self.url} answered with a broken PNG: {error}") from error

    async def _ask(self, call: Call) -> Answer:
        """Until there is an answer that is no request for patience."""
        attempts = Attempts(self._protocol, call, self._patience, self._has_answered, self._chance, time.time)
        while True:
            try:
                answer = await self._connected().send(call, _GRACE * self._protocol.timeout)
            except Failure as failure:
                pause: float | None = attempts.after_failure(failure)
            else:
                self._has_answered = True
                pause = attempts.after_answer(answer)
                if pause is None:
                    return answer
            if pause:
                await self._sleep(pause)

    def _connected(self) -> Transport:
        """Connections belong to the loop that they were made in; where there is another now, they are left alone."""
        loop = asyncio.get_running_loop()
        if self._transport is None or self._loop is not loop:
            self._loop, self._transport = loop, transport(self._protocol)
        return self._transport


def _fingerprint(tokens: Any, given: str | None) -> str:
    own = tokens.fingerprint if isinstance(tokens, Tokens) else ""
    if own and given and own != given:
        raise FingerprintMismatch(f"the tokens are of {own}, and not of {given}")
    if not (own or given):
        raise Error("these tokens do not say whose they are: decode what encode gave, or give the fingerprint")
    return own or str(given)


def _wanted(size: PictureSize | None, version: int | str | None) -> Wanted:
    return Wanted(version, _sides(size))


def _sides(size: PictureSize | None) -> tuple[int, int] | None:
    """(height, width).

    Raises:
        Error: if it is something else than the server can understand.
    """
    if size is None:
        return None
    sides = size if isinstance(size, (tuple, list)) else (size, size)
    if len(sides) != 2 or not all(isinstance(side, (int, np.integer)) and not isinstance(side, bool) and side > 0 for side in sides):
        raise Error(f"a size is the side of a square in pixels, or (height, width), not {size!r}")
    return int(sides[0]), int(sides[1])


def _picture_size(tokens: Any, given: PictureSize | None) -> tuple[int, int] | None:
    own, said = tokens.picture_size if isinstance(tokens, Tokens) else None, _sides(given)
    if own and said and own != said:
        raise Error(f"the tokens are of pictures of {own[0]}x{own[1]} pixels, and not of {said[0]}x{said[1]}")
    return own or said


def _check_output(output: str, count: int) -> None:
    if output not in ("pil", "np"):
        raise Error(f'output is "pil" or "np", not {output!r}')
    if not count:
        raise Error("there is nothing to draw")


def _unpacked(png: bytes, output: str) -> Any:
    image = Image.open(io.BytesIO(png))
    image.load()
    return image if output == "pil" else np.asarray(image.convert("RGB"))


def _gathered(drawn: list[Any], output: str) -> Drawn:
    return np.stack(drawn) if output == "np" else drawn
