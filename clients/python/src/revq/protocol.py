"""What is asked and how answers read. No I/O here: the same for every transport, and for both clients."""

from __future__ import annotations

import functools
import io
import json
import math
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .errors import Error, FingerprintMismatch, NotAPicture, Overloaded, TooLarge, WrongServer
from .pictures import Body
from .tokens import packed

_NPY = "application/x-npy"
_PROBLEM = "urn:revq:problem:"
_CODES = {
    "image_empty": NotAPicture,
    "image_truncated": NotAPicture,
    "image_corrupt": NotAPicture,
    "image_format_unsupported": NotAPicture,
    "empty_body": NotAPicture,
    "body_too_large": TooLarge,
    "image_too_large": TooLarge,
    "image_out_of_memory": TooLarge,
    "fingerprint_not_resident": FingerprintMismatch,
    "overloaded": Overloaded,
    "no_room": Overloaded,
    "not_ready": Overloaded,
    "shutting_down": Overloaded,
    "deadline_exceeded": Overloaded,
}


@dataclass(frozen=True)
class Call:
    """One request. `about` names in messages what it is about; `accepts` is the media type that the answer must have."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    accepts: str
    about: str


@dataclass(frozen=True)
class Answer:
    """Headers by their names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").split(";")[0].strip().lower()

    @property
    def problem(self) -> dict[str, Any] | None:
        """The server's own problem document; None where somebody else answered."""
        if self.media_type != "application/problem+json":
            return None
        try:
            document = json.loads(self.body)
        except ValueError:
            return None
        is_ours = isinstance(document, dict) and str(document.get("type")).startswith(_PROBLEM)
        return document if is_ours and isinstance(document.get("code"), str) else None


class Row(NamedTuple):
    """The tokens of one picture, int64 [T], the version that made them, and the picture's size where that is not the model's own."""

    tokens: np.ndarray[Any, Any]
    fingerprint: str
    version: int
    size: tuple[int, int] | None = None


class Wanted(NamedTuple):
    """What a call asks for beside its body: a version by number or label, and the size of pictures, (height, width); None for what is usual."""

    version: int | str | None = None
    size: tuple[int, int] | None = None


class Sizes(NamedTuple):
    """Which other sizes a model has, in pixels: sides are multiples of `multiple` from `minimum`, and a picture has `maximum_pixels` at most."""

    minimum: int
    multiple: int
    maximum_pixels: int


@dataclass(frozen=True)
class Info:
    """The version of a model that is served now. Tokens are 0 up to `codebook_size`, exclusive; `latent` is channels, height, width; `sizes` are
    other ones than `image_size`, if there are any."""

    model: str
    version: int
    fingerprint: str
    image_size: int
    latent: tuple[int, int, int]
    tokens: int
    codebook_size: int
    precision: str
    sizes: Sizes | None = None


class Protocol:
    """The calls to one server, and the readers of its answers.

    Args:
        url: such as `http://127.0.0.1:8080`; a path, where a proxy has one, is put before the routes.
        model: the model's name, or None where the server has one or a default.
        headers: further ones of every request.
        timeout: seconds that this client waits for an answer, which the server is told.

    Raises:
        Error: if the URL is none.
    """

    def __init__(self, url: str, model: str | None, headers: Mapping[str, str], timeout: float) -> None:
        self.url = url.rstrip("/")
        self.origin = _origin(self.url)
        self._prefix = self.origin.path
        self._model = model
        if not timeout > 0 or math.isinf(timeout):
            raise Error(f"a timeout is a number of seconds above 0, not {timeout}")
        self.timeout = timeout
        self._headers = (*headers.items(), ("X-Request-Timeout-Ms", str(math.ceil(1000 * timeout))))

    def encode(self, body: Body, about: str, wanted: Wanted = Wanted()) -> Call:  # noqa: B008 - it cannot be changed
        return self._post("/encode", wanted, body.media_type, body.data, _NPY, about)

    def reconstruct(self, body: Body, about: str, wanted: Wanted = Wanted()) -> Call:  # noqa: B008 - it cannot be changed
        return self._post("/reconstruct", wanted, body.media_type, body.data, "image/png", about)

    def decode(self, tokens: np.ndarray[Any, Any], fingerprint: str, about: str, size: tuple[int, int] | None = None) -> Call:
        """`tokens` is [T]. It goes as NumPy array in as few bytes as hold it."""
        file = io.BytesIO()
        np.lib.format.write_array(file, packed(tokens), version=(1, 0), allow_pickle=False)
        return self._post("/decode", Wanted(size=size), _NPY, file.getvalue(), "image/png", about, ("Revq-Fingerprint", fingerprint))

    def models(self) -> Call:
        headers = (*self._headers, ("Accept", "application/json"))
        return Call("GET", self._prefix + "/models", headers, b"", "application/json", "")

    def _post(self, path: str, wanted: Wanted, kind: str, data: bytes, accepts: str, about: str, *more: tuple[str, str]) -> Call:
        headers = (*self._headers, ("Content-Type", kind), ("Accept", accepts), *more)
        size = None if wanted.size is None else f"{wanted.size[0]}x{wanted.size[1]}"
        asked = (("model", self._model), ("version", wanted.version), ("size", size))
        query = "&".join(f"{name}={urllib.parse.quote(str(value), safe='')}" for name, value in asked if value is not None)
        return Call("POST", self._prefix + path + ("?" + query if query else ""), headers, data, accepts, about)

    def row(self, call: Call, answer: Answer) -> Row:
        """What /encode answered.

        Raises:
            Error: what the answer says, or that it is none of a revq server.
        """
        self._check(call, answer)
        fingerprint, version = answer.headers.get("revq-fingerprint"), answer.headers.get("revq-version", "")
        if not fingerprint or not version.isdecimal():
            raise self._wrong(call, answer, "without a fingerprint")
        try:
            size = _size(answer.headers.get("revq-size"))
        except ValueError as error:
            raise self._wrong(call, answer, "of a size that is none") from error
        return Row(self._array(call, answer), fingerprint, int(version), size)

    def png(self, call: Call, answer: Answer) -> bytes:
        """What /decode and /reconstruct answered; raises as `row` does."""
        self._check(call, answer)
        return answer.body

    def info(self, call: Call, answer: Answer) -> Info:
        """What /models answered about the model; raises as `row` does, and where there is no such model."""
        self._check(call, answer)
        try:
            models = {str(model["model"]): model for model in json.loads(answer.body)["models"]}
            default = next((name for name, model in models.items() if model["default"]), None)
            wanted = default if self._model is None else self._model
            if wanted in models:
                current = models[wanted]["versions"][0]
                grid = current["grid"]
                channels, height, width = (int(length) for length in grid["latent"])
                sizes = current.get("sizes")
                return Info(
                    model=wanted,
                    version=int(current["version"]),
                    fingerprint=str(current["fingerprint"]),
                    image_size=int(grid["image_size"]),
                    latent=(channels, height, width),
                    tokens=int(grid["tokens"]),
                    codebook_size=int(grid["codebook_size"]),
                    precision=str(current["precision"]),
                    sizes=sizes and Sizes(*(int(sizes[name]) for name in Sizes._fields)),
                )
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise self._wrong(call, answer, "of another form") from error
        if not models:
            raise Overloaded(f"{self.url} has no checkpoint loaded yet")
        raise Error(f"{self.url} serves {', '.join(sorted(models))}: " + ("say which" if self._model is None else f"there is no {self._model}"))

    def _array(self, call: Call, answer: Answer) -> np.ndarray[Any, Any]:
        body = answer.body
        head = 10 + int.from_bytes(body[8:10], "little")
        try:
            if body[:8] != b"\x93NUMPY\x01\x00":
                raise ValueError
            array = np.frombuffer(body, _kind(body[:head]), offset=head)
        except (ValueError, SyntaxError) as error:
            raise self._wrong(call, answer, "of another form") from error
        return array.astype(np.int64)

    def _check(self, call: Call, answer: Answer) -> None:
        if answer.status == 200 and answer.media_type == call.accepts:
            return
        raise self.refusal(call, answer)

    def refusal(self, call: Call, answer: Answer) -> Error:
        """The error that an answer means."""
        problem = answer.problem
        if problem is None:
            return self._wrong(call, answer, f"{answer.media_type or 'of no type'}")
        code, detail = problem["code"], str(problem.get("detail") or problem.get("title"))
        about = f"{call.about}: " if call.about else ""
        if code == "fingerprint_not_resident":
            detail = f"{detail}; a checkpoint was swapped, so encode the pictures again or have the server keep that version"
        kind, said = _CODES.get(code, Error), (problem.get("request_id"), problem.get("retryable"))
        return kind(f"{about}{detail} ({self.url}, {code})", code=code, status=answer.status, request_id=said[0], retryable=said[1])

    def _wrong(self, call: Call, answer: Answer, what: str) -> WrongServer:
        asked = f"{call.method} {call.path.split('?')[0]}"
        return WrongServer(f"{self.url} is no revq server: {asked} was answered with {answer.status} and a body {what}", status=answer.status)


@functools.lru_cache(maxsize=64)
def _kind(head: bytes) -> np.dtype[Any]:
    """The type in the head of a NumPy file of one dimension. All answers of a model have the same head."""
    file = io.BytesIO(head[8:])
    shape, is_fortran, kind = np.lib.format.read_array_header_1_0(file)
    if len(shape) != 1 or is_fortran or kind.kind not in "iu":
        raise ValueError(f"{kind} of shape {shape}")
    return kind


def _size(text: str | None) -> tuple[int, int] | None:
    """What the header says: one side of a square, or height and width."""
    if text is None:
        return None
    height, _, width = text.partition("x")
    return int(height), int(width or height)


def _origin(url: str) -> urllib.parse.SplitResult:
    try:
        parts = urllib.parse.urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise Error(f"{url} is no URL such as http://127.0.0.1:8080: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise Error(f"{url} is no URL such as http://127.0.0.1:8080")
    if parts.username is not None:
        raise Error("a URL with a user's name in it is not understood: give headers={'Authorization': …}")
    return parts
