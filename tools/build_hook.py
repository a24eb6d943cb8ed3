"""Adds to the wheel what is not in git: the face networks, and the demo film where it was made."""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CustomBuildHook(BuildHookInterface[Any]):
    """Hatchling's hook; the name is the one that it looks for."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Unpack the face networks where they are missing, and add the files.

        Parameters
        ----------
        version : str
            What is built, `standard` or `editable`; both take the same files.
        build_data : dict
            What hatchling puts into the wheel; `force_include` maps files to their places there.

        Raises
        ------
        subprocess.CalledProcessError
            The face networks could not be downloaded; pip has said why on stderr.
        """
        root = Path(self.root)
        sys.path.insert(0, str(root))  # the build runs in an environment without gaze
        from tools import face_models

        face_models.ensure()
        film = root / "media" / "demo.mp4"
        if film.is_file():
            build_data["force_include"][str(film)] = "gaze/media/films/demo.mp4"
