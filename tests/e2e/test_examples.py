"""The examples of the product's documentation, as printed but for host, key and port, over HTTPS."""

import asyncio
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

import requests
from cryptography import x509

from e2e.support.certificate import make_certificate
from e2e.support.javascript import JavaScript
from e2e.support.raw_client import RawClient
from e2e.support.server import APP_ID, KEY, SECRET, NewServer, Server

EVENT = {"name": "my-event", "channel": "my-channel", "data": '{"message":"hello world"}'}


async def test_the_curl_example(tls_server: Server) -> None:
    await _receives(tls_server, lambda: _curl(tls_server))


def _curl(server: Server) -> None:
    command = f"""curl --silent --fail --cacert {server.certificate} -X POST {server.url}/apps/{APP_ID}/events \\
      -H "Content-Type: application/json" \\
      -H "X-Api-Key: {KEY}" \\
      -H "X-Api-Secret: {SECRET}" \\
      -d '{{"name":"my-event","channel":"my-channel","data":"{{\\"message\\":\\"hello world\\"}}"}}'"""
    answer = subprocess.run(["sh", "-c", command], capture_output=True, check=True)
    assert answer.stdout == b"{}"


async def test_the_python_requests_example(tls_server: Server) -> None:
    def post() -> None:
        response = requests.post(
            f"{tls_server.url}/apps/{APP_ID}/events",
            headers={"X-Api-Key": KEY, "X-Api-Secret": SECRET},
            json={"name": "my-event", "channel": "my-channel", "data": json.dumps({"message": "hello world"})},
            verify=str(tls_server.certificate),
            timeout=10,
        )
        assert (response.status_code, response.json()) == (200, {})

    await _receives(tls_server, post)


async def test_the_javascript_fetch_example(tls_server: Server, node: None) -> None:
    script = await JavaScript.start("driver.mjs", {**os.environ, "NODE_EXTRA_CA_CERTS": str(tls_server.certificate)})
    async with RawClient.connected(tls_server) as client:
        await client.subscribe("my-channel")
        options = {
            "method": "POST",
            "headers": {"Content-Type": "application/json", "X-Api-Key": KEY, "X-Api-Secret": SECRET},
            "body": json.dumps(EVENT),
        }
        answer = await script.call("fetch", url=f"{tls_server.url}/apps/{APP_ID}/events", options=options)
        assert answer == {"status": 200, "body": "{}"}
        assert json.loads((await client.receive())["data"]) == {"message": "hello world"}
    await script.stop()


async def test_the_csharp_example_chunked_as_post_as_json_async_sends_it(tls_server: Server) -> None:
    body = json.dumps(EVENT).encode()
    chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    await _receives(tls_server, lambda: _post_as_json(tls_server, b"Transfer-Encoding: chunked", chunked))


async def test_the_csharp_example_with_a_content_length(tls_server: Server) -> None:
    body = json.dumps(EVENT).encode()
    await _receives(tls_server, lambda: _post_as_json(tls_server, b"Content-Length: %d" % len(body), body))


def _post_as_json(server: Server, framing: bytes, body: bytes) -> None:
    """What HttpClient.PostAsJsonAsync puts on the wire, header by header; head and body leave separately."""
    head = (
        f"POST /apps/{APP_ID}/events HTTP/1.1\r\n"
        f"Host: 127.0.0.1:{server.port}\r\n"
        f"X-Api-Key: {KEY}\r\n"
        f"X-Api-Secret: {SECRET}\r\n"
    ).encode()
    context = ssl.create_default_context(cafile=server.certificate)
    with (
        socket.create_connection(("127.0.0.1", server.port), 10) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
    ):
        connection.sendall(head + framing + b"\r\nContent-Type: application/json; charset=utf-8\r\n\r\n")
        connection.sendall(body)
        response = http.client.HTTPResponse(connection)
        response.begin()
        assert (response.status, response.read()) == (200, b"{}")


async def _receives(server: Server, publish: Callable[[], None]) -> None:
    async with RawClient.connected(server) as client:
        await client.subscribe("my-channel")
        await asyncio.to_thread(publish)
        event = await client.receive()
        assert (event["event"], json.loads(event["data"])) == ("my-event", {"message": "hello world"})


def test_a_new_certificate_is_served_after_sighup_and_a_broken_one_is_not(
    new_server: NewServer, tmp_path: Path
) -> None:
    certificate, key = make_certificate(tmp_path)
    server = new_server("--tls-certificate", str(certificate), "--tls-key", str(key), certificate=certificate)
    first = _serial_number(server)

    make_certificate(tmp_path)
    second = _serial_number_after_reload(server, "certificate reloaded")
    assert second == x509.load_pem_x509_certificate(certificate.read_bytes()).serial_number
    assert second != first

    certificate.write_text("broken")
    assert _serial_number_after_reload(server, "certificate not reloaded") == second


def _serial_number_after_reload(server: Server, message: str) -> int:
    server.signal(signal.SIGHUP)
    server.wait_for_log(message)
    return _serial_number(server)


def _serial_number(server: Server) -> int:
    context = ssl._create_unverified_context()
    with (
        socket.create_connection(("127.0.0.1", server.port), 10) as plain,
        context.wrap_socket(plain) as connection,
    ):
        certificate = connection.getpeercert(binary_form=True)
        assert certificate is not None
        return x509.load_der_x509_certificate(certificate).serial_number
