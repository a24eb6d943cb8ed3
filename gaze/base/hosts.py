"""Host names and ports as operators write them in settings."""

from urllib.parse import urlsplit


def parse_host(text: str) -> tuple[str, int | None]:
    """Split `host`, `host:port`, `[2001:db8::7]` or `[2001:db8::7]:554`.

    Raises:
        ValueError: it is none of these.
    """
    parts = urlsplit(f"//{text}")
    if not parts.hostname or parts.netloc != text or "@" in text:
        raise ValueError("hosts like cam.example, cam.example:8554 or 10.0.0.7")
    return parts.hostname, parts.port
