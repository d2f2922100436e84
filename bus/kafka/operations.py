"""The two requests that return what a user may do, in versions that aiokafka 0.14 does not have, or does not read."""

from aiokafka.protocol.admin import DescribeGroupsRequest_v3, DescribeGroupsResponse_v3
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Int16, Int32, Schema, String


class MetadataResponse(Response):  # type: ignore[misc] # aiokafka has no types
    """https://kafka.apache.org/protocol.html#The_Messages_Metadata."""

    API_KEY = 3
    API_VERSION = 8
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("brokers", Array(("node_id", Int32), ("host", String()), ("port", Int32), ("rack", String()))),
        ("cluster_id", String()),
        ("controller_id", Int32),
        (
            "topics",
            Array(
                ("error_code", Int16),
                ("topic", String()),
                ("is_internal", Boolean),
                (
                    "partitions",
                    Array(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", Array(Int32)),
                        ("isr", Array(Int32)),
                        ("offline_replicas", Array(Int32)),
                    ),
                ),
                ("topic_authorized_operations", Int32),
            ),
        ),
        ("cluster_authorized_operations", Int32),
    )


class MetadataRequest(RequestStruct):  # type: ignore[misc] # aiokafka has no types
    """Version 8: the first with the operations, and the last but one of the old encoding."""

    API_KEY = 3
    API_VERSION = 8
    RESPONSE_TYPE = MetadataResponse
    SCHEMA = Schema(
        ("topics", Array(String())),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
    )


class Metadata(Request[MetadataRequest]):  # type: ignore[misc] # aiokafka has no types
    """Asks about topics, and creates none. Raises what is in `CANNOT_ASK` of `bus.kafka.granted` for old brokers."""

    API_KEY = 3

    def __init__(self, topics: list[str]) -> None:
        self._topics = topics

    def build(self, request_struct_class: type[MetadataRequest]) -> MetadataRequest:
        """As aiokafka wants it."""
        return request_struct_class(self._topics, False, False, True)  # noqa: FBT003 - in the order of the schema


class DescribeGroupsRequest(DescribeGroupsRequest_v3):  # type: ignore[misc] # aiokafka has no types
    """aiokafka reads the response of this version as that of the one before, without the operations."""

    RESPONSE_TYPE = DescribeGroupsResponse_v3


class DescribeGroups(Request[DescribeGroupsRequest]):  # type: ignore[misc] # aiokafka has no types
    """Asks about one group."""

    API_KEY = 15

    def __init__(self, group: str) -> None:
        self._group = group

    def build(self, request_struct_class: type[DescribeGroupsRequest]) -> DescribeGroupsRequest:
        """As aiokafka wants it."""
        return request_struct_class([self._group], True)  # noqa: FBT003 - in the order of the schema
