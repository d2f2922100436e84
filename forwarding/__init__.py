"""Forwarding: every event as an HTTP request to a target, for people without Kafka clients.

At least once, and in order for each number. A consumer group's offsets are the only progress that is kept.
"""
