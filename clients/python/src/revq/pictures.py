"""Whatever shows a picture, as bytes that the server reads."""

from __future__ import annotations

import io
import os
import pathlib
from typing import Any, NamedTuple, Union

import numpy as np
from PIL import Image, ImageOps

from .errors import NotAPicture

#: What `Tokenizer.encode` takes as one picture.
ImageLike = Union[str, "os.PathLike[str]", bytes, Image.Image, Any]

_FORM = "expected uint8 of shape [h, w, 3], [h, w] or [3, h, w]"
# Pillow writes these into a PNG as they are; the server shows transparency over white.
_PNG_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")


class Picture(NamedTuple):
    """A picture that has not been read yet. `source` is a path, bytes, a Pillow image or an array; `name` is for messages and results."""

    name: str
    source: Any


class Body(NamedTuple):
    """A PNG or JPEG file."""

    media_type: str
    data: bytes


def listed(images: Any) -> list[Picture]:
    """The pictures of what may be one, several in a list, or an array [n, h, w, 3]."""
    if isinstance(images, (list, tuple)) and not isinstance(images, Picture):
        return [named(image, index) for index, image in enumerate(images)]
    if _is_array(images) and len(images.shape) == 4:
        return [named(image, index) for index, image in enumerate(images)]
    return [named(images, 0)]


def named(image: Any, index: int) -> Picture:
    """A path is its own name; of anything else it is the position."""
    if isinstance(image, Picture):
        return image
    return Picture(os.fspath(image) if isinstance(image, (str, os.PathLike)) else f"picture {index}", image)


def body_of(data: Any) -> Any:
    """The body where `data` is a PNG or JPEG file in memory, which costs nothing to find out; otherwise None."""
    if not isinstance(data, (bytes, bytearray, memoryview)):
        return None
    start = bytes(data[:8])
    if start[:3] == b"\xff\xd8\xff":
        return Body("image/jpeg", bytes(data))
    if start == b"\x89PNG\r\n\x1a\n":
        return Body("image/png", bytes(data))
    return None


def load(picture: Picture) -> Body:
    """Reads it, and writes it as PNG where the server would not understand it. Files that it understands are sent unchanged.

    Raises:
        NotAPicture: naming the picture.
    """
    source = picture.source
    if isinstance(source, Exception):
        raise source
    if isinstance(source, (str, os.PathLike)):
        try:
            source = pathlib.Path(source).read_bytes()
        except OSError as error:
            raise NotAPicture(f"{picture.name}: cannot be read: {error.strerror or error}") from error
    if isinstance(source, (bytes, bytearray, memoryview)):
        return body_of(source) or _png(_opened(picture.name, bytes(source)))
    if isinstance(source, Image.Image):
        return _png(source)
    return _png(Image.fromarray(_pixels(picture.name, source)))


def _opened(name: str, data: bytes) -> Image.Image:
    """A picture of a format that the server does not read, the right way up as the server would turn it."""
    if not data:
        raise NotAPicture(f"{name}: not a picture: it is empty")
    try:
        opened = Image.open(io.BytesIO(data))
        return ImageOps.exif_transpose(opened) or opened
    except Image.DecompressionBombError as error:
        raise NotAPicture(f"{name}: {error}") from error
    except Exception as error:
        # Pillow's readers raise nearly anything on broken files.
        raise NotAPicture(f"{name}: not a picture: its {len(data)} bytes start with {data[:4].hex(' ')}, as none that Pillow reads") from error


def _png(image: Image.Image) -> Body:
    file = io.BytesIO()
    # Level 1: the picture is read once and thrown away.
    (image if image.mode in _PNG_MODES else image.convert("RGB")).save(file, "PNG", compress_level=1)
    return Body("image/png", file.getvalue())


def _is_array(image: Any) -> bool:
    return hasattr(image, "__array__") and hasattr(image, "shape") and not isinstance(image, Image.Image)


def _pixels(name: str, image: Any) -> np.ndarray[Any, Any]:
    if not _is_array(image):
        raise NotAPicture(f"{name}: not a picture: {type(image).__name__}; expected a path, bytes, a Pillow image or an array")
    try:
        array = np.asarray(image)
    except (TypeError, ValueError, RuntimeError) as error:
        # A tensor on another device, or one with a gradient.
        raise NotAPicture(f"{name}: not an array on the CPU: {error}") from error
    if array.dtype != np.uint8:
        raise NotAPicture(f"{name}: {array.dtype} of shape {list(array.shape)}; {_FORM}, so scale to 0 … 255 and convert first")
    if array.ndim == 3 and array.shape[2] not in (1, 3, 4) and array.shape[0] in (1, 3):
        array = array.transpose(1, 2, 0)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.size == 0 or not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))):
        raise NotAPicture(f"{name}: uint8 of shape {list(array.shape)}; {_FORM}")
    return np.ascontiguousarray(array)
