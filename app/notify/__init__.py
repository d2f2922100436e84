"""Tell people who run no Prometheus: a notification of each lasting problem, and a heartbeat while there is none."""
