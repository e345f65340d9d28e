"""A small issuer of tokens on this machine: real keys, a real server, and a hand on what it publishes."""

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

AUDIENCE = "burnish"
DISCOVERY, KEYS = "/.well-known/openid-configuration", "/keys"


def rsa_key(bits=2048):
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def published(private, algorithm, identity, **more):
    """A private key's public half, as a JWK."""
    made = jwt.get_algorithm_by_name(algorithm).to_jwk(private.public_key(), as_dict=True)
    return {**made, "kid": identity, "use": "sig", "alg": algorithm, **more}


class Issuer:
    """What it publishes lies in `answers`, path → (status, headers, body), and may be changed at any time."""

    def __init__(self, url):
        self.url = url
        self.private = {"one": (rsa_key(), "RS256"), "two": (ec.generate_private_key(ec.SECP256R1()), "ES256")}
        self.private["three"] = ed25519.Ed25519PrivateKey.generate(), "EdDSA"
        self.asked = []
        self.answers = {}
        self.publish(DISCOVERY, {"issuer": url, "jwks_uri": url + KEYS})
        self.publish_keys()

    def publish(self, path, body, status=200, **headers):
        told = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.answers[path] = status, headers, told

    def publish_keys(self, *further, without=()):
        own = [published(key, algorithm, name) for name, (key, algorithm) in self.private.items()]
        self.publish(KEYS, {"keys": [*(one for one in own if one["kid"] not in without), *further]})

    def claims(self, **own):
        now = int(time.time())
        made = {"iss": self.url, "aud": AUDIENCE, "sub": "ann", "iat": now, "exp": now + 600, "roles": ["staff"]}
        return {name: value for name, value in {**made, **own}.items() if value is not None}

    def token(self, signed_with="one", head=None, **own):
        """A token; what is None is left out."""
        private, algorithm = self.private[signed_with]
        return jwt.encode(self.claims(**own), private, algorithm, {"kid": signed_with, **(head or {})})


@contextmanager
def running_issuer():
    """An issuer that answers at its URL while the block runs."""

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self):
            issuer.asked.append(self.path)
            status, headers, body = issuer.answers.get(self.path, (404, {}, b""))
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *about):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    issuer = Issuer(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
