"""The development certificate: good for this machine, private, and renewed in time."""

import ssl
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from certs.development import FOLDER, LIFETIME, ensure, machine_names

NAMES = {"localhost", "127.0.0.1", "::1", "films.example", "10.1.2.3"}
NOW = datetime.now(UTC)


def mode(path: Path) -> int:
    """Return the permission bits of a file."""
    return stat.S_IMODE(path.stat().st_mode)


def handshake(cert: Path, key: Path, name: str) -> None:
    """Serve with the certificate and connect under `name`, trusting only that certificate."""
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(cert, key)
    client_context = ssl.create_default_context(cafile=str(cert))
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    client = client_context.wrap_bio(to_client, to_server, server_hostname=name)
    waiting = [client, server]
    while waiting:
        side = waiting.pop(0)
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            waiting.append(side)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_client_that_trusts_it_connects_under_every_name(tmp_path: Path, name: str) -> None:
    made = ensure(tmp_path, NAMES)
    handshake(made.cert, made.key, name)


def test_a_client_refuses_it_under_another_name(tmp_path: Path) -> None:
    made = ensure(tmp_path, NAMES)
    with pytest.raises(ssl.SSLCertVerificationError, match=r"not valid for '10\.9\.9\.9'"):
        handshake(made.cert, made.key, "10.9.9.9")


def test_only_the_owner_reads_the_key_and_no_draft_stays(tmp_path: Path) -> None:
    made = ensure(tmp_path, NAMES)
    assert mode(made.key) == 0o600
    assert mode(made.cert) == 0o644
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dev-cert.pem", "dev-key.pem"]


def test_lives_no_longer_than_browsers_allow(tmp_path: Path) -> None:
    certificate = x509.load_pem_x509_certificate(ensure(tmp_path, NAMES).cert.read_bytes())
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc == LIFETIME
    assert timedelta(days=825) >= LIFETIME


def test_a_fitting_one_is_kept(tmp_path: Path) -> None:
    first = ensure(tmp_path, NAMES, NOW)
    content = first.cert.read_bytes(), first.key.read_bytes()
    later = ensure(tmp_path, NAMES - {"10.1.2.3"}, NOW + LIFETIME - timedelta(days=9))
    assert first.made_because == "there was none"
    assert later.made_because is None
    assert content == (later.cert.read_bytes(), later.key.read_bytes())


@pytest.mark.parametrize("days_left", [6.9, 0, -300])
def test_renewed_before_and_after_its_end(tmp_path: Path, days_left: float) -> None:
    old = ensure(tmp_path, NAMES, NOW).cert.read_bytes()
    now = NOW + LIFETIME - timedelta(days=days_left)
    renewed = ensure(tmp_path, NAMES, now)
    assert renewed.made_because == "it had expired or was about to"
    assert renewed.cert.read_bytes() != old
    assert ensure(tmp_path, NAMES, now).made_because is None


def test_renewed_when_an_address_is_new(tmp_path: Path) -> None:
    ensure(tmp_path, NAMES)
    renewed = ensure(tmp_path, NAMES | {"fd00::7"})
    assert renewed.made_because == "it was not good for fd00::7"
    handshake(renewed.cert, renewed.key, "fd00::7")


def test_renewed_when_others_can_read_the_key(tmp_path: Path) -> None:
    key = ensure(tmp_path, NAMES).key
    old = key.read_bytes()
    key.chmod(0o644)
    assert ensure(tmp_path, NAMES).made_because == "others could read its key"
    assert key.read_bytes() != old
    assert mode(key) == 0o600


@pytest.mark.parametrize("damaged", ["dev-cert.pem", "dev-key.pem"])
def test_renewed_when_a_file_is_damaged(tmp_path: Path, damaged: str) -> None:
    ensure(tmp_path, NAMES)
    (tmp_path / damaged).write_bytes(b"-----BEGIN")
    assert ensure(tmp_path, NAMES).made_because == "it was damaged, or its key was another's"
    made = ensure(tmp_path, NAMES)
    handshake(made.cert, made.key, "localhost")


def test_renewed_when_the_key_is_anothers(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    key = ensure(tmp_path, NAMES).key
    ensure(other, NAMES).key.replace(key)
    assert ensure(tmp_path, NAMES).made_because == "it was damaged, or its key was another's"


def test_this_machine_is_known_under_its_loopback_names() -> None:
    names = machine_names()
    assert {"localhost", "127.0.0.1", "::1"} <= names
    assert not any(name.startswith(("fe80:", "169.254.")) for name in names)


def test_the_command_leaves_a_certificate_for_this_machine() -> None:
    subprocess.run([sys.executable, "-m", "certs.development"], cwd=FOLDER.parent, check=True)
    handshake(FOLDER / "dev-cert.pem", FOLDER / "dev-key.pem", "localhost")
    assert ensure(names={"localhost", "127.0.0.1", "::1"}).made_because is None


def test_git_ignores_what_is_made_there() -> None:
    assert "/certs/*.pem" in (FOLDER.parent / ".gitignore").read_text().splitlines()
