"""What changes while a node enters again what it has."""

from skubber.core.broker import Upheaval


class Changes:
    """Gathers what is reported step by step, so that back ends are told of the outcome alone.

    What a node has is there twice for a while, under its new id and under the former one. And what it had entered
    again may have to be taken back right away.
    """

    def __init__(self) -> None:
        self._upheavals: dict[str, Upheaval] = {}
        self._former_counts: dict[tuple[str, str], int] = {}

    def had(self, app_id: str, channel: str, count: int) -> None:
        """Note how many subscriptions a channel had before the first step."""
        self._former_counts.setdefault((app_id, channel), count)

    def note(self, app_id: str, upheaval: Upheaval) -> None:
        """Note what changed in one step. Takes what ``Report`` takes."""
        so_far = self._upheavals.setdefault(app_id, Upheaval())
        so_far.counts.update(upheaval.counts)
        so_far.occupied.extend(upheaval.occupied)
        so_far.arrived.extend(upheaval.arrived)
        for departed in upheaval.departed:
            if departed in so_far.arrived:
                so_far.arrived.remove(departed)
            else:
                so_far.departed.append(departed)

    def outcome(self) -> list[tuple[str, Upheaval]]:
        """What is different now from what it was before, by app."""
        return [(app_id, self._without_what_is_as_before(app_id, each)) for app_id, each in self._upheavals.items()]

    def _without_what_is_as_before(self, app_id: str, upheaval: Upheaval) -> Upheaval:
        counts = {
            channel: count
            for channel, count in upheaval.counts.items()
            if count != self._former_counts.get((app_id, channel))
        }
        occupied = [channel for channel in upheaval.occupied if channel in counts]
        return Upheaval(counts, occupied, upheaval.arrived, upheaval.departed)
