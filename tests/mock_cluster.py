"""librdkafka's mock cluster, from the shared library inside the confluent-kafka wheel: brokers that fail on request.

For injected faults only: it has no sequence checks, topics exist once they are named, nothing is kept, and its record
batches carry a checksum that aiokafka refuses (consumers need `check_crcs=False`).
Functions and promises: rdkafka_mock.h of librdkafka.
"""

import ctypes
from importlib.metadata import distribution
from types import TracebackType
from typing import Self

# Kafka's protocol: https://kafka.apache.org/protocol#protocol_api_keys and #protocol_error_codes
PRODUCE, METADATA, INIT_PRODUCER_ID = 0, 3, 22
LEADER_NOT_AVAILABLE, NOT_LEADER_OR_FOLLOWER, REQUEST_TIMED_OUT = 5, 6, 7
NOT_ENOUGH_REPLICAS, OUT_OF_ORDER_SEQUENCE_NUMBER = 19, 45

_PRODUCER = 0  # rd_kafka_type_t
_NO_LEADER = -1


def _load() -> ctypes.CDLL:
    files = distribution("confluent-kafka").files or []
    library = ctypes.CDLL(str(next(file.locate() for file in files if file.name.startswith("librdkafka"))))
    for name in ("rd_kafka_conf_new", "rd_kafka_new", "rd_kafka_mock_cluster_new"):
        getattr(library, name).restype = ctypes.c_void_p
    library.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p
    return library


class MockCluster:
    """A cluster of mock brokers on loopback, broker ids 1, 2, …; runs until `close`."""

    def __init__(self, brokers: int = 1) -> None:
        self._library = _load()
        reason = ctypes.create_string_buffer(512)
        conf = ctypes.c_void_p(self._library.rd_kafka_conf_new())
        self._library.rd_kafka_conf_set(conf, b"log_level", b"0", reason, ctypes.c_size_t(len(reason)))
        handle = self._library.rd_kafka_new(_PRODUCER, conf, reason, ctypes.c_size_t(len(reason)))
        if not handle:
            raise RuntimeError(reason.value.decode())
        self._handle = ctypes.c_void_p(handle)
        self._cluster = ctypes.c_void_p(self._library.rd_kafka_mock_cluster_new(self._handle, brokers))
        self.bootstrap_servers: str = self._library.rd_kafka_mock_cluster_bootstraps(self._cluster).decode()

    def create_topic(self, name: str, partitions: int) -> None:
        """Make a topic whose partitions are led by the brokers in turn."""
        self._call("topic_create", name.encode(), partitions, 1)

    def push_errors(self, api_key: int, *codes: int) -> None:
        """Answer the next requests of this kind with these error codes, one each."""
        array = (ctypes.c_int * len(codes))(*codes)
        self._library.rd_kafka_mock_push_request_errors_array(
            self._cluster, ctypes.c_int16(api_key), ctypes.c_size_t(len(codes)), array
        )

    def push_rtts(self, broker: int, api_key: int, *milliseconds: int) -> None:
        """Let this broker answer its next requests of this kind that late.

        From then on `push_errors` of this kind does not reach it: librdkafka looks at the broker's own list only.
        """
        pairs = [value for late in milliseconds for value in (ctypes.c_int(0), ctypes.c_int(late))]
        self._call(
            "broker_push_request_error_rtts",
            ctypes.c_int32(broker), ctypes.c_int16(api_key), ctypes.c_size_t(len(milliseconds)), *pairs,
        )  # fmt: skip

    def topic_error(self, name: str, code: int) -> None:
        """Answer this for the topic, in metadata and to everything else; 0: no longer."""
        self._library.rd_kafka_mock_topic_set_error(self._cluster, name.encode(), ctypes.c_int(code))

    def broker_down(self, broker: int) -> None:
        """Close this broker's connections and refuse new ones."""
        self._call("broker_set_down", ctypes.c_int32(broker))

    def broker_up(self, broker: int) -> None:
        """Undo `broker_down`."""
        self._call("broker_set_up", ctypes.c_int32(broker))

    def lose_leader(self, topic: str, partition: int) -> None:
        """Leave this partition without a leader."""
        self._call("partition_set_leader", topic.encode(), ctypes.c_int32(partition), ctypes.c_int32(_NO_LEADER))

    def close(self) -> None:
        """End all brokers."""
        self._library.rd_kafka_mock_cluster_destroy(self._cluster)
        self._library.rd_kafka_destroy(self._handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _call(self, function: str, *arguments: object) -> None:
        """Call one that returns an rd_kafka_resp_err_t."""
        if code := getattr(self._library, f"rd_kafka_mock_{function}")(self._cluster, *arguments):
            raise RuntimeError(f"rd_kafka_mock_{function}: librdkafka's error {code}")
