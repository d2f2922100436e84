"""Would the soak see what grows?"""

from random import Random

import pytest

from tests.faults.trend import trend

EVERY = 5.0
HOUR = 720  # points


def series(values):
    return [(i * EVERY, value) for i, value in enumerate(values)]


def test_noise_is_no_trend():
    rng = Random(1)

    found = trend(series(100 + rng.gauss(0, 5) for _ in range(HOUR)), slack=8)

    assert not found.grows
    assert abs(found.per_hour) < 5


def test_a_leak_is_found_with_its_slope():
    found = trend(series(100 + 60 * i / HOUR for i in range(HOUR)), slack=8)

    assert found.grows
    assert found.per_hour == pytest.approx(60)


def test_what_grows_while_it_warms_up_is_no_trend():
    warm_up = HOUR // 10

    found = trend(series(min(i / warm_up, 1) * 100 for i in range(HOUR)), slack=8)

    assert not found.grows


def test_what_stands_high_for_a_moment_is_no_trend():
    found = trend(series(5_000 if 500 < i < 560 else 0 for i in range(HOUR)), slack=20)

    assert not found.grows


def test_little_on_little_is_within_the_slack():
    assert not trend(series(i // 180 for i in range(HOUR)), slack=8).grows
    assert trend(series(i // 30 for i in range(HOUR)), slack=8).grows
