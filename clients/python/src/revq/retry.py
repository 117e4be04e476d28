"""When a call is made again. Pure: chance and time are arguments, and whoever drives it does the waiting."""

from __future__ import annotations

import email.utils
from dataclasses import dataclass
from typing import Callable

from .errors import Error, NoServer, Overloaded, WrongServer
from .protocol import Answer, Call, Protocol


class Failure(Exception):
    """There is no answer; the text says why."""


class NotConnected(Failure):
    """Nothing was sent."""


class Lost(Failure):
    """The connection ended before the answer was complete. `was_reused` if it had carried others before: the server may have closed it as
    idle while the call was on its way."""

    def __init__(self, why: str, was_reused: bool) -> None:
        super().__init__(why)
        self.was_reused = was_reused


class TooSlow(Failure):
    """No answer in time."""


class NotHTTP(Failure):
    """What came is no HTTP."""


@dataclass(frozen=True)
class Patience:
    """How long to put up with a server that is overloaded, and how often with one that fails.

    Every call of this client may be made again: tokens depend on nothing but the picture, and nothing is kept on the server. `seconds` is how
    long a call may wait in all where the server (429, 503) says when to come back; `failures` how often it may fail otherwise: a lost
    connection, a server that restarts, a proxy's 502, 503 or 504.
    """

    seconds: float = 60.0
    failures: int = 5

    def __post_init__(self) -> None:
        if not self.seconds >= 0 or self.failures < 0:
            raise Error(f"patience is seconds and failures from 0, not {self.seconds} and {self.failures}")


class Attempts:
    """The history of one call.

    Args:
        has_answered: whether the server ever answered this client. Where nothing listens at an address that never did, it is the address
            that is wrong, and waiting would not help.
        chance: a number from 0 to 1, anew each time, so that clients do not come back together.
        now: seconds since 1970, for a Retry-After that is a date.
    """

    _FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0

    def __init__(
        self, protocol: Protocol, call: Call, patience: Patience, has_answered: bool, chance: Callable[[], float], now: Callable[[], float]
    ) -> None:
        self._protocol, self._call, self._patience = protocol, call, patience
        self._has_answered, self._chance, self._now = has_answered, chance, now
        self._failures = 0
        self._made = 0
        self._waited = 0.0
        self._has_lost_reused = False

    def after_answer(self, answer: Answer) -> float | None:
        """Seconds to wait before the call is made again; None where this is the answer.

        Raises:
            Overloaded: if patience has ended.
            WrongServer: if it is a proxy's answer once too often.
        """
        self._made += 1
        self._has_answered = True
        asked = self._asked_pause(answer) if answer.status in (429, 503) else None
        if asked is not None:
            # A little later than asked, never sooner; by chance, because others were told the same.
            pause = asked + self._chance() * min(1.0, 0.25 * asked)
            if self._waited + pause > self._patience.seconds:
                raise self._exhausted(answer, asked)
            self._waited += pause
            return pause
        if answer.problem is None and answer.status in (429, 502, 503, 504):
            if (backoff := self._after_failure()) is not None:
                return backoff
            raise self._protocol.refusal(self._call, answer)
        return None

    def after_failure(self, failure: Failure) -> float:
        """Seconds to wait before the call is made again.

        Raises:
            NoServer: if it is not to be made again.
            WrongServer: if what came is no HTTP.
        """
        self._made += 1
        url = self._protocol.url
        if isinstance(failure, NotHTTP):
            raise WrongServer(f"{url} is no revq server: it does not speak HTTP ({failure})") from None
        if isinstance(failure, Lost) and failure.was_reused and not self._has_lost_reused:
            # Closed while idle, most likely; a fresh connection will tell.
            self._has_lost_reused = True
            return 0.0
        if isinstance(failure, TooSlow):
            raise NoServer(f"{url} gave no answer within {self._protocol.timeout:g} s") from None
        is_hopeless = isinstance(failure, NotConnected) and not self._has_answered
        pause = None if is_hopeless else self._after_failure()
        if pause is None:
            tries = f" ({self._made} tries)" if self._made > 1 else ""
            raise NoServer(f"no server answers at {url}: {failure}{tries}") from None
        return pause

    def _after_failure(self) -> float | None:
        self._failures += 1
        if self._failures > self._patience.failures:
            return None
        pause = min(self._LONGEST_PAUSE, self._FIRST_PAUSE * float(2 ** (self._failures - 1)))
        return pause * (0.5 + 0.5 * self._chance())

    def _asked_pause(self, answer: Answer) -> float | None:
        """What Retry-After says, as seconds from now."""
        text = answer.headers.get("retry-after", "").strip()
        if text.isdecimal():
            return float(text)
        try:
            return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - self._now())
        except (TypeError, ValueError, IndexError):
            return None

    def _exhausted(self, answer: Answer, asked: float) -> Overloaded:
        tries = f"{self._made} {'try' if self._made == 1 else 'tries'}, {self._waited:.0f} s of waiting"
        return Overloaded(
            f"{self._protocol.url} is overloaded: after {tries} it asks for {asked:.0f} s more, beyond the {self._patience.seconds:g} s of patience",
            code=str((answer.problem or {}).get("code", "")) or None,
            status=answer.status,
        )
