"""Signatures: Pusher's documented examples, and its official Python SDK as the other party."""

import json
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pusher import Pusher
from pusher.http import Request, make_query_string
from pusher.signature import sign as sdk_sign

from skubber.codecs import signing

# The examples of Pusher's "Library auth reference" share these.
KEY, SECRET = "278d425bdf160c739803", "7ad3773142a6692b25b8"
SDK = Pusher(app_id="3", key=KEY, secret=SECRET)

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
# The SDK lists parameters by name; two that differ in case only would sort by chance.
NAMES = st.from_regex(r"[a-z_0-9\[\]]{1,12}", fullmatch=True).filter(lambda name: name != "auth_signature")


def test_the_documented_publish_has_the_documented_signature() -> None:
    body = rb'{"name":"foo","channels":["project-3"],"data":"{\"some\":\"data\"}"}'
    assert signing.body_md5(body) == "ec365a775a4cd0599faeb73354201b6f"
    parameters = [
        ("auth_key", KEY),
        ("auth_timestamp", "1353088179"),
        ("auth_version", "1.0"),
        ("body_md5", "ec365a775a4cd0599faeb73354201b6f"),
        ("auth_signature", "is not signed itself"),
    ]
    text = signing.request_text("POST", "/apps/3/events", parameters)
    assert text == (
        b"POST\n/apps/3/events\nauth_key=278d425bdf160c739803&auth_timestamp=1353088179&auth_version=1.0"
        b"&body_md5=ec365a775a4cd0599faeb73354201b6f"
    )
    assert signing.sign(SECRET, text) == "da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c"


def test_the_documented_private_channel_has_the_documented_signature() -> None:
    text = signing.channel_text("1234.1234", "private-foobar")
    assert text == b"1234.1234:private-foobar"
    assert signing.sign(SECRET, text) == "58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4"


@pytest.mark.parametrize(
    ("name", "signature"),
    [
        # The documentation's example, before and after Pusher renamed its product.
        ("Mr. Channels", "31935e7d86dba64c2a90aed31fdc61869f9b22ba9d8863bba239c03ca481bc80"),
        ("Mr. Pusher", "afaed3695da2ffd16931f457e338e6c9f2921fa133ce7dac49f529792be6304c"),
    ],
)
def test_the_documented_presence_channel_has_the_documented_signature(name: str, signature: str) -> None:
    channel_data = json.dumps({"user_id": 10, "user_info": {"name": name}}, separators=(",", ":"))
    text = signing.channel_text("1234.1234", "presence-foobar", channel_data)
    assert signing.sign(SECRET, text) == signature


def test_the_sdk_signs_a_presence_channel_the_same_way() -> None:
    answer = SDK.authenticate("presence-foobar", "1234.1234", {"user_id": 10, "user_info": {"name": "Mün 𝄞"}})
    text = signing.channel_text("1234.1234", "presence-foobar", answer["channel_data"])
    assert answer["auth"] == f"{KEY}:{signing.sign(SECRET, text)}"


def test_empty_channel_data_is_signed_as_such_and_absent_data_not_at_all() -> None:
    assert signing.channel_text("1.2", "presence-x", "") == b"1.2:presence-x:"
    assert signing.channel_text("1.2", "presence-x") == b"1.2:presence-x"


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1), TEXT)
def test_any_text_is_signed_as_the_sdk_signs_it(secret: str, text: str) -> None:
    assert signing.sign(secret, text.encode()) == sdk_sign(secret, text)


@given(st.sampled_from(["GET", "POST"]), TEXT, st.dictionaries(NAMES, TEXT))
def test_any_parameters_are_put_together_as_the_sdk_does(method: str, path: str, parameters: dict[str, str]) -> None:
    expected = f"{method}\n{path}\n{make_query_string(parameters)}"
    assert signing.request_text(method, path, parameters.items()) == expected.encode()
    backwards = reversed([*parameters.items(), ("auth_signature", "x")])
    assert signing.request_text(method, path, backwards) == expected.encode()


@given(st.dictionaries(NAMES, TEXT))
def test_what_the_sdk_sends_verifies_after_the_way_through_a_url(parameters: dict[str, str]) -> None:
    request = Request(SDK._pusher_client, "GET", "/apps/3/channels", dict(parameters))
    received = parse_qsl(urlencode(request.query_params), keep_blank_values=True)
    signature = signing.sign(SECRET, signing.request_text("GET", "/apps/3/channels", received))
    assert signing.matches(signature, request.query_params["auth_signature"])


@given(st.dictionaries(NAMES, TEXT))
def test_a_body_has_the_md5_the_sdk_gives_it(body: dict[str, str]) -> None:
    request = Request(SDK._pusher_client, "POST", "/apps/3/events", body)
    assert json.loads(request.body) == body
    assert signing.body_md5(request.body) == request.query_params["body_md5"]


def test_names_of_parameters_are_signed_in_lower_case() -> None:
    parameters = [("Auth_Key", "K"), ("B", "Value"), ("a", "1")]
    assert signing.request_text("GET", "/", parameters) == b"GET\n/\na=1&auth_key=K&b=Value"


def test_an_array_is_signed_in_the_order_it_was_sent() -> None:
    parameters = [("channels[]", "b"), ("channels[]", "a"), ("a", "1")]
    assert signing.request_text("GET", "/", parameters) == b"GET\n/\na=1&channels[]=b&channels[]=a"


@pytest.mark.parametrize("given", ["", "abc", "ABCD", "abcd ", "äbcd", "\udcff", "abcd\0"])
def test_only_the_same_text_matches(given: str) -> None:
    assert signing.matches("abcd", "abcd")
    assert not signing.matches("abcd", given)


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters()))
def test_comparing_any_texts_tells_whether_they_are_the_same_and_never_raises(expected: str, given: str) -> None:
    assert signing.matches(expected, given) == (expected == given)


@given(st.text(st.characters()), st.lists(st.tuples(st.text(st.characters()), st.text(st.characters()))))
def test_any_request_can_be_signed_for(path: str, parameters: list[tuple[str, str]]) -> None:
    assert len(signing.sign(SECRET, signing.request_text("GET", path, parameters))) == 64
    assert len(signing.sign(SECRET, signing.channel_text(path, path, path))) == 64
