from hypothesis import given
from hypothesis import strategies as st

from brokers.clock import Clock
from skubber.brokers.expiring import ExpiringMap

LIFETIME = 10
KEYS = st.sampled_from("abcd")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), KEYS, st.integers(0, 99)),
        st.tuples(st.just("drop"), KEYS, st.just(0)),
        st.tuples(st.just("wait"), st.just(""), st.integers(0, LIFETIME + 1)),
    )
)


@given(STEPS)
def test_a_value_is_there_for_its_lifetime_and_not_longer(steps: list[tuple[str, str, int]]) -> None:
    clock = Clock()
    entries: ExpiringMap[str, int] = ExpiringMap(clock, LIFETIME)
    model: dict[str, tuple[int, float]] = {}
    for step, key, number in steps:
        if step == "put":
            entries.put(key, number)
            model[key] = (number, clock.now + LIFETIME)
            # Something new came in: what has expired is gone.
            model = {name: entry for name, entry in model.items() if entry[1] > clock.now}
            assert len(entries) == len(model)
        elif step == "drop":
            entries.drop(key)
            model.pop(key, None)
        else:
            clock.now += number
        for name in "abcd":
            value, end = model.get(name, (0, 0.0))
            assert entries.get(name) == ((value, end - clock.now) if end > clock.now else None)


def test_a_value_put_again_lives_anew() -> None:
    clock = Clock()
    entries: ExpiringMap[str, int] = ExpiringMap(clock, LIFETIME)
    entries.put("a", 1)
    clock.now += LIFETIME - 1
    entries.put("a", 2)
    clock.now += LIFETIME - 1
    entries.put("b", 3)
    assert entries.get("a") == (2, 1)


def test_what_has_expired_takes_up_no_room_once_something_comes_in() -> None:
    clock = Clock()
    entries: ExpiringMap[int, bytes] = ExpiringMap(clock, LIFETIME)
    for number in range(1000):
        entries.put(number, b"value")
    clock.now += LIFETIME
    entries.put(1000, b"value")
    assert len(entries) == 1
