"""What a node is told."""

from pathlib import Path

from app.local_kafka.config import ClientPorts, Ports, server_properties

CLUSTER = (Ports(1001, 2001), Ports(1002, 2002), Ports(1003, 2003))


def told(client: ClientPorts | None = None) -> dict[str, str]:
    lines = server_properties(2, CLUSTER, Path("there"), client).splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_a_node_listens_on_its_own_two_ports_and_votes_with_all() -> None:
    properties = told()

    assert properties["listeners"] == "PLAINTEXT://127.0.0.1:1002,CONTROLLER://127.0.0.1:2002"
    assert properties["controller.quorum.voters"] == "1@127.0.0.1:2001,2@127.0.0.1:2002,3@127.0.0.1:2003"
    assert "advertised.listeners" not in properties


def test_a_third_listener_sends_its_clients_elsewhere_and_the_nodes_to_each_other() -> None:
    properties = told(ClientPorts(listens=3002, advertised=4002))

    assert properties["listeners"].split(",")[2:] == ["CLIENT://127.0.0.1:3002"]
    assert properties["advertised.listeners"] == "PLAINTEXT://127.0.0.1:1002,CLIENT://127.0.0.1:4002"
    assert properties["inter.broker.listener.name"] == "PLAINTEXT"


def test_more_settings_win_over_ours() -> None:
    lines = server_properties(1, CLUSTER, Path("there"), more={"group.initial.rebalance.delay.ms": 3}).splitlines()

    assert [line for line in lines if line.startswith("group.initial")] == ["group.initial.rebalance.delay.ms=3"]
