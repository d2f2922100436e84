"""Hours and days of the receiver and of the bus below it, in virtual time, decided by one seed.

What runs is the program's own: connections, both lanes, allowances, reload, bus, lanes, producer guard, claims, and
journals in files. What it runs on is ours: bytes that go to and fro without sockets (`wire`), a Kafka behind the
guard's producer, a journal's thread that works while the clock stands still (`edges`). Clock, loops, processes and
Kafka are those of the pollers' simulation. The auditor shares no code with what it audits: it knows what senders were
answered, and reads topics and files.
"""
