"""What an encoder gives back."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EncodedImage:
    """One encoded frame.

    Attributes
    ----------
    data : bytes
        The bitstream; empty where the encoder gives nothing for a frame.
    is_key_frame : bool
        Whether it can be decoded without others.
    """

    data: bytes
    is_key_frame: bool
