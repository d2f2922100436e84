"""What the log itself cannot say: how many of its lines nobody took."""

import logging
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from app.logs import LineHandler


class LogMetrics(Collector):
    """Counts for this process, since its log was configured."""

    def collect(self) -> Iterator[Metric]:
        """Yield how many lines were dropped."""
        handlers = [each for each in logging.getLogger().handlers if isinstance(each, LineHandler)]
        family = CounterMetricFamily("smsbus_log_lines_dropped", "Log lines that nobody took")
        family.add_metric([], sum(each.dropped for each in handlers))
        yield family
