"""When requests come."""

import heapq
import random


def poisson(rate, seconds, seed, operation):
    """Pairs of a time and the operation: independent arrivals, `rate` a second on average."""
    source, at, arrivals = random.Random(f"{seed} {operation}"), 0.0, []
    while (at := at + source.expovariate(rate)) < seconds:
        arrivals.append((at, operation))
    return arrivals


def merged(*streams):
    return list(heapq.merge(*streams))
