from hypothesis import given
from hypothesis import strategies as st

from skubber.load.tasks import Channels


@given(st.integers(1, 30), st.integers(1, 30))
def test_every_channel_has_publishers_each_with_a_lane_of_its_own(count: int, publishers: int) -> None:
    channels = Channels("run", count, publishers)
    taken = [
        (channel, channels.lane(publisher))
        for publisher in range(publishers)
        for channel in channels.of_publisher(publisher)
    ]
    assert len(set(taken)) == len(taken)
    assert {channel for channel, _ in taken} == set(range(count))
    assert max(lane for _, lane in taken) == channels.lanes - 1
