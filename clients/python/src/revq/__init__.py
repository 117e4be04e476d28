"""Pictures to tokens and back, over a revq server.

>>> tokenizer = revq.Tokenizer("http://127.0.0.1:8080")
>>> tokens = tokenizer.encode(["cat.jpg", "dog.png"])  # int64 [2, T]
>>> pictures = tokenizer.decode(tokens)
"""

from .blocking import Tokenizer
from .client import AsyncTokenizer, Encoded
from .errors import Error, FingerprintMismatch, NoServer, NotAPicture, Overloaded, PictureError, TooLarge, WrongServer
from .pictures import Picture
from .processor import Processor
from .protocol import Info, Sizes
from .retry import Patience
from .sources import folder, webdataset
from .tokens import Tokens

__all__ = [
    "AsyncTokenizer",
    "Encoded",
    "Error",
    "FingerprintMismatch",
    "Info",
    "NoServer",
    "NotAPicture",
    "Overloaded",
    "Patience",
    "Picture",
    "PictureError",
    "Processor",
    "Sizes",
    "Tokenizer",
    "Tokens",
    "TooLarge",
    "WrongServer",
    "folder",
    "webdataset",
]
