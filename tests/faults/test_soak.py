"""What a soak says of what grows, in each of its forms."""

from tests.faults.soak_plot import plot
from tests.faults.soak_report import Band, Report
from tests.faults.trend import Measure, Series

MEMORY, DELAY = Measure("memory", "MiB", 8), Measure("delay", "ms", None)
LEAKS = {"steady": [(i, 70.0) for i in range(100)], "leaks": [(i, 70.0 + i) for i in range(100)]}
KILLED = {"killed": [(i, 70.0 + i) for i in range(30)]}
SERIES = [Series(MEMORY, LEAKS | KILLED), Series(DELAY, LEAKS)]


def test_only_what_is_judged_and_lived_all_the_time_grows():
    report = Report(100, SERIES, [])

    assert report.growing == ["memory of leaks"]
    assert [line.split()[-1] for line in report.table().splitlines()[1:]] == ["trend", "GROWS"]
    assert [each["grows"] for each in report.results()["trends"]] == [False, True]


def test_the_picture_is_drawn(tmp_path):
    plot(Report(100, SERIES, [Band("a fault", 10, 20)]), tmp_path / "soak.png")

    assert (tmp_path / "soak.png").read_bytes().startswith(b"\x89PNG")
