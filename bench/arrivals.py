"""Arrival times of callbacks: independent of each other and of the load on the server."""

from random import Random


def poisson(rate: float, seconds: float, rng: Random) -> list[float]:
    """Return the moments, in seconds from the start, of arrivals at `rate` a second until `seconds` are over."""
    moments = []
    moment = rng.expovariate(rate)
    while moment < seconds:
        moments.append(moment)
        moment += rng.expovariate(rate)
    return moments
