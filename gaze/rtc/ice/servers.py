"""The STUN and TURN servers that the operator named, with credentials that expire."""

import base64
import hashlib
import hmac
from typing import Any

from gaze.base.settings import Settings


def ice_servers(settings: Settings, unix_time_s: float) -> list[dict[str, Any]]:
    """STUN and TURN servers as RTCPeerConnection wants them.

    TURN credentials expire: user name and password are made from the secret shared with the TURN
    server, as in draft-uberti-behave-turn-rest-00.
    """
    servers: list[dict[str, Any]] = []
    if settings.stun_urls:
        servers.append({"urls": list(settings.stun_urls)})
    if settings.turn_urls and settings.turn_secret is not None:
        username = f"{int(unix_time_s) + settings.turn_ttl_s}:gaze"
        digest = hmac.digest(
            settings.turn_secret.get_secret_value().encode(), username.encode(), hashlib.sha1
        )
        servers.append(
            {
                "urls": list(settings.turn_urls),
                "username": username,
                "credential": base64.b64encode(digest).decode(),
            }
        )
    return servers
