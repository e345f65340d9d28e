"""What may be posted to, and how long that may take. A stub resolves names; connections are real, on loopback."""

import ipaddress
import re
import shutil
import socket
import subprocess
import threading
import time
from contextlib import contextmanager, suppress

import pytest
from tests.monitoring.hostile_urls import URLS

from burnish.core.errors import UserError
from burnish.monitoring import outbound
from burnish.monitoring.outbound import Target, Unreachable, post, refusal, target_of

INSIDE = {
    "inside.example": ["127.0.0.1"],
    "mixed.example": ["93.184.215.14", "127.0.0.1"],
    "public.example": ["93.184.215.14"],
}


@pytest.fixture
def canary():
    """A listener on loopback that counts who comes."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.01)
        yield server


def visits(server):
    n = 0
    while True:
        try:
            server.accept()[0].close()
            n += 1
        except TimeoutError:
            return n


@pytest.fixture
def names(monkeypatch):
    """A resolver that knows a few names, and one that answers something public first and loopback after."""
    real, asked = socket.getaddrinfo, []

    def resolve(host, port, **given):
        asked.append(host)
        if host == "rebinds.example":
            addresses = ["93.184.215.14"] if asked.count(host) == 1 else ["127.0.0.1"]
        elif host in INSIDE:
            addresses = INSIDE[host]
        else:
            return real(host, port, **given)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return asked


@pytest.fixture
def no_way_out(monkeypatch):
    """Connections to anything but loopback fail at once, so that no test leaves the machine."""
    real = socket.socket.connect

    def connect(self, place):
        if not ipaddress.ip_address(place[0].partition("%")[0]).is_loopback:
            raise OSError("no way out")
        return real(self, place)

    monkeypatch.setattr(outbound.socket.socket, "connect", connect)


def send(url, port, **allowed):
    return post(target_of(url.replace("PORT", str(port)), (port, 80, 443), **allowed), b"{}", {})


@pytest.mark.parametrize("url", URLS, ids=ascii)
def test_no_form_of_url_leads_inside(url, canary, names, no_way_out):
    with pytest.raises((UserError, Unreachable)) as caught:
        send(url, canary.getsockname()[1])
    assert visits(canary) == 0
    if "rebinds" not in url:
        assert caught.type is UserError or "has no address" in str(caught.value) or "known" in str(caught.value)


def test_a_name_that_changes_its_mind_is_asked_once(canary, names, no_way_out):
    with pytest.raises(Unreachable, match=r"rebinds\.example:\d+: cannot be reached \(no way out\)"):
        send("http://rebinds.example:PORT/", canary.getsockname()[1])
    assert names.count("rebinds.example") == 1
    assert visits(canary) == 0


def test_the_peer_is_checked_before_anything_is_sent(names, monkeypatch):
    """A public name whose connection ends on loopback all the same, as behind a transparent proxy."""
    with serving(lambda channel: None) as port:
        real = socket.socket.connect
        monkeypatch.setattr(outbound.socket.socket, "connect", lambda self, place: real(self, ("127.0.0.1", place[1])))
        with pytest.raises(UserError, match=r"stands for the address 127\.0\.0\.1, which is private"):
            send("http://public.example:PORT/", port)
    assert b"".join(serving.received) == b""


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("ftp://a.example/", "the webhook's URL must start with https:// or http://, and name a host."),
        ("https://u@a.example/", "holds a name or a password before an @; leave them out."),
        (
            "https://a.example:22/",
            "the webhook's URL names the port 22, which is not in its setting `ports` (443, 80).",
        ),
        (
            "https://a b/",
            "is empty, or holds spaces or invisible characters; write it like https://hooks.example.com/burnish.",
        ),
        ("https://a\\b/", "holds a backslash or a #; write it like"),
        ("https://[::g]/", "the webhook's URL cannot be read ('::g' does not appear to be an IPv4 or IPv6 address)."),
        ("https://[v1.a]/", "the webhook's URL names the host 'v1.a', which is no IPv6 address."),
        ("https://1.2.3/", "the host '1.2.3', which is neither a name nor a usual IPv4 address."),
        ("https://a。b/", "the host 'a。b' in characters that stand for others."),
        ("https://a.example:x/", "the webhook's URL cannot be read (Port could not be cast to integer value as 'x')."),
    ],
)
def test_what_is_wrong_with_a_url_is_told(url, sentence):
    with pytest.raises(UserError) as caught:
        target_of(url, (443, 80))
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://Hooks.Example.com/a?b=1", Target("https", "hooks.example.com", 443, "/a?b=1", False)),
        ("http://hooks.example.com.:80", Target("http", "hooks.example.com", 80, "/", False)),
        ("https://中国.example/路径", Target("https", "xn--fiqs8s.example", 443, "/%E8%B7%AF%E5%BE%84", False)),
        ("https://[2606:4700::1111]/", Target("https", "2606:4700::1111", 443, "/", False)),
    ],
)
def test_a_plain_url_is_taken_apart(url, target):
    assert target_of(url, (443, 80)) == target


def test_a_target_is_told_without_its_path_which_may_be_a_secret():
    assert str(target_of("https://a.example/secret?token=1", (443,))) == "https://a.example:443"


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "93.184.215.14"])
def test_public_addresses_are_allowed(address):
    assert refusal(ipaddress.ip_address(address), allow_private=False) is None


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.1.2.3", "192.168.1.1", "::1", "fd00::1", "::ffff:127.0.0.1", "100.64.0.1"]
)
def test_private_addresses_are_allowed_where_that_is_wanted(address):
    assert "is private" in refusal(ipaddress.ip_address(address), allow_private=False)
    assert refusal(ipaddress.ip_address(address), allow_private=True) is None


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("169.254.169.254", "told secrets"),
        ("fe80::1", "told secrets"),
        ("168.63.129.16", "told secrets"),
        ("100.100.100.200", "told secrets"),
        ("fd00:ec2::254", "told secrets"),
        ("::ffff:169.254.169.254", "told secrets"),
        ("0.0.0.0", "no address of one machine"),
        ("::", "no address of one machine"),
        ("224.0.0.1", "no address of one machine"),
        ("ff02::1", "no address of one machine"),
        ("240.0.0.1", "no address of one machine"),
        ("2002:7f00:1::", "holds another address inside"),
        ("64:ff9b:1::1", "holds another address inside"),
    ],
)
def test_some_addresses_are_never_allowed(address, reason):
    for allow_private in (False, True):
        assert reason in refusal(ipaddress.ip_address(address), allow_private)


def whole(channel):
    """A request with its body, which may come in pieces."""
    got = b""
    while piece := channel.recv(65536):
        got += piece
        head, _, body = got.partition(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", head)
        if length and len(body) >= int(length[1]):
            break
    return got


@contextmanager
def serving(answer):
    """A server on loopback that reads a request, then lets `answer` do with the connection what it likes."""
    serving.received, stop = [], threading.Event()

    def run(server):
        while not stop.is_set():
            try:
                channel, _ = server.accept()
            except OSError:
                return
            with channel:
                channel.settimeout(5)
                serving.received.append(whole(channel))
                answer(channel)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=run, args=(server,), daemon=True)
        thread.start()
        yield server.getsockname()[1]
        stop.set()
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def local(port, body=b"{}", **headers):
    return post(Target("http", "127.0.0.1", port, "/hook", allow_private=True), body, headers)


def test_a_post_arrives_whole_and_its_status_comes_back():
    with serving(lambda channel: channel.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")) as port:
        assert local(port, "正文".encode(), X="y") == 204
    head, _, body = serving.received[0].partition(b"\r\n\r\n")
    assert head.split(b"\r\n")[0] == b"POST /hook HTTP/1.1"
    assert {f"Host: 127.0.0.1:{port}".encode(), b"X: y", b"Content-Length: 6"} <= set(head.split(b"\r\n"))
    assert body == "正文".encode()


def test_a_redirect_is_not_followed(canary):
    inside = f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{canary.getsockname()[1]}/\r\n\r\n".encode()
    with serving(lambda channel: channel.sendall(inside)) as port:
        assert local(port) == 302
    assert visits(canary) == 0


def test_an_endless_answer_is_not_read():
    def pour(channel):
        channel.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        with suppress(OSError):  # the other side hangs up
            for _ in range(10_000):
                channel.sendall(b"x" * 65536)
            pytest.fail("all of it was taken")

    with serving(pour) as port:
        assert local(port) == 200


@pytest.mark.parametrize(
    "noise",
    [b"what?\r\n\r\n", b"", b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 300, b"HTTP/1.1 200 OK\r\nx: " + b"y" * 99999],
)
def test_what_is_not_http_is_told(noise):
    with (
        serving(lambda channel: channel.sendall(noise)) as port,
        pytest.raises(Unreachable, match=f"127.0.0.1:{port}: "),
    ):
        local(port)


@pytest.mark.parametrize("piece", [b"", b"HTTP/1.1 100 Continue\r\n\r\n", b"h"])
def test_a_slow_or_trickling_answer_is_cut(piece, monkeypatch):
    monkeypatch.setattr(outbound, "CONNECT_S", 0.2)
    monkeypatch.setattr(outbound, "TOTAL_S", 0.4)

    def trickle(channel):
        for _ in range(16):
            try:
                channel.sendall(piece)
            except OSError:
                return
            time.sleep(0.05)

    with serving(trickle) as port:
        started = time.monotonic()
        with pytest.raises(Unreachable, match="did not answer in time"):
            local(port)
        assert time.monotonic() - started < 1.5


def test_a_resolver_that_hangs_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(outbound, "CONNECT_S", 0.1)
    asleep = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: asleep.wait(3) and [])
    with pytest.raises(Unreachable, match="did not answer in time"):
        post(Target("http", "slow.example", 80, "/", False), b"", {})
    asleep.set()


def test_a_host_without_an_address_is_told(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [])
    with pytest.raises(Unreachable, match=r"cannot be reached \(it has no address\)"):
        post(Target("http", "none.example", 80, "/", False), b"", {})


def test_the_second_address_is_tried_where_the_first_does_not_answer(monkeypatch):
    with serving(lambda channel: channel.sendall(b"HTTP/1.1 200 OK\r\n\r\n")) as port, socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        places = [("127.0.0.1", closed.getsockname()[1]), ("127.0.0.1", port)]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(socket.AF_INET, 1, 6, "", one) for one in places])
        assert local(port) == 200


def test_no_time_left_is_told():
    with pytest.raises(TimeoutError):
        outbound._left(time.monotonic() - 1)


@pytest.fixture
def certificate(tmp_path):
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs openssl")
    key, file = tmp_path / "key.pem", tmp_path / "cert.pem"
    made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    where = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", f"{key}", "-out", f"{file}"]
    subprocess.run([openssl, *made, *where], check=True, capture_output=True)
    return file, key


def test_https_is_spoken_with_a_certificate_that_is_trusted_only(certificate, monkeypatch):
    import ssl

    file, key = certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key)

    def speak(server):
        for _ in range(2):
            channel, _ = server.accept()
            try:
                with context.wrap_socket(channel, server_side=True) as secure:
                    secure.recv(65536)
                    secure.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            except OSError:
                channel.close()

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=speak, args=(server,), daemon=True)
        thread.start()
        target = Target("https", "127.0.0.1", server.getsockname()[1], "/", allow_private=True)
        with pytest.raises(Unreachable, match=r"no safe connection can be made \(CERTIFICATE_VERIFY_FAILED\)"):
            post(target, b"", {})
        monkeypatch.setenv("SSL_CERT_FILE", f"{file}")
        assert post(target, b"", {}) == 200
        thread.join(5)
