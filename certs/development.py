"""Makes a self-signed certificate for this machine, and renews it when it no longer fits.

`python -m certs.development` leaves `dev-cert.pem` and `dev-key.pem` beside this file. Browsers
warn of it once; a public server needs one from a certificate authority instead.
"""

import os
import socket
import ssl
import stat
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

import ifaddr
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

FOLDER = Path(__file__).resolve().parent
LIFETIME = timedelta(days=825)  # the longest that Apple's browsers accept
RENEW_BEFORE_END = timedelta(days=7)
CLOCK_SKEW = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class DevelopmentCertificate:
    """Where certificate and key are.

    Attributes
    ----------
    cert, key : Path
        PEM files.
    made_because : str or None
        Why they were made just now; None if those that were there fitted.
    """

    cert: Path
    key: Path
    made_because: str | None


def ensure(
    folder: Path = FOLDER, names: Iterable[str] | None = None, now: datetime | None = None
) -> DevelopmentCertificate:
    """Make a certificate unless a fitting one is there.

    Parameters
    ----------
    folder : Path, default FOLDER
        Where `dev-cert.pem` and `dev-key.pem` go. Only the owner can read the key.
    names : iterable of str, optional
        Host names and addresses it must be valid for; by default this machine's.
    now : datetime, optional
        An aware time; by default the present.

    Returns
    -------
    DevelopmentCertificate
        What is there now.
    """
    names = machine_names() if names is None else frozenset(names)
    now = now or datetime.now(UTC)
    cert, key = folder / "dev-cert.pem", folder / "dev-key.pem"
    reason = _unfit(cert, key, names, now)
    if reason is not None:
        private_key = ec.generate_private_key(ec.SECP256R1())
        _write(
            key,
            private_key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
            mode=0o600,
        )
        certificate = _self_signed(private_key, names, now)
        _write(cert, certificate.public_bytes(serialization.Encoding.PEM), mode=0o644)
    return DevelopmentCertificate(cert, key, reason)


def machine_names() -> frozenset[str]:
    """Return names and addresses of this machine, without link-local ones."""
    names = {"localhost", "127.0.0.1", "::1"}
    hostname = socket.gethostname()
    if hostname and hostname.isascii():
        names.add(hostname.lower())
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            address = ip_address(ip.ip if isinstance(ip.ip, str) else ip.ip[0])
            if not address.is_link_local:
                names.add(str(address))
    return frozenset(names)


def _unfit(cert: Path, key: Path, names: frozenset[str], now: datetime) -> str | None:
    """Return why the certificate there cannot stay, or None."""
    if not (cert.is_file() and key.is_file()):
        return "there was none"
    if stat.S_IMODE(key.stat().st_mode) & 0o077:
        return "others could read its key"
    try:
        certificate = x509.load_pem_x509_certificate(cert.read_bytes())
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key)
    except (ValueError, x509.ExtensionNotFound, ssl.SSLError):
        return "it was damaged, or its key was another's"
    if now < certificate.not_valid_before_utc:
        return "it was not valid yet"
    if now > certificate.not_valid_after_utc - RENEW_BEFORE_END:
        return "it had expired or was about to"
    missing = names - {str(name.value) for name in extension.value}
    if missing:
        return f"it was not good for {', '.join(sorted(missing))}"
    return None


def _self_signed(
    key: ec.EllipticCurvePrivateKey, names: frozenset[str], now: datetime
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gaze development")])
    start = now - CLOCK_SKEW
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + LIFETIME)
        .add_extension(x509.SubjectAlternativeName(map(_general_name, sorted(names))), False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .sign(key, hashes.SHA256())
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        address: IPv4Address | IPv6Address = ip_address(name)
    except ValueError:
        return x509.DNSName(name)
    return x509.IPAddress(address)


def _write(path: Path, content: bytes, mode: int) -> None:
    """Write a file in one step; nobody else can read it before it has its mode."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), mode)
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


if __name__ == "__main__":
    certificate = ensure()
    if certificate.made_because:
        print(f"Made the development certificate {certificate.cert}: {certificate.made_because}.")
