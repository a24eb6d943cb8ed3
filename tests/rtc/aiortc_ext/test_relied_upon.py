"""Releases that change what is relied on are refused by name; all others run."""

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import aioice
import pytest
from aioice.ice import StunProtocol

from gaze.rtc.aiortc_ext import ice, relied_upon
from gaze.rtc.aiortc_ext.relied_upon import changes, found, installed_source, points
from simulation.server_process import ROOT
from tools.private_names import undocumented


def doctored(module: str, old: str, new: str) -> Callable[[str], str]:
    """The installed sources with one passage of one module changed."""

    def source(name: str) -> str:
        text = installed_source(name)
        if name != module:
            return text
        assert old in text
        return text.replace(old, new, 1)

    return source


def test_the_installed_releases_are_accepted() -> None:
    assert changes() == []


def test_every_point_says_why_and_names_a_hook_where_it_is_private() -> None:
    names = [point.name for point in points()]
    assert len(set(names)) == len(names)
    for point in points():
        if point.private or point.body:
            assert point.why.endswith("."), point.name
            assert point.hook, point.name


@pytest.mark.parametrize(
    ("module", "old", "new", "told"),
    [
        (
            "aiortc.rtcdtlstransport",
            "data = await self.transport._recv()",
            "data = await self.transport._receive()",
            "aiortc.rtcdtlstransport:RTCDtlsTransport._recv_next has another body",
        ),
        (
            "aiortc.rtcdtlstransport",
            "def _set_role(self, role: str)",
            "def _set_role(self, role: str, strict: bool)",
            "aiortc.rtcdtlstransport:RTCDtlsTransport._set_role takes (self,role,strict) "
            "instead of (self,role)",
        ),
        (
            "aioice.ice",
            "async def query_consent(",
            "async def ask_consent(",
            "aioice.ice:Connection.query_consent is missing",
        ),
        (
            "aiortc.rtp",
            "    fmt: int\n    ssrc: int",
            "    ssrc: int\n    fmt: int",
            "aiortc.rtp:RtcpPsfbPacket takes (ssrc,fmt,media_ssrc,fci=) "
            "instead of (fmt,ssrc,media_ssrc,fci=)",
        ),
        (
            "aioice.ice",
            'self._valid_username(message.attributes["USERNAME"])\n            and ',
            "",
            "aioice.ice:Connection.request_received has another body",
        ),
    ],
)
def test_a_change_of_what_is_relied_on_is_named(module: str, old: str, new: str, told: str) -> None:
    assert changes(doctored(module, old, new)) == [told]


def with_other_docstrings(text: str) -> str:
    """Return a module's source with each docstring replaced by another one."""
    lines = text.split("\n")
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    spans = [
        (node.body[0].lineno - 1, node.body[0].end_lineno, node.body[0].col_offset)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, documented) and ast.get_docstring(node) is not None
    ]
    for first, last, indent in sorted(spans, reverse=True):
        lines[first:last] = [" " * indent + '"""Changed."""']
    return "\n".join(lines)


def test_comments_and_docstrings_and_what_is_not_relied_on_may_change() -> None:
    def source(name: str) -> str:
        text = installed_source(name)
        text = re.sub(r"^ *#.*\n", "", text, flags=re.M)  # every comment on a line of its own
        text = with_other_docstrings(text)
        return f"{text}\n\ndef added():\n    pass\n"

    assert changes(source) == []


def test_a_module_that_is_gone_is_named() -> None:
    def source(name: str) -> str:
        if name == "aiortc.jitterbuffer":
            raise FileNotFoundError
        return installed_source(name)

    assert "aiortc.jitterbuffer:JitterBuffer.add is missing" in changes(source)


def run_with(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "import gaze.rtc.peer; print('runs')"],
        cwd=ROOT,
        env={"PYTHONPATH": f"{folder}:{ROOT}", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_doctored_copy_of_aiortc_is_refused_by_name_and_an_unrelated_change_runs(
    tmp_path: Path,
) -> None:
    spec = find_spec("aiortc")
    assert spec is not None and spec.submodule_search_locations
    shutil.copytree(spec.submodule_search_locations[0], tmp_path / "aiortc")
    path = tmp_path / "aiortc" / "rtcdtlstransport.py"
    text = path.read_text()

    path.write_text(f"{text}\nADDED = 1\n")
    assert run_with(tmp_path).stdout == "runs\n"

    path.write_text(text.replace("self._ssl.bio_read(1500)", "self._ssl.bio_read(4096)"))
    refused = run_with(tmp_path)
    assert refused.returncode != 0
    assert "RTCDtlsTransport._write_ssl has another body" in refused.stderr
    assert "relied_upon.py" in refused.stderr


def test_a_digest_does_not_depend_on_the_version_of_python() -> None:
    """Nor on white space: it is taken of the text, not of the syntax tree or the tokens."""
    text = (
        "class C:\n"
        "    def f(self, a, *, b=1):\n"
        '        """Doc # not a comment."""\n'
        "        # a comment\n"
        "        return f\"{a!r:>{b}} # {'kept'}\"  # another\n"
    )
    point = found("m:C.f", lambda _: text)
    assert point is not None
    assert (point.signature, point.body) == ("(self,a,*,b=)", "b1ae62119fb626c3")
    denser = text.replace("        # a comment\n", "\n").replace("  # another", "")
    assert found("m:C.f", lambda _: denser) == point
    other = found("m:C.f", lambda _: text.replace("kept", "lost"))
    assert other is not None and other.body != point.body


def test_all_methods_that_override_aioices_are_in_the_table() -> None:
    names = {point.name for point in points()}
    documented = {"close"}  # of aioice.Connection
    for ours, theirs in ((ice.Connection, aioice.Connection), (ice.Protocol, StunProtocol)):
        for name in vars(ours):
            if not name.startswith("__") and hasattr(theirs, name) and name not in documented:
                assert f"aioice.ice:{theirs.__name__}.{name}" in names


def test_what_is_imported_below_the_top_level_is_in_the_table() -> None:
    names = {point.name for point in points()}
    for use in undocumented(ROOT, ["gaze"]):
        name = use.name.replace("aioice:stun", "aioice.stun:Message")
        name = name.replace(":RtpPacket", ":RtpPacket.__init__")
        assert name in names, use


def test_the_document_lists_every_point() -> None:
    text = (ROOT / "docs" / "aiortc.md").read_text()
    for point in points():
        short = point.name.split(":")[1].removesuffix(".__init__")
        assert f"`{short}`" in text, point.name
        if point.why:
            assert point.why in re.sub(r"\s+", " ", text), point.name
            assert point.hook in text, point.name


def test_the_table_uses_the_standard_library_only() -> None:
    """It must run before, and without, what it checks."""
    tree = ast.parse(Path(relied_upon.__file__).read_text())
    imported = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert {name.split(".")[0] for name in imported} <= sys.stdlib_module_names
