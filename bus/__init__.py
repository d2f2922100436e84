"""Make a message durable, then publish it: the only package that knows Kafka and the journal.

The one entry is `accept` (see `bus.contract`). The way of a message through here:
`bus.kafka` (accept) → `bus.lane` (one queue a partition) → `bus.producer` (Kafka), or `bus.journal` (disk) before it.
"""
