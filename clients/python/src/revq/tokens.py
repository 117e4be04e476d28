"""Tokens that know whose they are."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, Callable

import numpy as np

from .errors import Error, FingerprintMismatch

_JOINING = (np.concatenate, np.stack, np.vstack)


class Tokens(np.ndarray):
    """int64 [n, T], or [T] for one picture, with the `fingerprint` of the model version that made them.

    An array rather than a record of two fields, because tokens are edited, sliced and stacked as arrays, and the fingerprint has to survive
    that. It goes along with views, copies, items and what is written into them; `np.concatenate`, `np.stack` and `np.vstack` want all of
    one fingerprint. What is computed from tokens (`tokens + 1`, `tokens == 7`) is a plain array, because it need not be tokens any more.
    """

    fingerprint: str

    def __new__(cls, values: Any, fingerprint: str) -> Tokens:
        """
        Raises:
            Error: if the values are not whole numbers from 0, or not [n, T] or [T].
        """
        tokens = whole_numbers(values).astype(np.int64).view(cls)
        tokens.fingerprint = str(fingerprint)
        return tokens

    def __array_finalize__(self, origin: Any) -> None:
        self.fingerprint = getattr(origin, "fingerprint", "")

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        plain = np.asarray(array)
        return plain[()] if return_scalar or plain.ndim == 0 else plain

    def __array_function__(self, function: Callable[..., Any], types: Any, arguments: Any, options: Any) -> Any:
        if function not in _JOINING:
            return super().__array_function__(function, types, arguments, options)
        parts = list(arguments[0] if arguments else options.popitem()[1])
        fingerprint = _the_one(parts)
        joined = function([np.asarray(part) for part in parts], *arguments[1:], **options)
        return Tokens(joined, fingerprint) if fingerprint else joined

    def __reduce__(self) -> Any:
        return Tokens, (np.asarray(self), self.fingerprint)

    def __repr__(self) -> str:
        return f"{super().__repr__()[:-1]}, fingerprint={self.fingerprint!r})"

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a NumPy archive (.npz) with `tokens` in as few bytes as hold them, and `fingerprint`."""
        with open(path, "wb") as file:
            np.savez_compressed(file, tokens=packed(self), fingerprint=np.array(self.fingerprint))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Tokens:
        """What `save` wrote.

        Raises:
            Error: if the file is something else.
        """
        try:
            with np.load(path, allow_pickle=False) as archive:
                return cls(archive["tokens"], str(archive["fingerprint"]))
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
