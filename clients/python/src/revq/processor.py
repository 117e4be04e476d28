"""Pictures to `input_ids` and back, in the manner of a Hugging Face processor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from .blocking import Tokenizer
from .errors import Error, FingerprintMismatch
from .pictures import ImageLike
from .protocol import Info


class Processor:
    """Holds on to one version of the model: a network that was trained on its tokens understands no others.

    Args:
        tokenizer: or a server's URL.
        fingerprint: the version that a network was trained on; without it, the one that is served now.

    Raises:
        FingerprintMismatch: from each use, once the server encodes with another version.
    """

    model_input_names = ("input_ids",)

    def __init__(self, tokenizer: Tokenizer | str, fingerprint: str | None = None) -> None:
        self.tokenizer = Tokenizer(tokenizer) if isinstance(tokenizer, str) else tokenizer
        self.info: Info = self.tokenizer.info()
        self.fingerprint = fingerprint or self.info.fingerprint
        self._check(self.info.fingerprint)

    @property
    def vocab_size(self) -> int:
        return self.info.codebook_size

    def __call__(self, images: ImageLike | Sequence[ImageLike], return_tensors: str = "np") -> dict[str, Any]:
        """`{"input_ids": int64 [n, T]}`, for NumPy ("np") or PyTorch ("pt")."""
        if return_tensors not in ("np", "pt"):
            raise Error(f'return_tensors is "np" or "pt", not {return_tensors!r}')
        tokens = self.tokenizer.encode(images)
        self._check(tokens.fingerprint)
        if return_tensors == "np":
            return {"input_ids": tokens}
        import torch

        return {"input_ids": torch.from_numpy(np.array(tokens))}

    def decode(self, input_ids: Any) -> Image.Image:
        """The picture of one row of tokens, [T] or [1, T]."""
        pictures = self.batch_decode(input_ids)
        if len(pictures) != 1:
            raise Error(f"decode draws one picture, these are tokens of {len(pictures)}: use batch_decode")
        return pictures[0]

    def batch_decode(self, input_ids: Any) -> list[Image.Image]:
        """The pictures of rows of tokens, [n, T]."""
        return list(self.tokenizer.decode(input_ids, self.fingerprint))

    def _check(self, found: str) -> None:
        if found != self.fingerprint:
            raise FingerprintMismatch(
                f"this processor is for tokens of {self.fingerprint}, and {self.tokenizer.url} encodes with {found}: a checkpoint was swapped"
            )
