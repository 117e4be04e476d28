"""One hostile body."""

import typing


class Case(typing.NamedTuple):
    name: str
    body: bytes
    kind: str
    # Pixels that are really in it, which a server may take time to draw.
    megapixels: float = 0
    path: str = "/encode"
