"""What ordinary clients send."""

from .. import ROOT
from .wire import request

PHOTOGRAPHS = ROOT / "Tests" / "Photographs"


class Bodies:
    """Requests that are ready to be sent, by operation; several of each, taken in turn."""

    def __init__(self, photographs, tokens):
        self.tokens = tokens[0]
        self.requests = {
            "encode": [request("POST", "/encode", body, "image/jpeg") for body in photographs],
            "decode": [request("POST", "/decode", body, "application/json") for body in tokens],
        }
        self._next = 0

    @classmethod
    async def of(cls, server):
        """The photographs of the tests, and what `server` makes of them."""
        photographs = [path.read_bytes() for path in sorted(PHOTOGRAPHS.glob("*.jpg"))]
        answers = [await server.ask(request("POST", "/encode", body, "image/jpeg")) for body in photographs]
        return cls(photographs, [answer.body for answer in answers])

    def next(self, operation):
        requests = self.requests[operation]
        self._next += 1
        return requests[self._next % len(requests)]
