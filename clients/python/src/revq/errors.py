"""What can go wrong, each in one sentence."""

from __future__ import annotations


class Error(Exception):
    """Whatever this package raises. `str(error)` is one sentence: what was wrong, and what was expected.

    Where a server refused, `code` is its stable problem code (openapi.yaml lists them), `status` the HTTP status, `request_id` what its log calls the
    request, and `retryable` whether it says that the same request may succeed later.
    """

    def __init__(
        self, message: str, *, code: str | None = None, status: int | None = None, request_id: str | None = None, retryable: bool | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.request_id = request_id
        self.retryable = retryable


class PictureError(Error):
    """It is this picture's fault; others may do."""


class NotAPicture(PictureError):
    """No picture, a broken one, or an array that does not have the form of one."""


class TooLarge(PictureError):
    """A picture that is larger, or costs more to read, than the server allows."""


class NoServer(Error):
    """Nobody answers at the address, or not in time."""


class WrongServer(Error):
    """Somebody answers, but it is no revq server: a proxy's error page, another service."""


class Overloaded(Error):
    """The server has more to do than it can, and still had when this client's patience ended."""


class FingerprintMismatch(Error):
    """The tokens belong to another version of the model than the one that they would be used with."""
