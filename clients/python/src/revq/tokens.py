"""Tokens that know whose they are."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, Callable

import numpy as np

from .errors import Error, FingerprintMismatch

_JOINING = (np.concatenate, np.stack, np.vstack)


class Tokens(np.ndarray):
    """int64 [n, T], or [T] for one picture, with the `fingerprint` of the model version that made them, and in `picture_size` the height and
    width of their pictures where those are not of the model's own size (`size` is NumPy's).

    An array rather than a record of two fields, because tokens are edited, sliced and stacked as arrays, and the fingerprint has to survive
    that. It goes along with views, copies, items and what is written into them; `np.concatenate`, `np.stack` and `np.vstack` want all of
    one fingerprint. What is computed from tokens (`tokens + 1`, `tokens == 7`) is a plain array, because it need not be tokens any more.
    """

    fingerprint: str
    picture_size: tuple[int, int] | None

    def __new__(cls, values: Any, fingerprint: str, picture_size: tuple[int, int] | None = None) -> Tokens:
        """
        Raises:
            Error: if the values are not whole numbers from 0, or not [n, T] or [T].
        """
        tokens = whole_numbers(values).astype(np.int64).view(cls)
        tokens.fingerprint, tokens.picture_size = str(fingerprint), picture_size
        return tokens

    def __array_finalize__(self, origin: Any) -> None:
        self.fingerprint, self.picture_size = getattr(origin, "fingerprint", ""), getattr(origin, "picture_size", None)

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        plain = np.asarray(array)
        return plain[()] if return_scalar or plain.ndim == 0 else plain

    def __array_function__(self, function: Callable[..., Any], types: Any, arguments: Any, options: Any) -> Any:
        if function not in _JOINING:
            return super().__array_function__(function, types, arguments, options)
        parts = list(arguments[0] if arguments else options.popitem()[1])
        fingerprint, size = _the_one(parts), _the_size(parts)
        joined = function([np.asarray(part) for part in parts], *arguments[1:], **options)
        return Tokens(joined, fingerprint, size) if fingerprint else joined

    def __reduce__(self) -> Any:
        return Tokens, (np.asarray(self), self.fingerprint, self.picture_size)

    def __repr__(self) -> str:
        size = f", picture_size={self.picture_size}" if self.picture_size else ""
        return f"{super().__repr__()[:-1]}, fingerprint={self.fingerprint!r}{size})"

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a NumPy archive (.npz) with `tokens` in as few bytes as hold them, `fingerprint`, and `picture_size` where there is one."""
        size = {} if self.picture_size is None else {"picture_size": np.array(self.picture_size)}
        with open(path, "wb") as file:
            np.savez_compressed(file, tokens=packed(self), fingerprint=np.array(self.fingerprint), **size)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Tokens:
        """What `save` wrote.

        Raises:
            Error: if the file is something else.
        """
        try:
            with np.load(path, allow_pickle=False) as archive:
                size = archive["picture_size"].tolist() if "picture_size" in archive else None
                return cls(archive["tokens"], str(archive["fingerprint"]), size and (size[0], size[1]))
        except Exception as error:
            # zipfile, NumPy and the operating system each have errors of their own.
            raise Error(f"{os.fspath(path)} has no tokens: expected a file that Tokens.save wrote ({error})") from error


def _the_one(parts: Iterable[Any]) -> str | None:
    """The fingerprint that all parts have; None where some part has none.

    Raises:
        FingerprintMismatch: if there are several.
    """
    found = [part.fingerprint if isinstance(part, Tokens) else "" for part in parts]
    several = sorted(set(found) - {""})
    if len(several) > 1:
        counts = ", ".join(f"{found.count(one)} of {one}" for one in several)
        raise FingerprintMismatch(f"tokens of different model versions cannot stand in one array ({counts}): encode the older ones again")
    return several[0] if several and "" not in found else None


def _the_size(parts: Iterable[Any]) -> tuple[int, int] | None:
    """The size that the pictures of all tokens among the parts have; None for the model's own.

    Raises:
        Error: if there are several.
    """
    found = {part.picture_size for part in parts if isinstance(part, Tokens)}
    if len(found) > 1:
        several = ", ".join(sorted("x".join(map(str, size)) if size else "the model's own" for size in found))
        raise Error(f"tokens of pictures of different sizes cannot stand in one array ({several})")
    return found.pop() if found else None


def whole_numbers(values: Any) -> np.ndarray[Any, Any]:
    """An integer array [n, T] or [T].

    Raises:
        Error: if it is something else.
    """
    try:
        array = np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise Error(f"tokens are whole numbers of shape [n, T] or [T], these are no array: {error}") from error
    if array.dtype.kind not in "iu" or array.ndim not in (1, 2) or array.shape[-1] == 0:
        raise Error(f"tokens are whole numbers of shape [n, T] or [T], these are {array.dtype} of shape {list(array.shape)}")
    if array.size and array.min() < 0:
        raise Error(f"tokens are whole numbers from 0, one of these is {array.min()}")
    return array


def packed(tokens: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The same in the narrowest type that the server reads."""
    most = int(tokens.max()) if tokens.size else 0
    kind = "|u1" if most < 1 << 8 else "<u2" if most < 1 << 16 else "<i4" if most < 1 << 31 else "<i8"
    return np.ascontiguousarray(tokens, dtype=kind)
