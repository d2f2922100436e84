"""Front door 2: we go and ask. Watches of SMSVerified, GrizzlySMS and SMS-Man become the same events as callbacks.

The way of one poll: wait (`scheduling.scheduler`) → fetch and parse (`providers`) → advance (`tracking.advance`) →
accept (the bus) → act (`shard`).
"""
