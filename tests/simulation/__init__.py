"""Hours and days of the pollers in virtual time, decided by one seed.

What runs is the program's own: scheduler, throttle, shards, accounts, clients, `advance`. What it runs on is ours: a
clock that jumps to the next thing that happens, an event loop for each replica (`loop`), a Kafka in memory whose twins
of state log, group, writer and bus pass the suite that the real ones pass on a broker (`kafka`, `group`, `twins`), and
the sandbox's providers behind the fetcher (`providers`). The auditor (`audit`) shares no code with what it audits. The
models are TigerBeetle's VOPR and FoundationDB's simulation.
"""
