"""What all processes of the load have reported so far, added up."""

from collections import deque

from skubber.cli.bench.timeline import Timeline
from skubber.load.latencies import Latencies
from skubber.load.reports import INTERVAL, Report

_RECENT = 5
"""Reports of a process that say how it is just now: those of a second."""


class Account:
    """What one process has reported.

    Attributes:
        cpu: processor time it used while messages were published, seconds.
        last: its last report.
    """

    def __init__(self) -> None:
        self.cpu = 0.0
        self.last = Report(0)


class Tally:
    """Adds reports up.

    Attributes:
        is_publishing: whether messages are being published: processor time, and how late event loops are, count only
            then.
        answers: the publishers' latencies.
        deliveries: the subscribers'.
        timeline: the subscribers', in the course of time.
        delays: how late event loops were.
        connected: clients that have subscribed.
        cut: clients that were cut off.
        refused: publishes that were refused for the moment, by what the server said.
        publishers: the account of the process that publishes.
        subscribers: those of the processes that have the clients.
        error: why it cannot go on; the first of several.
    """

    def __init__(self) -> None:
        self.is_publishing = False
        self.answers = Latencies()
        self.deliveries = Latencies()
        self.timeline = Timeline(INTERVAL)
        self.delays = Latencies()
        self.connected = 0
        self.cut = 0
        self.refused: dict[str, int] = {}
        self.publishers = Account()
        self.subscribers: list[Account] = []
        self.error = ""
        self._recent: deque[Report] = deque()

    def take_publishers(self, report: Report) -> None:
        """Add a report of the process that publishes."""
        self._take(self.publishers, report)
        self.answers.add(report.latencies)
        for reason, count in report.refused.items():
            self.refused[reason] = self.refused.get(reason, 0) + count

    def take_subscribers(self, account: Account, report: Report) -> None:
        """Add a report of a process that has clients."""
        self._take(account, report)
        self.connected += report.connected
        self.cut += report.cut
        self.deliveries.add(report.latencies)
        if report.latencies:
            self.timeline.add(report.at, report.latencies)
        self._recent.append(report)
        while len(self._recent) > _RECENT * len(self.subscribers):
            self._recent.popleft()

    def recent(self) -> Latencies:
        """The deliveries of the last second."""
        recent = Latencies()
        for report in self._recent:
            recent.add(report.latencies)
        return recent

    def _take(self, account: Account, report: Report) -> None:
        # One that ended before its time has said what it had counted in the report before.
        account.last = report if report.at else account.last
        self.error = self.error or report.error
        if self.is_publishing:
            account.cpu += report.cpu
            self.delays.add(report.delays)
