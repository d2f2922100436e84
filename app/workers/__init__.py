"""`smsbus serve --workers N`: the door on more than one core.

A supervisor without a door and without Kafka runs one child a door, and one for the pollers. The doors share the public
port, the kernel spreads the connections; each child has its own journal, its own ledger, and its own internal listener
on loopback, for which the supervisor's answers.
"""
