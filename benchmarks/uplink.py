"""What a browser sends to the server, and what comes back, over a minute.

A real browser sends its camera (640x480, 30 a second) and a film that it plays (1280x720, 30 a
second, a file of the page's own, captured from the video element as our page does it) and watches
the film that is returned. Everything is read once a second from the browser's own `getStats`:
sizes and rates as it sends them, its bandwidth estimate, what it decodes. Columns: ours (through
our own SDK), stock aiortc (benchmarks/stock.py), and the browser to itself (a second connection in
the same page that receives and returns nothing: the floor, no server at all). Tracker and blur
are on.

Goals, for ours in Chromium: the film at 1280x720 and >= 28 fps within 5 s and for the whole rest;
the camera 640x480 at >= 28 fps; the returned film >= 2 Mbit/s after 3 s. Firefox: the film no
worse than from the browser to itself. Chromium lowers what it sends when the machine is too slow
for it; `film_cpu_limited_share` says for how much of the time it says so of itself.
"""

import argparse
import asyncio
import contextlib
import itertools
import math
import sys
from collections.abc import AsyncIterator, Sequence
from typing import Any

from benchmarks.material import CAMERA_SCENES, FOLDER, film_file
from benchmarks.report import Figures, Goal, Report, arguments, machine, publish
from benchmarks.stock import SERVERS, WHY_NO_FASTRTC, running_stock
from simulation.browser.page import Page, chromium, firefox
from simulation.viewers import write_camera

WIDTH, HEIGHT = 1280, 720
COLUMNS = ("ours", "stock", "itself")
FULL_FPS = 28.0
GOALS = {
    "film_full_size_after_s": Goal(most=5),
    "film_full_size_share": Goal(least=1),
    "film_fps": Goal(least=FULL_FPS),
    "camera_width": Goal(least=640),
    "camera_fps": Goal(least=FULL_FPS),
    "returned_mbps_after_3s": Goal(least=2),
}

INPUT = """async () => {
  const input = document.createElement('input');
  Object.assign(input, { type: 'file', id: 'benchmark-file' });
  input.dataset.testid = 'benchmark-file';
  Object.assign(input.style, { position: 'fixed', top: 0, left: 0, zIndex: 9999 });
  document.body.append(input);
}"""

START = """async (column, hint, degradation) => {
  const add = RTCPeerConnection.prototype.addTransceiver;
  if (degradation)
    RTCPeerConnection.prototype.addTransceiver = function (...all) {
      const transceiver = add.apply(this, all);
      if (all[0]?.kind === 'video') {
        const parameters = transceiver.sender.getParameters();
        parameters.degradationPreference = degradation;
        transceiver.sender.setParameters(parameters);
      }
      return transceiver;
    };
  const video = document.createElement('video');
  Object.assign(video, { muted: true, loop: true, playsInline: true });
  video.src = URL.createObjectURL(document.getElementById('benchmark-file').files[0]);
  video.style.cssText = 'position:fixed;top:0;left:0;width:320px';
  document.body.append(video);
  await video.play();
  const film = (video.captureStream?.() ?? video.mozCaptureStream()).getVideoTracks()[0];
  if (hint) film.contentHint = hint;
  const wanted = { video: { width: 640, height: 480, frameRate: 30 } };
  const camera = (await navigator.mediaDevices.getUserMedia(wanted)).getVideoTracks()[0];
  const shown = document.createElement('video');
  Object.assign(shown, { muted: true, autoplay: true, playsInline: true });
  shown.style.cssText = 'position:fixed;top:200px;left:0;width:320px';
  document.body.append(shown);
  const effects = [{ name: 'blur' }];

  if (column === 'ours') {
    const { GazeClient } = await import('/client/gaze-client.js');
    const client = new GazeClient({ storage: null });
    await client.open({ camera, film, effects });
    shown.srcObject = client.stream;
    window.benchmarkStats = () => client.transportStats();
  } else {
    const connection = new RTCPeerConnection({ iceServers: [] });
    const seen = connection.addTransceiver(camera, { direction: 'sendonly' });
    const sent = connection.addTransceiver(film, { direction: 'sendrecv' });
    shown.srcObject = new MediaStream([sent.receiver.track]);
    await connection.setLocalDescription();
    if (connection.iceGatheringState !== 'complete')
      await new Promise((done) => {
        connection.onicegatheringstatechange = () =>
          connection.iceGatheringState === 'complete' && done();
      });
    const { sdp, type } = connection.localDescription;
    if (column === 'stock') {
      const tracks = { camera: seen.mid, film: sent.mid };
      const body = JSON.stringify({ sdp, type, tracks, effects });
      const response = await fetch('/api/sessions', { method: 'POST', body });
      const answer = await response.json();
      await connection.setRemoteDescription({ sdp: answer.sdp, type: 'answer' });
    } else {
      const other = new RTCPeerConnection({ iceServers: [] });
      connection.onicecandidate = ({ candidate }) => other.addIceCandidate(candidate);
      other.onicecandidate = ({ candidate }) => connection.addIceCandidate(candidate);
      await other.setRemoteDescription({ sdp, type });
      await other.setLocalDescription();
      await connection.setRemoteDescription(other.localDescription);
    }
    window.benchmarkStats = () => connection.getStats();
  }
  window.benchmarkTracks = { camera: camera.id, film: film.id };
  window.benchmarkBegan = performance.now();
}"""

SAMPLE = """async () => {
  const all = [...(await window.benchmarkStats()).values()];
  const out = all.filter((r) => r.type === 'outbound-rtp' && r.kind === 'video');
  const back = all.find((r) => r.type === 'inbound-rtp' && r.kind === 'video');
  const pair = all.find((r) => r.type === 'candidate-pair' && r.availableOutgoingBitrate);
  const by = (r) => r && {
    width: r.frameWidth ?? 0, height: r.frameHeight ?? 0, bytes: r.bytesSent ?? r.bytesReceived,
    frames: r.framesEncoded ?? r.framesDecoded ?? 0,
    limit: r.qualityLimitationReason ?? '', mid: Number(r.mid ?? -1),
  };
  const sorted = out.map(by).sort((a, b) => a.mid - b.mid);
  return {
    t: (performance.now() - window.benchmarkBegan) / 1000,
    camera: sorted[0], film: sorted[1], returned: by(back),
    estimate: pair?.availableOutgoingBitrate ?? null,
  };
}"""

Sample = dict[str, Any]


def figures_of(samples: Sequence[Sample]) -> Figures:
    """What the samples of one run say; the first is from before anything was sent."""
    rates = [_rates(a, b) for a, b in itertools.pairwise(samples)]
    full = [rate["film_size"] >= (WIDTH, HEIGHT) and rate["film_fps"] >= FULL_FPS for rate in rates]
    sized = [rate["film_size"] >= (WIDTH, HEIGHT) for rate in rates]
    first = sized.index(True) if True in sized else None
    settled = [r for r in rates if r["t"] > 5] or rates
    last = settled[-1]

    def mean(name: str, of: Sequence[dict[str, Any]] = settled) -> float:
        values = [rate[name] for rate in of if rate[name] is not None]
        return sum(values) / len(values) if values else math.nan

    after_3_s = [rate for rate in rates if 3 < rate["t"] <= 6] or settled
    figures = {
        "film_full_size_after_s": math.inf if first is None else rates[first]["t"],
        "film_full_size_share": mean_of([r["film_size"] >= (WIDTH, HEIGHT) for r in settled]),
        "film_full_size_and_fps_share": mean_of(full[-len(settled) :]),
        "film_width": mean("film_width"),
        "film_width_at_end": last["film_size"][0],
        "film_fps": mean("film_fps"),
        "film_mbps": mean("film_mbps"),
        "film_cpu_limited_share": mean_of([r["film_limit"] == "cpu" for r in settled]),
        "film_bandwidth_limited_share": mean_of([r["film_limit"] == "bandwidth" for r in settled]),
        "camera_width": mean("camera_width"),
        "camera_fps": mean("camera_fps"),
        "camera_mbps": mean("camera_mbps"),
        "estimate_mbps": mean("estimate_mbps"),
        "estimate_mbps_after_3s": mean("estimate_mbps", after_3_s),
    }
    if samples[-1].get("returned"):
        figures |= {
            "returned_width": mean("returned_width"),
            "returned_fps": mean("returned_fps"),
            "returned_mbps": mean("returned_mbps"),
            "returned_mbps_after_3s": mean("returned_mbps", after_3_s),
        }
    return figures


def mean_of(flags: Sequence[bool]) -> float:
    """The share that is true."""
    return sum(flags) / len(flags)


def _rates(before: Sample, after: Sample) -> dict[str, Any]:
    seconds = after["t"] - before["t"]
    rates: dict[str, Any] = {"t": after["t"]}
    for name in ("camera", "film", "returned"):
        now, then = after.get(name) or {}, before.get(name) or {}
        rates |= {
            f"{name}_size": (now.get("width", 0), now.get("height", 0)),
            f"{name}_width": now.get("width", 0),
            f"{name}_fps": (now.get("frames", 0) - then.get("frames", 0)) / seconds,
            f"{name}_mbps": (now.get("bytes", 0) - then.get("bytes", 0)) * 8e-6 / seconds,
            f"{name}_limit": now.get("limit", ""),
        }
    estimate = after["estimate"]
    rates["estimate_mbps"] = None if estimate is None else estimate / 1e6
    return rates


@contextlib.asynccontextmanager
async def _browser(name: str) -> AsyncIterator[Page]:
    if name == "firefox":
        async with firefox() as page:
            yield page
        return
    camera = FOLDER / "camera.mjpeg"
    if not camera.exists():
        write_camera(camera, CAMERA_SCENES)
    async with chromium(camera) as page:
        yield page


async def measure(browser: str, column: str, flags: argparse.Namespace) -> Figures:
    """One run of one browser against one server."""
    film = film_file(WIDTH, HEIGHT, 10)
    with SERVERS.get(column, running_stock)() as server:
        async with _browser(browser) as page:
            await page.goto(server.url)
            await page.call(INPUT)
            await page.upload("benchmark-file", film)
            await page.call(START, column, flags.content_hint, flags.degradation)
            loop = asyncio.get_running_loop()
            began_s = loop.time()
            samples: list[Sample] = []
            while True:
                samples.append(await page.call(SAMPLE))
                if flags.watch:
                    print(_line(samples), file=sys.stderr)
                if loop.time() - began_s > flags.seconds:
                    return figures_of(samples)
                await asyncio.sleep(1.0)


def _line(samples: Sequence[Sample]) -> str:
    if len(samples) < 2:
        return ""
    rates = _rates(*samples[-2:])
    parts = [
        f"{name} {rates[f'{name}_size'][0]}x{rates[f'{name}_size'][1]} "
        f"{rates[f'{name}_fps']:.0f} fps {rates[f'{name}_mbps']:.2f} Mbit/s "
        f"{rates[f'{name}_limit']}"
        for name in ("film", "camera", "returned")
    ]
    return f"{rates['t']:5.1f} s  " + "  ".join(parts) + f"  estimate {rates['estimate_mbps']}"


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, show, and write the figures."""
    assert __doc__ is not None
    parser = arguments(__doc__, "uplink", seconds=60)
    parser.add_argument("--browsers", default="chromium,firefox", help="which, by comma")
    parser.add_argument("--columns", default=",".join(COLUMNS), help="which, by comma")
    parser.add_argument("--content-hint", default="", help="of the film's track, to try it out")
    parser.add_argument("--degradation", default="", help="degradationPreference, to try it out")
    parser.add_argument("--watch", action="store_true", help="tell every second on stderr")
    flags = parser.parse_args(argv)
    reports = []
    for browser in flags.browsers.split(","):
        goals = GOALS if browser == "chromium" else {}
        title = f"Uplink of {browser}, {flags.seconds:g} s, {machine()}"
        report = Report(title, goals, notes=[WHY_NO_FASTRTC], prefix=f"{browser}.")
        reports.append(report)
        for _ in range(flags.runs):
            for column in flags.columns.split(","):
                report.add(column, asyncio.run(measure(browser, column, flags)))
    publish(reports, flags.json)


if __name__ == "__main__":
    main()
