"""Which of the rights that a role needs are missing, by what brokers tell."""

from types import SimpleNamespace

import pytest
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    GroupCoordinatorNotAvailableError,
    IncompatibleBrokerVersion,
    KafkaConnectionError,
)
from aiokafka.protocol.admin import DescribeGroupsResponse_v3
from aiokafka.protocol.transaction import EndTxnRequest, InitProducerIdRequest

from bus.kafka import granted
from bus.kafka.acls import rights
from bus.kafka.client import KafkaAway
from bus.kafka.granted import ALL, BITS, NONE, UNKNOWN, Resource, lacking, missing
from bus.kafka.operations import DescribeGroups, DescribeGroupsRequest, Metadata, MetadataRequest, MetadataResponse
from bus.settings import KafkaSettings

INVALID_PRODUCER_ID_MAPPING = 49
KAFKA = KafkaSettings(topic_prefix="t.")
NEEDED = [*rights(KAFKA, "all", "smsbus-pollers")]
RECEIVED, GROUP = Resource("topic", "t.sms.received.v1"), Resource("group", "t.smsbus-pollers")
CLUSTER, TRANSACTIONS = Resource("cluster", ""), Resource("transactional-id", "t.smsbus-pollers-")
OF_ALL = {Resource(right.resource, right.name): sum(BITS[each] for each in right.operations) for right in NEEDED}


def named(told):
    return [(right.resource, right.name, right.operations) for right in lacking(NEEDED, told)]


@pytest.mark.parametrize(
    ("resource", "operation"),
    [
        (RECEIVED, "Read"),
        (RECEIVED, "Write"),
        (GROUP, "Read"),
        (CLUSTER, "IdempotentWrite"),
        (TRANSACTIONS, "Write"),
    ],
    ids=str,
)
def test_the_one_operation_that_is_missing_is_named_and_no_other(resource, operation):
    told = OF_ALL | {resource: OF_ALL[resource] & ~BITS[operation]}

    assert named(told) == [(*resource, (operation,))]


@pytest.mark.parametrize("bits", [UNKNOWN, ALL, 0b1111111111111], ids=["unknown", "all", "no authorizer"])
def test_brokers_that_check_nothing_or_tell_nothing_lack_nothing(bits):
    assert named(dict.fromkeys(OF_ALL, bits)) == []


def test_what_was_not_told_is_not_missing():
    assert named({}) == []


def test_who_polls_nothing_needs_no_right_to_the_group_of_the_pollers():
    without = [*rights(KAFKA, "all", "smsbus-pollers", polls=False)]

    assert {*NEEDED} - {*without} == {right for right in NEEDED if right.name.startswith(GROUP.name)}
    assert [*rights(KAFKA, "pollers", "smsbus-pollers", polls=False)] == [*rights(KAFKA, "pollers", "smsbus-pollers")]


def test_the_rights_that_are_printed_are_all_that_is_needed():
    assert named(OF_ALL) == []
    assert len(named(dict.fromkeys(OF_ALL, NONE))) == len(NEEDED)


# ---- what is sent and read -------------------------------------------------------------------------------------------


def test_no_topic_is_created_by_asking_about_it():
    [topics, *booleans] = MetadataRequest(["a"], False, True, True).to_object().values()

    assert (topics, booleans) == (["a"], [False, True, True])


def test_a_response_is_read_as_the_protocol_has_it():
    partition = (0, 3, 1, 7, [1, 2], [1], [])
    sent = MetadataResponse(0, [(1, "h", 9092, None)], "c", 1, [(0, "a", False, [partition], 0b11000)], UNKNOWN)

    read = MetadataResponse.decode(sent.encode())

    assert (read.topics[0][-1], read.cluster_authorized_operations) == (0b11000, UNKNOWN)


def test_of_a_group_the_version_is_read_that_has_the_operations():
    sent = DescribeGroupsResponse_v3(0, [(0, "g", "Dead", "", "", [], 0b1000)])

    assert DescribeGroupsRequest.RESPONSE_TYPE.decode(sent.encode()).groups[0][-1] == 0b1000


# ---- asking ----------------------------------------------------------------------------------------------------------


class Client:
    """Brokers on which a user may do everything; what else they answer is a test's."""

    def __init__(self, **answers):
        self.answers, self.is_closed = answers, False

    async def bootstrap(self):
        pass

    async def close(self):
        self.is_closed = True

    def get_random_node(self):
        return 1

    async def coordinator_lookup(self, kind, name):
        if name == GROUP.name and (error := self.answers.get("lookup")):
            raise error
        return 2

    async def send(self, node, request):
        if isinstance(request, Metadata):
            return self._metadata(request)
        if isinstance(request, DescribeGroups):
            assert node == 2
            error, bits = self.answers.get("group", (0, ALL)) if request._group == GROUP.name else (0, ALL)
            assert request._group in {GROUP.name, "t.smsbus-forward-rights-check"}, "a prefix alone is no group"
            return SimpleNamespace(groups=[(error, request._group, "Dead", "", "", [], bits)])
        if isinstance(request, InitProducerIdRequest):
            return SimpleNamespace(error_code=self.answers.get("cluster", 0))
        assert isinstance(request, EndTxnRequest)
        return SimpleNamespace(error_code=self.answers.get("transactions", INVALID_PRODUCER_ID_MAPPING))

    def _metadata(self, request):
        if self.answers.get("is_old"):
            raise IncompatibleBrokerVersion
        topics = [(self.answers.get("hidden", 0), name, False, [], ALL) for name in request._topics]
        return SimpleNamespace(topics=topics)


async def lacks(monkeypatch, **answers):
    client = Client(**answers)
    monkeypatch.setattr(granted, "AIOKafkaClient", lambda **_: client)

    found = await missing(KAFKA, NEEDED)

    assert client.is_closed
    return [(right.resource, right.name, right.operations) for right in found]


@pytest.mark.parametrize(
    "answers",
    [
        {},
        {"is_old": True},
        {"hidden": 29},
        {"group": (0, UNKNOWN)},
        {"group": (16, UNKNOWN)},
        {"lookup": GroupCoordinatorNotAvailableError()},
    ],
    ids=["all", "old", "hidden topics", "unknown", "moved group", "fresh cluster"],
)
async def test_only_what_is_refused_is_missing(monkeypatch, answers):
    assert await lacks(monkeypatch, **answers) == []


@pytest.mark.parametrize(
    "answers",
    [{"group": (30, UNKNOWN)}, {"group": (0, 1 << 8)}, {"lookup": GroupAuthorizationFailedError()}],
    ids=["refused", "described only", "not even shown"],
)
async def test_a_group_that_may_not_be_read_is_named(monkeypatch, answers):
    assert await lacks(monkeypatch, **answers) == [(*GROUP, ("Read",))]


async def test_idempotent_writes_that_are_refused_are_named(monkeypatch):
    assert await lacks(monkeypatch, cluster=31) == [(*CLUSTER, ("IdempotentWrite",))]


async def test_transactions_that_may_not_be_written_are_named(monkeypatch):
    assert await lacks(monkeypatch, transactions=53) == [(*TRANSACTIONS, ("Write", "Describe"))]


async def test_brokers_that_go_away_meanwhile_are_away(monkeypatch):
    with pytest.raises(KafkaAway):
        await lacks(monkeypatch, lookup=KafkaConnectionError())
