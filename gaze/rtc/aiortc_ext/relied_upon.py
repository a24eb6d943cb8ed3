"""What this project relies on in aiortc, aioice and pylibsrtp beyond their documentation.

The table is held against the sources that are installed, not against their version numbers: a
release that leaves these alone just runs, one that changes them is refused with the names that
changed. `python gaze/rtc/aiortc_ext/relied_upon.py` prints the table as the installed release has
it, for whoever has checked a change and takes it up; docs/aiortc.md is held against it by a test.
"""

import ast
import functools
import hashlib
import importlib.util
import io
import re
import sys
import tokenize
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

Source = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Point:
    """One name that is relied on.

    Attributes
    ----------
    name : str
        Module, colon, and the name with its class.
    signature : str
        Parameters of a function, or of a class's constructor; those with a default end in `=`.
        Empty if only the name must be there.
    body : str
        Digest of its source where the body matters, else empty.
    why : str
        What it is needed for, where the name is private or its body matters.
    hook : str
        The public hook that would replace it.
    """

    name: str
    signature: str = ""
    body: str = ""
    why: str = ""
    hook: str = ""

    @property
    def private(self) -> bool:
        """Whether the library marks it as private by an underscore."""
        return re.split("[.:]", self.name)[-1].startswith("_")


PRIVATE = (
    Point(
        "aiortc.rtcdtlstransport:RTCDtlsTransport._recv_next",
        "(self)",
        "cfb81677db4d626f",
        "It reads each DTLS record by `transport._recv()`, so that `IceTransport` can keep SRTP "
        "from it and hand that on without a queue and a task per packet.",
        "a DTLS transport over any object with public `recv`, `send` and `role`",
    ),
    Point(
        "aiortc.rtcdtlstransport:RTCDtlsTransport._write_ssl",
        "(self)",
        "2be4c00ba104c3b1",
        "It writes each DTLS record by `transport._send()`.",
        "the same",
    ),
    Point(
        "aiortc.rtcicetransport:RTCIceTransport._recv",
        why="`IceTransport` offers it to `RTCDtlsTransport` in place of aiortc's own transport.",
        hook="the same",
    ),
    Point(
        "aiortc.rtcicetransport:RTCIceTransport._send",
        why="`IceTransport` offers it to `RTCDtlsTransport` in place of aiortc's own transport.",
        hook="the same",
    ),
    Point(
        "aiortc.rtcdtlstransport:RTCDtlsTransport._set_role",
        "(self,role)",
        "7d234ecd8e2beafd",
        "The DTLS role follows from the offer's `a=setup`, not from the ICE role.",
        "a parameter of `RTCDtlsTransport` or of its `start`",
    ),
    Point(
        "aiortc.rtcdtlstransport:RTCDtlsTransport._setup_srtp",
        "(self)",
        "cd76685940d060c1",
        "It makes both SRTP sessions before the state becomes connected, one for each direction.",
        "an accessor of the SRTP sessions, or of the keying material and the profile",
    ),
    Point(
        "aiortc.rtcdtlstransport:RTCDtlsTransport._rx_srtp",
        why="The SRTP session that decrypts, for the receive path without a task per packet.",
        hook="the same",
    ),
    Point(
        "aiortc.rtcdtlstransport:RTCDtlsTransport._tx_srtp",
        why="The SRTP session that encrypts what the pacer sends.",
        hook="the same",
    ),
    Point(
        "aiortc.rtcsctptransport:RTCSctpTransport._send_chunk",
        "(self,chunk)",
        why="aiortc sends in tasks that nobody awaits; where the connection has closed, their "
        "errors would be logged out of place.",
        hook="an SCTP transport that loses chunks silently once DTLS has closed",
    ),
    Point(
        "aiortc.jitterbuffer:JitterBuffer._remove_frame",
        "(self,sequence_number)",
        "ecd8c1fabd857633",
        "It joins the `_data` of a frame's packets; the audio receiver uses this buffer.",
        "a public attribute of `RtpPacket` for the payload without its descriptor",
    ),
    Point(
        "aiortc.rtcrtpreceiver:RTCRtpReceiver._data",
        why="Where a packet carries its payload without the payload descriptor, for aiortc's "
        "audio buffer and for our video buffer inside stock receivers (benchmarks).",
        hook="the same",
    ),
    Point(
        "aiortc.codecs.vpx:Vp8Encoder._packetize",
        "(cls,buffer,picture_id)",
        why="Payloads of a VP8 frame (RFC 7741) that our own encoder made.",
        hook="public packetizers",
    ),
    Point(
        "aiortc.codecs.h264:H264Encoder._packetize",
        "(cls,packages)",
        why="Payloads of an H.264 access unit (RFC 6184) that our own encoder made.",
        hook="public packetizers",
    ),
    Point(
        "aiortc.codecs.h264:H264Encoder._split_bitstream",
        "(buf)",
        why="The NAL units that are packetized.",
        hook="public packetizers",
    ),
    Point(
        "aioice.ice:Connection._protocols",
        why="The sockets of a connection: those that `get_component_candidates` opens go in, and "
        "what does not close in time is aborted.",
        hook="an argument of `aioice.Connection` that opens its sockets",
    ),
)

UNDOCUMENTED = (
    Point(
        "aioice.candidate:candidate_foundation", "(candidate_type,candidate_transport,base_address)"
    ),
    Point(
        "aioice.candidate:candidate_priority", "(candidate_component,candidate_type,local_pref=)"
    ),
    Point("aioice.ice:CandidatePair", "(self,protocol,remote_candidate)"),
    Point("aioice.ice:CandidatePair.State"),
    Point("aioice.ice:CandidatePair.nominated"),
    Point("aioice.ice:CandidatePair.protocol"),
    Point("aioice.ice:CandidatePair.remote_addr", "(self)"),
    Point("aioice.ice:CandidatePair.state"),
    Point("aioice.ice:Connection.build_request", "(self,pair,nominate)"),
    Point("aioice.ice:Connection.check_complete", "(self,pair)"),
    Point("aioice.ice:Connection.data_received", "(self,data,component)"),
    Point("aioice.ice:Connection.get_component_candidates", "(self,component,addresses,timeout=)"),
    Point("aioice.ice:Connection.protocol_lost", "(self,protocol)"),
    Point("aioice.ice:Connection.query_consent", "(self)"),
    Point("aioice.ice:StunProtocol", "(self,receiver)"),
    Point("aioice.ice:StunProtocol.close", "(self)"),
    Point("aioice.ice:StunProtocol.datagram_received", "(self,data,addr)"),
    Point("aioice.ice:StunProtocol.local_candidate"),
    Point("aioice.ice:StunProtocol.receiver"),
    Point("aioice.ice:StunProtocol.request", "(self,request,addr,integrity_key=,retransmissions=)"),
    Point("aioice.ice:StunProtocol.send_stun", "(self,message,addr)"),
    Point("aioice.ice:StunProtocol.transactions"),
    Point("aioice.ice:StunProtocol.transport"),
    Point(
        "aioice.ice:relayed_candidate",
        "(*,component,hide_related_address,protocol_factory,turn_server,turn_username,turn_password,turn_ssl,turn_transport)",
    ),
    Point("aioice.ice:server_reflexive_candidate", "(protocol,stun_server)"),
    Point("aioice.stun:Class"),
    Point("aioice.stun:Message", "(self,message_method,message_class,transaction_id=,attributes=)"),
    Point("aioice.stun:TransactionError"),
    Point("aiortc.codecs.base:Encoder"),
    Point("aiortc.codecs.h264:H264Encoder", "(self)"),
    Point("aiortc.codecs.vpx:Vp8Encoder", "(self)"),
    Point("aiortc.codecs:CODECS"),
    Point("aiortc.codecs:depayload", "(codec,payload)"),
    Point("aiortc.codecs:get_decoder", "(codec)"),
    Point("aiortc.codecs:get_encoder", "(codec)"),
    Point("aiortc.codecs:is_rtx", "(codec)"),
    Point("aiortc.jitterbuffer:JitterBuffer", "(self,capacity,prefetch=,is_video=)"),
    Point("aiortc.jitterbuffer:JitterBuffer.add", "(self,packet)"),
    Point("aiortc.jitterbuffer:JitterFrame", "(self,data,timestamp)"),
    Point("aiortc.rate:RemoteBitrateEstimator", "(self)"),
    Point(
        "aiortc.rate:RemoteBitrateEstimator.add",
        "(self,arrival_time_ms,abs_send_time,payload_size,ssrc)",
    ),
    Point("aiortc.rate:RemoteBitrateEstimator.ssrcs"),
    Point("aiortc.rtcicetransport:connection_kwargs", "(servers)"),
    Point("aiortc.rtcpeerconnection:find_common_codecs", "(local_codecs,remote_codecs)"),
    Point("aiortc.rtcrtpparameters:RTCRtcpFeedback", "(type,parameter=)"),
    Point("aiortc.rtp:AnyRtcpPacket"),
    Point("aiortc.rtp:RTCP_PSFB_APP"),
    Point("aiortc.rtp:RTCP_PSFB_FIR"),
    Point("aiortc.rtp:RTCP_PSFB_PLI"),
    Point("aiortc.rtp:RTCP_RTPFB_NACK"),
    Point("aiortc.rtp:RtcpByePacket", "(sources)"),
    Point("aiortc.rtp:RtcpPacket"),
    Point("aiortc.rtp:RtcpPacket.parse", "(cls,data)"),
    Point("aiortc.rtp:RtcpPsfbPacket", "(fmt,ssrc,media_ssrc,fci=)"),
    Point(
        "aiortc.rtp:RtcpReceiverInfo",
        "(ssrc,fraction_lost,packets_lost,highest_sequence,jitter,lsr,dlsr)",
    ),
    Point("aiortc.rtp:RtcpRrPacket", "(ssrc,reports=)"),
    Point("aiortc.rtp:RtcpRtpfbPacket", "(fmt,ssrc,media_ssrc,lost=)"),
    Point("aiortc.rtp:RtcpSdesPacket", "(chunks=)"),
    Point("aiortc.rtp:RtcpSenderInfo", "(ntp_timestamp,rtp_timestamp,packet_count,octet_count)"),
    Point("aiortc.rtp:RtcpSourceInfo", "(ssrc,items)"),
    Point("aiortc.rtp:RtcpSrPacket", "(ssrc,sender_info,reports=)"),
    Point(
        "aiortc.rtp:RtpPacket.__init__",
        "(self,payload_type=,marker=,sequence_number=,timestamp=,ssrc=,payload=)",
        "6699555208ce321e",
        "Received packets are made without calling it, with the attributes that it sets, in a "
        "third of the time.",
        "a cheaper parser of `RtpPacket`",
    ),
    Point("aiortc.rtp:pack_remb_fci", "(bitrate,ssrcs)"),
    Point("aiortc.rtp:unpack_remb_fci", "(data)"),
    Point("aiortc.rtp:unwrap_rtx", "(rtx,payload_type,ssrc)"),
    Point("aiortc.sdp:DIRECTIONS"),
    Point("aiortc.sdp:GroupDescription", "(semantic,items)"),
    Point("aiortc.sdp:MediaDescription", "(self,kind,port,profile,fmt)"),
    Point("aiortc.sdp:SessionDescription", "(self)"),
    Point("aiortc.sdp:SessionDescription.parse", "(cls,sdp)"),
    Point("aiortc.sdp:SsrcDescription", "(ssrc,cname=,msid=,mslabel=,label=)"),
    Point(
        "aioice.ice:Connection.request_received",
        "(self,message,addr,protocol)",
        "4643d70a4e3fce7e",
        "It sends a success response only to whoever knows the ICE password; that is how an "
        "address becomes trusted.",
        "an event for each address that was authenticated",
    ),
    Point(
        "aioice.ice:Connection.check_start",
        "(self,pair)",
        "a7bc177ce73b59c4",
        "A pair has succeeded only if an authentic response came from the pair's address; that is "
        "the other way for an address to become trusted.",
        "the same",
    ),
)


def points() -> tuple[Point, ...]:
    """Return the whole table."""
    return PRIVATE + UNDOCUMENTED


def installed_source(module: str) -> str:
    """Return the source of a module as it is installed, without importing it.

    Parameters
    ----------
    module : str
        With its package.

    Raises
    ------
    FileNotFoundError
        There is no such module.
    """
    package, *inner = module.split(".")
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f"{package} is not installed")
    path = Path(spec.submodule_search_locations[0], *inner)
    if path.is_dir():
        path = path / "__init__"
    return path.with_suffix(".py").read_text(encoding="utf-8")


def found(name: str, source: Source = installed_source) -> Point | None:
    """Return a name's point as some source has it.

    Parameters
    ----------
    name : str
        With its module and class.
    source : callable
        Gives the source of a module.

    Returns
    -------
    Point or None
        With its signature and the digest of its body; None if the name is not there.
    """
    module, _, within = name.partition(":")
    inner = within.split(".")
    try:
        text = source(module)
    except FileNotFoundError:
        return None
    scope: ast.AST = _parse(text)
    for part in inner:
        node = _member(scope, part)
        if node is None:
            return None
        scope = node
    if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
        return Point(name, _signature(scope), _digest(text, scope))
    return Point(name, _fields(scope) if isinstance(scope, ast.ClassDef) else "")


def changes(source: Source = installed_source) -> list[str]:
    """Hold the table against some source.

    Parameters
    ----------
    source : callable
        Gives the source of a module.

    Returns
    -------
    list of str
        The names that are missing or changed, each with what changed.
    """
    told = []
    for point in points():
        now = found(point.name, source)
        if now is None:
            told.append(f"{point.name} is missing")
        elif point.signature and now.signature != point.signature:
            told.append(f"{point.name} takes {now.signature} instead of {point.signature}")
        elif point.body and now.body != point.body:
            told.append(f"{point.name} has another body")
    return told


def check_installed() -> None:
    """Refuse to run on releases that changed what is relied on.

    Raises
    ------
    RuntimeError
        It names what changed.
    """
    if told := changes():
        raise RuntimeError(
            "what gaze.rtc.aiortc_ext relies on has changed: "
            + "; ".join(told)
            + ". Install the releases of requirements.txt, or check these against "
            "docs/aiortc.md and tests/rtc, and take the change up in "
            "gaze/rtc/aiortc_ext/relied_upon.py"
        )


@functools.lru_cache(maxsize=64)
def _parse(text: str) -> ast.Module:
    return ast.parse(text)


def _member(scope: ast.AST, name: str) -> ast.AST | None:
    """Return the definition of a name in a module or class: a function, class or attribute."""
    for node in getattr(scope, "body", []):
        if getattr(node, "name", None) == name:
            return node  # type: ignore[no-any-return]
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(target, ast.Name) and target.id == name for target in targets):
                return node
    if isinstance(scope, ast.ClassDef):  # an attribute of its objects, or of what it handles
        for inner in ast.walk(scope):
            stored = isinstance(inner, ast.Attribute) and isinstance(inner.ctx, ast.Store)
            if stored and getattr(inner, "attr", "") == name:
                return inner
    return None


def _signature(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    optional = len(positional) - len(arguments.defaults)
    told = [one.arg + "=" * (index >= optional) for index, one in enumerate(positional)]
    if arguments.vararg:
        told.append(f"*{arguments.vararg.arg}")
    elif arguments.kwonlyargs:
        told.append("*")
    for one, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        told.append(one.arg + "=" * (default is not None))
    if arguments.kwarg:
        told.append(f"**{arguments.kwarg.arg}")
    return f"({','.join(told)})"


def _fields(node: ast.ClassDef) -> str:
    """Return the parameters of a class's constructor, or of a dataclass's generated one."""
    for inner in node.body:
        if isinstance(inner, ast.FunctionDef) and inner.name == "__init__":
            return _signature(inner)
    if not any("dataclass" in ast.unparse(one) for one in node.decorator_list):
        return ""
    fields = (one for one in node.body if isinstance(one, ast.AnnAssign))
    told = (f"{ast.unparse(one.target)}{'=' * (one.value is not None)}" for one in fields)
    return f"({','.join(told)})"


def _digest(text: str, node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """Return a digest of a function's source without comments, docstring, and white space.

    Taken of the text, as the syntax trees and tokens of Python's versions differ.
    """
    lines = text.splitlines(keepends=True)[node.lineno - 1 : node.end_lineno]
    first = node.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        start, end = first.lineno - node.lineno, (first.end_lineno or 0) - node.lineno + 1
        lines[start:end] = ["\n"] * (end - start)
    kept = list(lines)
    indent = re.match(r"\s*", lines[0])
    cut = len(indent[0]) if indent else 0
    shifted = "".join(line[cut:] if line.strip() else "\n" for line in lines)
    for token in tokenize.generate_tokens(io.StringIO(shifted).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            kept[row - 1] = kept[row - 1][: column + cut]
    return hashlib.sha256(re.sub(r"\s+", "", "".join(kept)).encode()).hexdigest()[:16]


def _as_installed(table: Iterable[Point]) -> Iterable[Point]:
    """Yield the points of a table with what is installed; a body is only taken where one was."""
    for point in table:
        now = found(point.name)
        if now is None:
            print(f"missing: {point.name}", file=sys.stderr)
        else:
            body = now.body if point.body else ""
            yield replace(point, signature=now.signature, body=body)


if __name__ == "__main__":
    for one in _as_installed(points()):
        print(one.name, one.signature, one.body)
