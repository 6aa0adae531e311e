import json
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skubber.codecs import signing
from skubber.core.app import ApiKey, App
from support.api_client import NOW, ApiClient, Headers, key_headers, signed_query
from support.apps import (
    DISABLED_KEY,
    DISABLED_SECRET,
    KEY,
    OTHER_KEY,
    OTHER_SECRET,
    SECOND_KEY,
    SECOND_SECRET,
    SECRET,
)

PATH = "/apps/4711/channels"
EVENTS = "/apps/4711/events"
NOW_IN_OTHER_DIGITS = str(NOW).translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)})
BODY = json.dumps({"name": "e", "data": "d", "channel": "c"}).encode()


class TestPlainCredentials:
    @pytest.mark.parametrize(("key", "secret"), [(KEY, SECRET), (SECOND_KEY, SECOND_SECRET)])
    async def test_each_key_of_the_app_opens_it(self, client: ApiClient, key: str, secret: str) -> None:
        assert (await client.send("GET", PATH, headers=key_headers(key, secret))).status == 200
        query = f"apiKey={key}&apiSecret={secret}".encode()
        assert (await client.send("GET", PATH, query, [])).status == 200

    @pytest.mark.parametrize(
        ("key", "secret"),
        [
            (KEY, SECOND_SECRET),
            (KEY, ""),
            (KEY, SECRET[:-1]),
            (KEY, SECRET + " "),
            (KEY, SECRET.upper()),
            ("", SECRET),
            ("nobody's", SECRET),
            (KEY.upper(), SECRET),
            (OTHER_KEY, OTHER_SECRET),
            (DISABLED_KEY, DISABLED_SECRET),
            (KEY, "ünïcode"),
        ],
    )
    async def test_what_does_not_belong_together_or_here_is_refused(
        self, client: ApiClient, key: str, secret: str
    ) -> None:
        answer = await client.send("GET", PATH, headers=key_headers(key, secret))
        assert answer.error == (401, "invalid_credentials")

    @pytest.mark.parametrize(
        ("query", "headers"),
        [
            (b"", []),
            (b"apiKey=" + KEY.encode(), []),
            (b"apiSecret=" + SECRET.encode(), []),
            (b"", [(b"x-api-key", KEY.encode())]),
            (b"", [(b"x-api-secret", SECRET.encode())]),
            # Half in one place and half in the other is not a pair.
            (b"apiSecret=" + SECRET.encode(), [(b"x-api-key", KEY.encode())]),
            (b"apiKey=" + KEY.encode(), [(b"x-api-secret", SECRET.encode())]),
            (f"apiKey={KEY}&apiSecret={SECRET}".encode(), [(b"x-api-key", KEY.encode())]),
            (b"apikey=" + KEY.encode() + b"&apisecret=" + SECRET.encode(), []),
        ],
    )
    async def test_half_of_the_credentials_is_none(self, client: ApiClient, query: bytes, headers: Headers) -> None:
        assert (await client.send("GET", PATH, query, headers)).error == (401, "missing_credentials")

    async def test_headers_weigh_more_than_the_query(self, client: ApiClient) -> None:
        wrong = b"apiKey=nobody&apiSecret=nothing"
        assert (await client.send("GET", PATH, wrong, key_headers())).status == 200
        right = f"apiKey={KEY}&apiSecret={SECRET}".encode()
        assert (await client.send("GET", PATH, right, key_headers("nobody", "x"))).status == 401

    @pytest.mark.parametrize("value", [b"\xff\xfe", b"\xc3\xa9", b"\0"])
    async def test_bytes_that_are_no_text_are_just_wrong(self, client: ApiClient, value: bytes) -> None:
        headers = [(b"x-api-key", value), (b"x-api-secret", value)]
        assert (await client.send("GET", PATH, headers=headers)).error == (401, "invalid_credentials")
        headers = [(b"x-api-key", KEY.encode()), (b"x-api-secret", value)]
        assert (await client.send("GET", PATH, headers=headers)).error == (401, "invalid_credentials")

    async def test_keys_and_secrets_may_be_any_text(self) -> None:
        client = ApiClient(App.with_keys("4711", [ApiKey("kéy", "sécret: 😀")]))
        assert (await client.send("GET", PATH, headers=key_headers("kéy", "sécret: 😀"))).status == 200
        query = urlencode({"apiKey": "kéy", "apiSecret": "sécret: 😀"}).encode()
        assert (await client.send("GET", PATH, query, [])).status == 200
        assert (
            await client.send("GET", PATH, signed_query("GET", PATH, key="kéy", secret="sécret: 😀"), [])
        ).status == 200

    async def test_of_a_parameter_given_twice_the_first_counts(self, client: ApiClient) -> None:
        query = f"apiKey={KEY}&apiSecret={SECRET}&apiKey=nobody&apiSecret=nothing".encode()
        assert (await client.send("GET", PATH, query, [])).status == 200
        query = f"apiKey=nobody&apiSecret={SECRET}&apiKey={KEY}".encode()
        assert (await client.send("GET", PATH, query, [])).error == (401, "invalid_credentials")

    @pytest.mark.parametrize("key", [KEY, "nobody"])
    async def test_the_secret_is_compared_whether_the_key_exists_or_not(
        self, client: ApiClient, monkeypatch: pytest.MonkeyPatch, key: str
    ) -> None:
        compared: list[str] = []
        matches = signing.matches

        def recorded(expected: str, given: str) -> bool:
            compared.append(given)
            return matches(expected, given)

        monkeypatch.setattr(signing, "matches", recorded)
        answer = await client.send("GET", PATH, headers=key_headers(key, "wrong"))
        assert (answer.error, compared) == ((401, "invalid_credentials"), ["wrong"])

    async def test_the_empty_secret_of_a_key_that_does_not_exist_is_wrong(self, client: ApiClient) -> None:
        answer = await client.send("GET", PATH, headers=key_headers("nobody", ""))
        assert answer.error == (401, "invalid_credentials")

    async def test_an_answer_never_repeats_a_secret(self, client: ApiClient) -> None:
        answer = await client.send("GET", PATH, headers=key_headers("nobody", "hunter2"))
        assert "hunter2" not in json.dumps(answer.body)


class TestSignedRequests:
    async def test_a_signed_request_is_let_in(self, client: ApiClient) -> None:
        parameters = [("filter_by_prefix", "presence-"), ("info", "user_count")]
        assert (await client.send("GET", PATH, signed_query("GET", PATH, parameters=parameters), [])).status == 200
        assert (await client.send("POST", EVENTS, signed_query("POST", EVENTS, BODY), [], BODY)).status == 200

    async def test_the_documented_example_is_let_in(self) -> None:
        app = App.with_keys("3", [ApiKey("278d425bdf160c739803", "7ad3773142a6692b25b8")])
        query = (
            b"auth_key=278d425bdf160c739803&auth_timestamp=1353088179&auth_version=1.0"
            b"&body_md5=ec365a775a4cd0599faeb73354201b6f"
            b"&auth_signature=da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c"
        )
        body = rb'{"name":"foo","channels":["project-3"],"data":"{\"some\":\"data\"}"}'
        assert (await ApiClient(app).send("POST", "/apps/3/events", query, [], body)).status == 200

    @pytest.mark.parametrize(
        ("offset", "is_let_in"), [(0, True), (600, True), (-600, True), (601, False), (-601, False), (10**9, False)]
    )
    async def test_a_signature_holds_for_ten_minutes_either_way(
        self, client: ApiClient, offset: int, is_let_in: bool
    ) -> None:
        answer = await client.send("GET", PATH, signed_query("GET", PATH, timestamp=NOW + offset), [])
        assert answer.status == (200 if is_let_in else 401)
        if not is_let_in:
            assert answer.error == (401, "expired_signature")
            assert str(NOW) in answer.body["error"]

    @pytest.mark.parametrize(
        "timestamp", ["", "now", "-1", "1e9", f"{NOW}.0", f" {NOW}", "9" * 400, NOW_IN_OTHER_DIGITS]
    )
    async def test_a_timestamp_is_a_whole_number_of_seconds(self, client: ApiClient, timestamp: str) -> None:
        answer = await client.send("GET", PATH, signed_query("GET", PATH, timestamp=timestamp), [])
        assert answer.error == (401, "expired_signature")

    @pytest.mark.parametrize(
        "query",
        [
            signed_query("GET", PATH, secret="wrong"),
            signed_query("POST", PATH),
            signed_query("GET", "/apps/4711/channels/c"),
            signed_query("GET", PATH) + b"&info=subscription_count",
            signed_query("GET", PATH).replace(b"auth_timestamp=13", b"auth_timestamp=23"),
            signed_query("GET", PATH, parameters=[("info", "a")]).replace(b"info=a", b"info=b"),
            signed_query("GET", PATH).partition(b"&auth_signature=")[0],
            signed_query("GET", PATH).partition(b"&auth_signature=")[0] + b"&auth_signature=",
            signed_query("GET", PATH).partition(b"&auth_signature=")[0] + b"&auth_signature=%C3%A9",
            signed_query("GET", PATH) + b"&auth_key=" + KEY.encode(),
        ],
    )
    async def test_what_was_tampered_with_is_refused(self, client: ApiClient, query: bytes) -> None:
        assert (await client.send("GET", PATH, query, [])).error == (401, "invalid_signature")

    async def test_the_signature_is_hex_in_lower_case(self, client: ApiClient) -> None:
        head, _, signature = signed_query("GET", PATH).partition(b"auth_signature=")
        answer = await client.send("GET", PATH, head + b"auth_signature=" + signature.upper(), [])
        assert answer.error == (401, "invalid_signature")

    @pytest.mark.parametrize("version", [b"", b"1", b"1.1", b"2.0"])
    async def test_only_version_one_is_known(self, client: ApiClient, version: bytes) -> None:
        query = signed_query("GET", PATH).replace(b"auth_version=1.0", b"auth_version=" + version)
        assert (await client.send("GET", PATH, query, [])).error == (401, "invalid_signature")

    @pytest.mark.parametrize(
        ("key", "secret"), [(OTHER_KEY, OTHER_SECRET), (OTHER_KEY, SECRET), ("nobody", SECRET), ("", SECRET)]
    )
    async def test_another_apps_key_is_refused_whatever_it_signs(
        self, client: ApiClient, key: str, secret: str
    ) -> None:
        query = signed_query("GET", PATH, key=key, secret=secret)
        assert (await client.send("GET", PATH, query, [])).error == (401, "invalid_credentials")

    async def test_a_signature_of_one_key_does_not_open_for_another(self, client: ApiClient) -> None:
        query = signed_query("GET", PATH, key=KEY, secret=SECOND_SECRET)
        assert (await client.send("GET", PATH, query, [])).error == (401, "invalid_signature")

    async def test_a_body_must_be_the_one_that_was_signed(self, client: ApiClient) -> None:
        query = signed_query("POST", EVENTS, BODY)
        answer = await client.send("POST", EVENTS, query, [], BODY.replace(b'"d"', b'"x"'))
        assert answer.error == (401, "body_mismatch")

    async def test_a_body_without_its_md5_is_refused(self, client: ApiClient) -> None:
        answer = await client.send("POST", EVENTS, signed_query("POST", EVENTS), [], BODY)
        assert answer.error == (401, "body_mismatch")

    @pytest.mark.parametrize("body_md5", ["", "0" * 32, "D41D8CD98F00B204E9800998ECF8427E", "é"])
    async def test_the_md5_is_that_of_the_body_in_lower_case(self, client: ApiClient, body_md5: str) -> None:
        query = signed_query("POST", EVENTS, parameters=[("body_md5", body_md5)])
        assert (await client.send("POST", EVENTS, query, [], BODY)).error == (401, "body_mismatch")

    async def test_a_body_that_was_taken_away_on_the_road_is_missed(self, client: ApiClient) -> None:
        parameters = [("name", "e"), ("data", "d"), ("channel", "c")]  # without the body these would be published
        query = signed_query("POST", EVENTS, BODY, parameters)
        assert (await client.send("POST", EVENTS, query, [])).error == (401, "body_mismatch")

    async def test_a_body_of_no_use_is_covered_like_any_other(self, client: ApiClient) -> None:
        path = "/apps/4711/users/ada/terminate_connections"
        assert (await client.send("POST", path, signed_query("POST", path, b"{}"), [], b"{}")).status == 200
        answer = await client.send("POST", path, signed_query("POST", path), [], b"{}")
        assert answer.error == (401, "body_mismatch")

    async def test_an_empty_body_needs_no_md5_and_may_have_one(self, client: ApiClient) -> None:
        empty = [("body_md5", "d41d8cd98f00b204e9800998ecf8427e")]  # the Python SDK sends it with GET
        assert (await client.send("GET", PATH, signed_query("GET", PATH), [])).status == 200
        assert (await client.send("GET", PATH, signed_query("GET", PATH, parameters=empty), [])).status == 200

    async def test_the_path_is_signed_as_it_was_sent(self, client: ApiClient) -> None:
        path, decoded = "/apps/4711/channels/a%2Cb%40c", "/apps/4711/channels/a,b@c"
        assert (await client.send("GET", path, signed_query("GET", path), [])).status == 200
        assert (await client.send("GET", decoded, signed_query("GET", decoded), [])).status == 200
        answer = await client.send("GET", decoded, signed_query("GET", path), [])
        assert answer.error == (401, "invalid_signature")

    @pytest.mark.parametrize("user_id", ["auth0|1", "user 1", "ä", "{x}", "𝄞", "a%b", "a+b"])
    async def test_a_path_that_the_http_client_encoded_may_be_signed_as_it_was_before(
        self, client: ApiClient, user_id: str
    ) -> None:
        sent, decoded = (f"/apps/4711/users/{each}/terminate_connections" for each in (quote(user_id), user_id))
        assert (await client.send("POST", sent, signed_query("POST", decoded), [])).status == 200
        another = signed_query("POST", f"/apps/4711/users/{user_id}x/terminate_connections")
        assert (await client.send("POST", sent, another, [])).error == (401, "invalid_signature")
        forged = signed_query("POST", decoded, secret=SECOND_SECRET)
        assert (await client.send("POST", sent, forged, [])).error == (401, "invalid_signature")

    async def test_a_path_is_not_signed_by_what_it_becomes_when_it_is_decoded_twice(self, client: ApiClient) -> None:
        answer = await client.send("GET", "/apps/4711/channels/a%252Cb", signed_query("GET", f"{PATH}/a,b"), [])
        assert answer.error == (401, "invalid_signature")

    async def test_a_signature_of_one_path_is_none_of_another_that_decodes_to_it(self, client: ApiClient) -> None:
        signed = signed_query("GET", f"{PATH}/presence-c/users")
        assert (await client.send("GET", f"{PATH}/presence-c/users", signed, [])).status == 200
        answer = await client.send("GET", f"{PATH}/presence-c%2Fusers", signed, [])
        assert answer.error == (401, "invalid_signature")

    async def test_arrays_are_signed_in_the_order_they_were_sent(self, client: ApiClient) -> None:
        parameters = [("channels[]", "b"), ("channels[]", "a"), ("name", "e"), ("data", "d")]
        query = signed_query("POST", EVENTS, parameters=parameters)
        assert (await client.send("POST", EVENTS, query, [])).status == 200

    async def test_parameters_in_upper_case_and_with_any_characters_are_signed(self, client: ApiClient) -> None:
        parameters = [("Filter", "ä & = %20 +"), ("ZZ", ""), ("b c", "𝄞")]
        assert (await client.send("GET", PATH, signed_query("GET", PATH, parameters=parameters), [])).status == 200

    async def test_the_names_of_its_own_parameters_are_in_lower_case(self, client: ApiClient) -> None:
        query = (
            signed_query("GET", PATH).replace(b"auth_key", b"Auth_Key").replace(b"auth_signature", b"Auth_Signature")
        )
        assert (await client.send("GET", PATH, query, [])).error == (401, "missing_credentials")

    async def test_a_signature_covers_a_parameter_given_twice(self, client: ApiClient) -> None:
        parameters = [("info", "subscription_count"), ("info", "user_count")]
        query = signed_query("GET", PATH, parameters=parameters)
        assert (await client.send("GET", PATH, query, [])).status == 200
        swapped = query.replace(b"info=subscription_count&info=user_count", b"info=user_count&info=subscription_count")
        assert (await client.send("GET", PATH, swapped, [])).error == (401, "invalid_signature")

    @given(st.permutations(range(5)), st.sampled_from([None, 0, 1, 2, 3, 4]))
    async def test_the_order_of_the_parameters_makes_no_difference(
        self, order: list[int], tampered: int | None
    ) -> None:
        client = ApiClient()
        body = b'{"name":"e","channel":"c","data":"d"}'
        pairs = signed_query("POST", "/apps/4711/events", body).split(b"&")
        if tampered is not None:
            pairs[tampered] = pairs[tampered][:-1] + (b"0" if pairs[tampered][-1:] != b"0" else b"1")
        query = b"&".join(pairs[index] for index in order)
        answer = await client.send("POST", "/apps/4711/events", query, [], body)
        assert answer.status == (200 if tampered is None else 401)

    async def test_a_signature_weighs_more_than_plain_credentials_in_the_query(self, client: ApiClient) -> None:
        plain = [("apiKey", KEY), ("apiSecret", SECRET)]
        wrong = [("apiKey", KEY), ("apiSecret", "wrong")]
        query = signed_query("GET", PATH, parameters=plain, secret="wrong")
        assert (await client.send("GET", PATH, query, [])).error == (401, "invalid_signature")
        assert (await client.send("GET", PATH, signed_query("GET", PATH, parameters=wrong), [])).status == 200

    @pytest.mark.parametrize("name", [b"x-api-key", b"x-api-secret"])
    async def test_a_header_of_somebody_elses_does_not_stand_in_its_way(self, client: ApiClient, name: bytes) -> None:
        # API gateways have an X-Api-Key of their own.
        headers = [(name, b"the gateway's")]
        assert (await client.send("GET", PATH, signed_query("GET", PATH), headers)).status == 200

    async def test_plain_headers_weigh_more_than_a_signature(self, client: ApiClient) -> None:
        broken = signed_query("GET", PATH, secret="wrong")
        assert (await client.send("GET", PATH, broken, key_headers())).status == 200
