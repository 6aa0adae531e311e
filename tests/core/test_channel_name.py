import pytest

from skubber.core.channel_name import ChannelKind, check_channel_name
from skubber.core.errors import InvalidRequestError

ALLOWED = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-=@,.;"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("orders", ChannelKind.PUBLIC),
        ("private", ChannelKind.PUBLIC),
        ("privateer-x", ChannelKind.PUBLIC),
        ("presence", ChannelKind.PUBLIC),
        ("Private-x", ChannelKind.PUBLIC),
        ("x-private-x", ChannelKind.PUBLIC),
        ("cached-x", ChannelKind.PUBLIC),
        ("#x", ChannelKind.PUBLIC),
        ("", ChannelKind.PUBLIC),
        ("private-", ChannelKind.PRIVATE),
        ("private-x", ChannelKind.PRIVATE),
        ("private-presence-x", ChannelKind.PRIVATE),
        ("private-encrypted", ChannelKind.PRIVATE),
        ("private-cached-x", ChannelKind.PRIVATE),
        ("private-encrypted-x", ChannelKind.ENCRYPTED),
        ("private-encrypted-cache-x", ChannelKind.ENCRYPTED_CACHE),
        ("private-cache-x", ChannelKind.PRIVATE_CACHE),
        ("private-cache-encrypted-x", ChannelKind.PRIVATE_CACHE),
        ("presence-x", ChannelKind.PRESENCE),
        ("presence-cache-x", ChannelKind.PRESENCE_CACHE),
        ("cache-x", ChannelKind.CACHE),
        ("cache-private-x", ChannelKind.CACHE),
        ("#server-to-user-7", ChannelKind.SERVER_TO_USER),
        ("#watchlist-7", ChannelKind.WATCHLIST),
        ("server-to-user-7", ChannelKind.PUBLIC),
    ],
)
def test_the_prefix_tells_the_kind(name: str, kind: ChannelKind) -> None:
    assert ChannelKind.of(name) is kind


@pytest.mark.parametrize(
    ("kind", "is_private", "is_presence", "is_encrypted", "is_cache", "takes_client_events"),
    [
        (ChannelKind.PUBLIC, False, False, False, False, False),
        (ChannelKind.CACHE, False, False, False, True, False),
        (ChannelKind.PRIVATE, True, False, False, False, True),
        (ChannelKind.PRIVATE_CACHE, True, False, False, True, True),
        (ChannelKind.ENCRYPTED, True, False, True, False, False),
        (ChannelKind.ENCRYPTED_CACHE, True, False, True, True, False),
        (ChannelKind.PRESENCE, True, True, False, False, True),
        (ChannelKind.PRESENCE_CACHE, True, True, False, True, True),
        (ChannelKind.SERVER_TO_USER, True, False, False, False, False),
        (ChannelKind.WATCHLIST, True, False, False, False, False),
    ],
)
def test_each_kind_has_its_properties(
    kind: ChannelKind,
    is_private: bool,
    is_presence: bool,
    is_encrypted: bool,
    is_cache: bool,
    takes_client_events: bool,
) -> None:
    assert kind.is_private == is_private
    assert kind.is_presence == is_presence
    assert kind.is_encrypted == is_encrypted
    assert kind.is_cache == is_cache
    assert kind.takes_client_events == takes_client_events


def test_members_stand_for_a_count_and_what_comes_with_a_sign_in_has_none() -> None:
    assert {kind for kind in ChannelKind if kind.comes_with_sign_in} == {
        ChannelKind.SERVER_TO_USER,
        ChannelKind.WATCHLIST,
    }
    assert {kind for kind in ChannelKind if not kind.announces_count} == {
        ChannelKind.PRESENCE,
        ChannelKind.PRESENCE_CACHE,
        ChannelKind.SERVER_TO_USER,
        ChannelKind.WATCHLIST,
    }


def test_every_kind_is_told_apart_from_every_other() -> None:
    assert {ChannelKind.of(kind.prefix + "x") for kind in ChannelKind} == set(ChannelKind)


@pytest.mark.parametrize(
    "name",
    [
        "a",
        "a" * 200,
        "private-x",
        "presence-cache-x",
        "-",
        "orders.42;x=1,y@z_",
        "#server-to-user-42",
        "#server-to-user-user with spaces, ünd so weiter",
        "#server-to-user-#",
        *ALLOWED,
    ],
)
def test_a_valid_name_is_accepted(name: str) -> None:
    check_channel_name(name, 200)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "two words",
        "trailing\n",
        "\nleading",
        "trailing ",
        "nul\0",
        "sl/ash",
        "ünicode",
        "emoji😀",
        "surrogate\udcff",
        "question?",
        "per%cent",
        "col:on",
        "#x",
        "#server-to-user",
        "#server-to-user-",
        "#server-to-user-x\n",
        "#server-to-user-x\x00",
        "#server-to-user-\ud800",
        "x#server-to-user-7",
        "١٢٣",
    ],
)
def test_an_invalid_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequestError) as error:
        check_channel_name(name, 200)
    assert error.value.code == "invalid_channel_name"
    assert error.value.message.isprintable()


def test_every_ascii_character_not_allowed_is_refused() -> None:
    for character in set(map(chr, range(128))) - set(ALLOWED):
        with pytest.raises(InvalidRequestError):
            check_channel_name(f"a{character}b", 200)


@pytest.mark.parametrize("name", ["a" * 201, "private-" + "a" * 193, "#server-to-user-" + "7" * 185])
def test_a_name_longer_than_the_limit_is_refused_and_told_both_lengths(name: str) -> None:
    with pytest.raises(InvalidRequestError, match="at most 200 characters; this one has 201"):
        check_channel_name(name, 200)


def test_the_limit_is_the_apps_own() -> None:
    check_channel_name("abc", 3)
    with pytest.raises(InvalidRequestError, match="at most 3"):
        check_channel_name("abcd", 3)
