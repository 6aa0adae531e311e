from hypothesis import given
from hypothesis import strategies as st

from skubber.core.presence import PresenceMember, PresenceRoster

SOCKETS = st.sampled_from(["1.1", "1.2", "1.3", "1.4"])
USERS = st.sampled_from(["ada", "bob", "eve"])


def test_second_tab_is_not_a_second_member() -> None:
    roster = PresenceRoster()
    assert roster.join("1.1", PresenceMember("ada")) is True
    assert roster.join("1.2", PresenceMember("ada")) is False
    assert [member.user_id for member in roster.members()] == ["ada"]
    assert len(roster) == 1


def test_closing_one_of_two_tabs_removes_nobody() -> None:
    roster = PresenceRoster()
    roster.join("1.1", PresenceMember("ada"))
    roster.join("1.2", PresenceMember("ada"))
    assert roster.leave("1.1", "ada") is False
    assert "ada" in roster
    assert roster.leave("1.2", "ada") is True
    assert "ada" not in roster


def test_leaving_twice_is_leaving_once() -> None:
    roster = PresenceRoster()
    roster.join("1.1", PresenceMember("ada"))
    roster.join("1.2", PresenceMember("ada"))
    assert roster.leave("1.1", "ada") is False
    assert roster.leave("1.1", "ada") is False
    assert "ada" in roster


def test_a_connection_leaves_only_as_the_user_it_came_as() -> None:
    roster = PresenceRoster()
    roster.join("1.1", PresenceMember("ada"))
    assert roster.leave("1.1", "eve") is False
    assert "ada" in roster


def test_the_first_tabs_user_info_stands_until_the_user_has_left() -> None:
    roster = PresenceRoster()
    roster.join("1.1", PresenceMember("ada", b'"first"'))
    roster.join("1.2", PresenceMember("ada", b'"second"'))
    roster.leave("1.1", "ada")
    assert roster.members() == [PresenceMember("ada", b'"first"')]
    roster.leave("1.2", "ada")
    roster.join("1.3", PresenceMember("ada", b'"third"'))
    assert roster.members() == [PresenceMember("ada", b'"third"')]


def test_members_are_listed_in_order_of_arrival() -> None:
    roster = PresenceRoster()
    for number, user in enumerate(["eve", "ada", "bob", "eve"]):
        roster.join(f"1.{number}", PresenceMember(user))
    assert [member.user_id for member in roster.members()] == ["eve", "ada", "bob"]


def test_a_list_of_members_does_not_change_when_the_roster_does() -> None:
    roster = PresenceRoster()
    roster.join("1.1", PresenceMember("ada"))
    members = roster.members()
    roster.leave("1.1", "ada")
    assert members == [PresenceMember("ada")]


@given(st.lists(st.tuples(st.booleans(), SOCKETS, USERS), max_size=60))
def test_a_roster_does_what_a_plain_list_of_pairs_would(steps: list[tuple[bool, str, str]]) -> None:
    roster = PresenceRoster()
    present: list[tuple[str, str, bytes]] = []  # user, socket, user_info, in order of joining

    def users() -> list[str]:
        return list(dict.fromkeys(user for user, _, _ in present))

    for number, (joins, socket_id, user) in enumerate(steps):
        is_there = any((user, socket_id) == entry[:2] for entry in present)
        if joins:
            info = next((entry[2] for entry in present if entry[0] == user), b"%d" % number)
            assert roster.join(socket_id, PresenceMember(user, info)) == (user not in users())
            if not is_there:
                # A user stays where the first of its connections put it, even when that one has gone.
                last = max((place for place, entry in enumerate(present) if entry[0] == user), default=len(present))
                present.insert(last + 1, (user, socket_id, info))
        else:
            present = [entry for entry in present if entry[:2] != (user, socket_id)]
            assert roster.leave(socket_id, user) == (is_there and user not in users())
        infos = {user: info for user, _, info in present}
        assert roster.members() == [PresenceMember(user, infos[user]) for user in users()]
        assert len(roster) == len(users())
        assert all((user in roster) == (user in users()) for user in ("ada", "bob", "eve"))
