"""Words that readers of the field stumbled over stay out of code, docs and page."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SUFFIXES = {".py", ".js", ".ts", ".html", ".css", ".md", ".toml", ".mjs", ".yml"}

# What must not stand there, as a regular expression without regard to case, and what to say.
WORDS = {
    r"mourn(s|ed|ing)?": "report lost",
    r"lookers?": "lazy views",
    r"eyes[-_ ]desk": "calibration panel",
    r"likeness(es)?": "kernel",
    r"skews?": "warp",
    r"unsure": "uncertain; as a matrix: covariance",
    r"on_(its|their)_way": "in flight",
    r"(narrow|wide|bad|new) ways?": "network path",
    r"ways? (is|are) thought": "estimated bandwidth of the network path",
    r"\w*_ways?": "network path; as a number: delta or direction",
    r"(?<!least[ _-])(?<!mean[ _-])(?<!sum of )squares": "normal matrix, sum of squares",
    r"(is|are|was|were|be) told(?! to)(?! apart)": "is sent, is reported, is estimated",
    r"neither where": "also where",
    r"coarser_\w+|\w+_coarser": "quantizer scale",
    r"seen_as|laid_on": "a term of the field",
    r"told_\w+|\w+_told": "a term of the field",
    r"thereof|wherein|anew": "of it, in which, again",
    r"notes_of|\w+eyes_desk": "frame metadata",
    r"dearer|cheaper way": "costs more, costs less",
}
PATTERN = {word: re.compile(rf"(?<!\w)(?:{word})(?!\w)", re.IGNORECASE) for word in WORDS}


def tracked_files() -> list[Path]:
    """Return the text files that belong to the project."""
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\n")
    files = [ROOT / name for name in listed if Path(name).suffix in SUFFIXES]
    return [f for f in files if f.exists() and f != Path(__file__) and f.name != "CHANGELOG.md"]


@pytest.mark.parametrize("word", WORDS)
def test_a_word_that_readers_stumbled_over_is_not_used(word: str) -> None:
    found = [
        f"{file.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for file in tracked_files()
        for number, line in enumerate(file.read_text().split("\n"), 1)
        if PATTERN[word].search(line)
    ]
    assert not found, f"say: {WORDS[word]}\n" + "\n".join(found[:40])
