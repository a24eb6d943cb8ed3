"""The versions of the packages whose private parts this package was written for."""

from collections.abc import Mapping
from importlib.metadata import version

VERSIONS = {"aiortc": "1.16.0", "aioice": "0.13.0", "pylibsrtp": "1.0.0"}


def check_versions(found: Mapping[str, str]) -> None:
    """Make sure that the private parts are those that are known here.

    Raises:
        RuntimeError: a package has another version.
    """
    for name, wanted in VERSIONS.items():
        if found[name] != wanted:
            raise RuntimeError(
                f"gaze.rtc.aiortc_ext relies on private parts of {name} {wanted}, but "
                f"{found[name]} is installed: install requirements.txt, or check the package and "
                "its tests against the new version and change VERSIONS"
            )


check_versions({name: version(name) for name in VERSIONS})
