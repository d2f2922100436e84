"""The fault matrix: real parts under load, one fault at a time, and the promise checked from what the outside sees.

`python -m tests.faults` (`make faults`) runs it. `stage.py` has the parts, `load.py` what they are loaded with,
`cases/` the faults, `matrix.py` all of them by name, `run.py` one case from its start to its row, `history.py` what was
seen, `rules.py` what was promised, `figures.py` the table. Imports nothing of ours but the local Kafka.
"""
