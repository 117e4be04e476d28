"""How far it is, in one line of text."""

from __future__ import annotations

import sys
import time
from typing import Callable, TextIO


class Progress:
    """Writes over its own line on a terminal, a few times a second; anywhere else a line now and then.

    `total` is None where nobody knows. `clock` gives seconds, as `time.monotonic` does.
    """

    _WIDTH = 24

    def __init__(self, total: int | None, file: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._total, self._clock = total, clock
        self._file: TextIO = file or sys.stderr
        self._overwrites = self._file.isatty()
        self._every = 0.2 if self._overwrites else 10.0
        self._start = self._last = clock()
        self._length = 0
        self.done = self.broken = 0

    def add(self, is_broken: bool) -> None:
        """One more is done."""
        self.done += 1
        self.broken += is_broken
        now = self._clock()
        if now - self._last >= self._every:
            self._last = now
            self._write(self.line(now))

    def line(self, now: float) -> str:
        spent = max(now - self._start, 1e-9)
        rate = self.done / spent
        parts = [str(self.done)]
        if self._total:
            full = self._WIDTH * self.done // self._total
            parts = [f"{self.done}/{self._total} [{'#' * full}{'.' * (self._WIDTH - full)}]"]
        parts.append(f"{rate:.1f}/s")
        if self._total and 0 < self.done < self._total:
            parts.append(f"{_clock_face((self._total - self.done) / rate)} left")
        else:
            parts.append(_clock_face(spent))
        return ", ".join(parts + ([f"{self.broken} broken"] if self.broken else []))

    def close(self) -> None:
        """The last line stays."""
        self._write(self.line(self._clock()))
        if self._overwrites:
            self._file.write("\n")
        self._file.flush()

    def _write(self, line: str) -> None:
        if self._overwrites:
            self._file.write("\r" + line.ljust(self._length))
            self._length = len(line)
        else:
            self._file.write(line + "\n")
        self._file.flush()


def _clock_face(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
