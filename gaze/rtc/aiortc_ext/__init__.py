"""The only package that reaches into private parts of aiortc, aioice and pylibsrtp.

`relied_upon` lists them, and is held against what is installed when this package is imported: a
release that changes one of them is refused with its name. docs/aiortc.md says why each is needed.
`ice` carries DTLS and SRTP, `transport` encrypts them, `packets` reads them; `codecs` has aiortc's
codec negotiation and packetizers.
"""

from gaze.rtc.aiortc_ext.relied_upon import check_installed

check_installed()

from gaze.rtc.aiortc_ext.codecs import (  # noqa: E402  (refuse before a changed name is imported)
    common_codecs,
    packetize_h264,
    packetize_vp8,
)

__all__ = ["common_codecs", "packetize_h264", "packetize_vp8"]
