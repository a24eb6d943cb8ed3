"""Programs that make files of this repository: the demo film and the pictures of the README."""
