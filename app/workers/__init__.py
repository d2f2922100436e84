"""`smsbus serve --workers N`: the receiver on more than one core.

A supervisor without a receiver and without Kafka runs N receiver processes, one for the pollers and one for the inbox.
The receivers share the public port, and the kernel distributes the connections; each child but the inbox has its own
journal and its own ledger, and each has its own admin listener on loopback, which the supervisor's listener combines.
"""
