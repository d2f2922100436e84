"""Polls SMSVerified, GrizzlySMS and SMS-Man. The SMS of their orders become the same events as callbacks do.

One poll: wait (`scheduling.scheduler`) → fetch and parse (`providers`) → advance (`tracking.advance`) →
accept (the bus) → commit (`shard_states`) → act (`shard_actions`). `shard` keeps their order.
"""
