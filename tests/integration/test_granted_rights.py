"""What a user may not do is found by asking the brokers, each right on its own."""

import asyncio
import re

import pytest

from bus.kafka import acls, granted
from bus.settings import KafkaSettings
from pollers.poller import GROUP
from tests.e2e.conftest import secure  # noqa: F401 - a fixture
from tests.e2e.polling import Town
from tests.e2e.rights import Right, give, take_away, understood
from tests.e2e.test_least_rights import give_what_is_printed, town  # noqa: F401 - a fixture
from tests.secure_kafka import SecureKafka

pytestmark = [pytest.mark.installation, pytest.mark.timeout(240)]
NOT_TAKEN = {"Describe", "IdempotentWrite"}  # without the first it is another message; the second is in Write


@pytest.mark.parametrize("secure", ["PLAIN"], indirect=True)
def test_check_names_each_right_that_is_missing_and_the_command_that_gives_it(secure: SecureKafka, town: Town) -> None:  # noqa: F811
    """One after the other is taken away and given back."""
    give_what_is_printed(town, "all", secure.users["pollers"])
    given = understood(town("topics", "print", "--role", "all").stdout)
    found = asyncio.run(found_missing(given, settings_of(town), town.bootstrap_servers))
    last = asyncio.run(without([given[-2]], settings_of(town), town.bootstrap_servers))
    check = town("topics", "check")
    [command] = re.findall(r"an administrator runs `(.*)`", check.stderr)

    assert [(right.operation, right.name) for right in given if right.operation not in NOT_TAKEN] == found
    assert (given[-2].resource, given[-2].operation, last) == ("transactional_id", "Write", [found[-1]])
    assert (check.returncode, given[-2] in understood(command)) == (1, True)


def settings_of(place: Town) -> KafkaSettings:
    named = {name.removeprefix("SMSBUS_KAFKA__").lower(): value for name, value in place.environ.items()}
    return KafkaSettings(**{name: value for name, value in named.items() if name in KafkaSettings.model_fields})


async def found_missing(given: list[Right], kafka: KafkaSettings, bootstrap: str) -> list[tuple[str, str]]:
    """Take away one after the other; return what was found to be missing: an operation, and on what."""
    found = []
    for right in given:
        if right.operation not in NOT_TAKEN:
            await told(kafka, count=0)
            found += await without([right], kafka, bootstrap)
            await give([right], bootstrap)
    await told(kafka, count=0)
    return found


async def without(taken: list[Right], kafka: KafkaSettings, bootstrap: str) -> list[tuple[str, str]]:
    await take_away(taken, bootstrap)
    return [(right.operations[0], right.name) for right in await told(kafka, count=len(taken))]


async def told(kafka: KafkaSettings, *, count: int) -> list[granted.Right]:
    """Ask until so many are missing: brokers hear of an ACL a moment after it was written."""
    async with asyncio.timeout(10):
        while len(missing := await granted.missing(kafka, acls.rights(kafka, "all", GROUP))) != count:
            await asyncio.sleep(0.05)
    return missing
