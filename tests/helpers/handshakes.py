"""How a server shakes hands for TLS: well, with a certificate that nobody should trust, or not to the end.

Each is a function from a fresh connection to the one to talk over, for `misbehaving(greet=…)`.
"""

import contextlib
import datetime
import functools
import ipaddress
import ssl
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

HOST = "127.0.0.1"
HALF_A_HELLO = b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03"
DAY = datetime.timedelta(days=1)


class Handshakes:
    """Certificates of which a client trusts all but one.

    Args:
        folder: An empty one, for the files.

    Attributes:
        trusted: The file that a client is to trust, as `SSL_CERT_FILE`.
    """

    def __init__(self, folder: Path) -> None:
        self.trusted = folder / "trusted.pem"
        made = {
            "good": certificate(),
            "not trusted": certificate(),
            "expired": certificate(days=(-9, -2)),
            "not yet valid": certificate(days=(2, 9)),
            "another host": certificate(host="127.0.0.9"),
        }
        self._contexts = {}
        for name, (own, key) in made.items():
            (file := folder / f"{name}.pem").write_bytes(key + own)
            self._contexts[name] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._contexts[name].load_cert_chain(file)
        self.trusted.write_bytes(b"".join(own for name, (own, _) in made.items() if name != "not trusted"))

    def wrapped(self, name, line):
        """A handshake with one of the certificates."""
        return self._contexts[name].wrap_socket(line, server_side=True)


@functools.cache
def handshakes():
    """Those of this process."""
    folder = tempfile.TemporaryDirectory(prefix="forkbook-tls-")
    made = Handshakes(Path(folder.name))
    made.folder = folder  # goes with it
    return made


def certificate(host=HOST, days=(-1, 2)):
    """A certificate that signs itself, and its key, as PEM; valid from and to so many days from now."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"forkbook test {host}")])
    usage = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "crl_sign"), False
    )
    one_use = {"encipher_only": False, "decipher_only": False}
    asked = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now + days[0] * DAY)
        .not_valid_after(now + days[1] * DAY)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(digital_signature=True, key_cert_sign=True, **usage, **one_use), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    own = asked.sign(key, hashes.SHA256()).public_bytes(pem)
    return own, key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)


def with_certificate(name):
    return lambda line: handshakes().wrapped(name, line)


def said_instead(text):
    """Something else is said to the client's hello, and the connection ends."""

    def greet(line):
        with contextlib.suppress(OSError):
            line.recv(4096)
            line.sendall(text)
        line.close()
        raise ConnectionAbortedError

    return greet


GOOD = with_certificate("good")
BAD = {
    "a certificate that is not trusted": with_certificate("not trusted"),
    "an expired certificate": with_certificate("expired"),
    "a certificate that is not yet valid": with_certificate("not yet valid"),
    "a certificate of another host": with_certificate("another host"),
    "a handshake cut at its start": said_instead(b""),
    "a handshake cut in the middle": said_instead(HALF_A_HELLO),
    "plain text for TLS": said_instead(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"),
    "no TLS": said_instead(b"SSH-2.0-x\r\n"),
}
