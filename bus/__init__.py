"""Make a message durable, then publish it: the only package that knows Kafka and the journal.

The one entry is `accept` (see `bus.contract`). The way of a message through here:
`kafka_bus` (accept) → `lane` (one queue a partition) → `kafka.producer` (Kafka), or `journal.store` (disk) before it.

- `kafka/`     brokers, topics and rights, a reader, and the producer
- `journal/`   the files on disk: one SQLite database a process, who holds it, and what is in it
- `sharding/`  who polls which watches, and the log of their states
"""
