"""The faults, by theme. A case is `async def case(stage: Stage) -> None`: it injects, and says what the fault met."""
