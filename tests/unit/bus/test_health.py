from structlog.testing import capture_logs

from bus.health import Alarm


def test_an_alarm_is_logged_when_it_begins_and_ends_and_its_end_has_its_name():
    alarm = Alarm("kafka_away")

    with capture_logs() as said:
        for _ in range(2):
            alarm.begin(error="silent")
        for _ in range(2):
            alarm.end(lasted=7)

    assert said == [
        {"event": "kafka_away", "error": "silent", "log_level": "error"},
        {"event": "kafka_away_no_more", "lasted": 7, "log_level": "info"},
    ]
