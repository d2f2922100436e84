"""`smsbus serve --workers N`: the receiver on more than one core.

A supervisor without a receiver and without Kafka runs N receiver processes and one for the pollers. The receivers share
the public port, and the kernel distributes the connections; each child has its own journal, its own ledger, and its own
admin listener on loopback, which the supervisor's listener combines.
"""
