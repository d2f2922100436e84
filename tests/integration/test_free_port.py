"""The ports of the tests' own programs."""

from tests.e2e.program import free_port


def test_a_run_of_hours_does_not_use_up_its_ports() -> None:
    ports = [free_port() for _ in range(1_000)]  # a process has 375

    assert all(len({*ports[at : at + 100]}) == 100 for at in range(900))
