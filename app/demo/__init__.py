"""`smsbus demo`: the service on a local Kafka with simulated providers, and a reconciliation at the end."""
