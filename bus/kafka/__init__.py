"""Kafka: brokers, topics and rights, reading, and a producer that survives what brokers do."""
