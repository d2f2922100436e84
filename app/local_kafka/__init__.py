"""A real Apache Kafka on this machine from pip alone: a JDK as a wheel, jars pinned by sha256, KRaft.

For `smsbus kafka up`, `serve --local-kafka`, the demo and the tests; a container or a system Java is never needed.
"""

from app.local_kafka.cluster import Cluster, local_kafka
from app.local_kafka.errors import LocalKafkaError

__all__ = ["Cluster", "LocalKafkaError", "local_kafka"]
