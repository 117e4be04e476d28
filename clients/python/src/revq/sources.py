"""Many pictures: folders and archives."""

from __future__ import annotations

import os
import pathlib
import tarfile
from collections.abc import Iterable, Iterator
from typing import Union

from .errors import Error, NotAPicture
from .pictures import Picture

_SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm"))
_Path = Union[str, "os.PathLike[str]"]


def _is_picture(name: str) -> bool:
    path = pathlib.PurePosixPath(name)
    return path.suffix.lower() in _SUFFIXES and not path.name.startswith(".")


def folder(path: _Path) -> list[Picture]:
    """The picture files in a folder and in those below it, by name, which is relative to the folder. They are read when they are needed.

    Raises:
        Error: if it is no folder.
    """
    root = pathlib.Path(path)
    if not root.is_dir():
        raise Error(f"{root} is no folder")
    files = sorted(file for file in root.rglob("*") if _is_picture(file.name) and file.is_file())
    return [Picture(file.relative_to(root).as_posix(), file) for file in files]


def webdataset(archives: _Path | Iterable[_Path]) -> Iterator[Picture]:
    """The pictures in tar files, compressed or not, as WebDataset writes them, in their order. A name is that of the member.

    A damaged archive gives what is before the damage, and then one picture that cannot be read.

    Raises:
        Error: if there is no such file.
    """
    for archive in [archives] if isinstance(archives, (str, os.PathLike)) else archives:
        yield from _members(pathlib.Path(archive))


def _members(archive: pathlib.Path) -> Iterator[Picture]:
    try:
        # As a stream, so that it may be a pipe; a member is read where it stands.
        with tarfile.open(archive, "r|*") as members:
            for member in members:
                file = members.extractfile(member) if member.isfile() and _is_picture(member.name) else None
                if file:
                    data = file.read()
                    if len(data) < member.size:
                        raise tarfile.ReadError(f"{member.name} is cut off")
                    yield Picture(member.name, data)
    except FileNotFoundError as error:
        raise Error(f"there is no archive {archive}") from error
    except (tarfile.TarError, EOFError, OSError) as error:
        yield Picture(str(archive), NotAPicture(f"{archive}: the archive is damaged from here on: {error}"))
