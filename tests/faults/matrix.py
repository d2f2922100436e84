"""All cases by name: a new one is a function in `cases/` and a line here."""

from collections.abc import Mapping

from tests.faults.cases import (
    brokers,
    crashes,
    damage,
    deploy,
    disk,
    forwards,
    kafka_as_run,
    machine,
    malice,
    network,
    refusals,
    rights,
    storms,
)
from tests.faults.stage import Case

_providers_away, _disk_full = network.ProvidersAway(), machine.DiskFull()
_brokers_moved, _deployed, _full_and_slow = kafka_as_run.BrokersMoved(), deploy.Deployed(), disk.FullAndSlow()
_rights_taken = rights.RightsTaken()

CASES: Mapping[str, Case] = {
    "receiver_killed": Case(crashes.receiver_killed, accepted=6_000),
    "poller_killed": Case(crashes.poller_killed, accepted=8_000),
    "both_killed": Case(crashes.both_killed, accepted=6_000),
    "receiver_paused": Case(crashes.receiver_paused, accepted=2_500),
    "poller_paused": Case(crashes.poller_paused, accepted=3_000),
    "sigterm_under_load": Case(crashes.sigterm_under_load, accepted=4_000),
    "broker_killed": Case(brokers.broker_killed, accepted=6_000),
    "controller_killed": Case(brokers.controller_killed, accepted=6_000),
    "two_brokers_killed": Case(brokers.two_brokers_killed, accepted=6_000),
    "all_brokers_killed": Case(brokers.all_brokers_killed, accepted=6_000),
    "rolling_restart": Case(brokers.rolling_restart, accepted=3_000),
    "broker_hangs": Case(brokers.broker_hangs, accepted=6_000),
    "kafka_away": Case(brokers.kafka_away, accepted=40_000, prepare=brokers.outlasting_orders),
    "provider_storm": Case(storms.provider_storm, accepted=8_000),
    "callback_burst": Case(storms.callback_burst, accepted=10_000, rate=120.0),
    "slow_clients": Case(storms.slow_clients, accepted=4_000, prepare=storms.give_usual_files),
    "rebalance_storm": Case(storms.rebalance_storm, accepted=8_000),
    "topic_deleted": Case(refusals.topic_deleted, accepted=4_000),
    "topic_read_only": Case(refusals.topic_read_only, accepted=4_000),
    "record_refused": Case(refusals.record_refused, accepted=4_000),
    "wrong_key": Case(refusals.wrong_key, accepted=8_000),
    "broker_slow": Case(network.broker_slow, accepted=6_000, proxied=True),
    "broker_half_open": Case(network.broker_half_open, accepted=6_000, proxied=True),
    "broker_deaf": Case(network.broker_deaf, accepted=4_000, proxied=True),
    "broker_resets": Case(network.broker_resets, accepted=6_000, proxied=True),
    "providers_away": Case(_providers_away.run, accepted=6_000, prepare=_providers_away.prepare),
    "fsync_errors": Case(machine.fsync_errors, accepted=3_000, proxied=True),
    "fsync_stalls": Case(machine.fsync_stalls, accepted=2_000, proxied=True),
    "clock_steps": Case(machine.clock_steps, accepted=6_000, prepare=machine.under_a_clock),
    "disk_full": Case(_disk_full.run, accepted=2_000, proxied=True, prepare=_disk_full.prepare),
    "journal_damaged": Case(damage.journal_damaged, accepted=2_000, proxied=True),
    "brokers_moved": Case(_brokers_moved.run, accepted=8_000, proxied=True, prepare=_brokers_moved.prepare),
    "tls": Case(kafka_as_run.tls, accepted=8_000, secure=True),
    "tls_brokers_killed": Case(brokers.all_brokers_killed, accepted=6_000, secure=True),
    "tls_rotation": Case(kafka_as_run.tls_rotation, accepted=8_000, secure=True),
    "rights_taken": Case(_rights_taken.run, accepted=8_000, secure=True, prepare=_rights_taken.prepare),
    "journal_read_fails": Case(disk.journal_read_fails, accepted=6_000, proxied=True),
    "index_flipped": Case(disk.index_flipped, accepted=1_000, proxied=True),
    "full_and_slow": Case(_full_and_slow.run, accepted=3_000, proxied=True, prepare=_full_and_slow.prepare),
    "files_used_up": Case(disk.files_used_up, accepted=4_000, proxied=True, prepare=disk.look_often),
    "deployed": Case(_deployed.run, accepted=10_000, pollers=0, rate=500.0, prepare=_deployed.prepare),
    "forward_target_down": Case(forwards.forward_target_down, accepted=6_000, pollers=0),
    "forward_target_slow": Case(forwards.forward_target_slow, accepted=6_000, pollers=0),
    "forward_target_fails": Case(forwards.forward_target_fails, accepted=6_000, pollers=0),
    "forward_killed": Case(forwards.forward_killed, accepted=6_000, pollers=0),
    "leaked_url": Case(
        malice.leaked_url, accepted=15_000, receivers=1, pollers=0, rate=50.0, prepare=malice.second_account
    ),
}

NOT_YET: Mapping[str, str] = {}
"""Why docs/fault-testing.md does not show a case. Once both files of docs/proof/ have its rows, its line here goes."""

PROVEN = [case for case in CASES if case not in NOT_YET]
"""What docs/fault-testing.md shows."""
