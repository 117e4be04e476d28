"""What became of many requests."""

import collections
import math
import typing


class Outcome(typing.NamedTuple):
    """Times in seconds on the loop's clock. `intended` is when it was meant to be sent, whenever it was sent."""

    operation: str
    intended: float
    end: float
    status: int
    reason: str
    retry_after: float | None = None

    @property
    def is_served(self):
        return self.status == 200

    @property
    def is_refused(self):
        return self.status in (429, 503)

    @property
    def milliseconds(self):
        return 1000 * (self.end - self.intended)


class Outcomes(list):
    def of(self, operation):
        return Outcomes(outcome for outcome in self if outcome.operation == operation)

    @property
    def served(self):
        return Outcomes(outcome for outcome in self if outcome.is_served)

    def share(self, holds):
        return sum(map(holds, self)) / len(self) if self else math.nan

    def refused_share(self):
        return self.share(lambda outcome: outcome.is_refused)

    def failed(self):
        """Those that were neither served nor politely refused."""
        return [outcome for outcome in self if not outcome.is_served and not outcome.is_refused]

    def percentile(self, p):
        """Nearest rank, in milliseconds; of those served if asked so: `outcomes.served.percentile(99)`."""
        times = sorted(outcome.milliseconds for outcome in self)
        return times[max(0, math.ceil(p / 100 * len(times)) - 1)] if times else math.nan

    def rate(self):
        """A second, from the first that was meant to be sent to the last."""
        if len(self) < 2:
            return 0.0
        return (len(self) - 1) / (max(outcome.end for outcome in self) - min(outcome.intended for outcome in self))

    def summary(self):
        served = self.served
        return {
            "requests": len(self),
            "by_reason": dict(collections.Counter(outcome.reason for outcome in self).most_common()),
            "served_per_s": served.rate(),
            "served_ms": {f"p{p}": served.percentile(p) for p in (50, 95, 99, 100)},
            "all_ms": {f"p{p}": self.percentile(p) for p in (50, 95, 99, 100)},
        }
