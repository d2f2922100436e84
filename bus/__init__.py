"""Make a message durable, then publish it: the only package that uses Kafka and the journal.

The entry point is `accept` (see `bus.contract`). The path of a message:
`kafka_bus` (accept) → `lane` (one queue per partition) → `kafka.producer` (Kafka), or `journal.journal` (disk) first.

- `kafka/`     brokers, topics and rights, a reader, and the producer
- `journal/`   the files on disk: one SQLite database for each process, who holds it, and what is in it
- `sharding/`  who polls which watches, and the log of their states
"""
