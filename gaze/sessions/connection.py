"""One peer connection of a session, with the eyes, the film and the effects put together."""

import asyncio
import contextlib
import functools
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import av
from aiortc import RTCIceServer

from gaze.base.allocator import give_back
from gaze.base.metrics import Metrics, StageTimes
from gaze.base.problems import Problem, ProblemError
from gaze.base.settings import Settings
from gaze.effects.chain import Chain, Failure
from gaze.effects.film_luminance import film_light
from gaze.effects.state import GazeState
from gaze.frames.metadata import FrameMetadata
from gaze.frames.planes import planes_of
from gaze.frames.scaling import fit_within
from gaze.media.address import Allowed
from gaze.media.library import Library
from gaze.rtc.ice.servers import ice_servers
from gaze.rtc.ice.udp_transport import Network, NoPortError
from gaze.rtc.peer import Limits, Peer
from gaze.rtc.sdp.offer import OfferError, read_offer
from gaze.sessions.error_mapping import RETRY_AFTER_S, no_port_problem, offer_problem
from gaze.sessions.film_playback import FilmPlayback, Send
from gaze.sessions.gaze_source import CameraGazeSource, PointerGazeSource, screen_of
from gaze.sessions.gaze_state import gaze_state
from gaze.sessions.layout import Layout, Point
from gaze.sessions.message_encoding import calibration_message, error_message, gaze_message
from gaze.sessions.messages import Calibrate, Pointer, SessionRequest
from gaze.sessions.resume_state import ResumeState
from gaze.sessions.returned_film import (
    ReturnedFilm,
)
from gaze.tracking.pool import RemoteTracker, TrackerLostError, Trackers
from gaze.vision.sample import CalibrationError, CalibrationUpdate, GazeSample

DISPLAY_DELAY_S = 0.1
"""From composing a frame to its being seen: encoding, network, jitter buffer, screen."""
GAZE_LIFE_S = 1.0
"""A gaze older than this says nothing about now (the camera was unplugged, say)."""
STATS_INTERVAL_S = 1.0


@dataclass(frozen=True, slots=True)
class Services:
    """What all sessions of a server share."""

    settings: Settings
    metrics: Metrics
    library: Library
    executor: Executor
    trackers: Trackers


class Connection:
    """Everything of a session that lives only as long as its peer connection.

    Made by `open`, ended by `close`, after which no task, thread, socket or frame is left.
    """

    def __init__(self, services: Services, memory: ResumeState, send: Send) -> None:
        settings = services.settings
        self._times = StageTimes(services.metrics)
        self.peer = Peer(
            Limits(
                start_bitrate_bps=settings.film_start_bitrate_bps,
                max_bitrate_bps=settings.film_max_bitrate_bps,
                camera_start_bitrate_bps=settings.camera_uplink_start_kbps * 1000,
                camera_max_bitrate_bps=settings.camera_uplink_max_kbps * 1000,
                film_start_bitrate_bps=settings.film_uplink_start_kbps * 1000,
                film_max_bitrate_bps=settings.film_uplink_max_kbps * 1000,
                encoder=settings.encoder,
                encoder_pace=settings.encoder_pace,
                decoder=settings.decoder,
                ice_servers=tuple(
                    RTCIceServer(**server) for server in ice_servers(settings, time.time())
                ),
                network=Network(settings.udp_ports, tuple(map(str, settings.public_address))),
            ),
            on_encoded=functools.partial(self._times.add, "encode"),
        )
        self.screening = FilmPlayback(
            services.library,
            Allowed.of(settings.live_hosts, settings.live_networks),
            memory,
            send,
        )
        self._services = services
        self._memory = memory
        self._send = send
        self._chain = Chain(memory.effects, display_delay_s=DISPLAY_DELAY_S)
        self._gaze: GazeState | None = None
        self._perclos: float | None = None
        self._tracker: RemoteTracker | None = None
        self._eyes: CameraGazeSource | PointerGazeSource | None = None
        self._returned = 0
        self._counted: dict[tuple[str, str], int] = {}
        self._failures_told: set[Failure] = set()
        self._tasks: list[asyncio.Task[None]] = []

    # Opening and closing

    async def open(self, request: SessionRequest) -> str:
        """Answer the offer and start; returns the answer's SDP.

        Raises:
            ProblemError: 400 or 422, naming the field; nothing is left behind then.
        """
        try:
            return await self._open(request)
        except BaseException:
            await self.close()
            raise

    async def _open(self, request: SessionRequest) -> str:
        roles = request.tracks.model_dump(exclude_none=True)
        if request.gaze == "pointer":
            roles.pop("camera", None)
        hosted = self._memory.media is not None
        try:
            read_offer(request.sdp, roles, hosted=hosted)
            if request.gaze == "camera":
                self._tracker = await self._make_tracker(request)
            source = await self.screening.open(self.peer)
            answer = await self.peer.answer(
                request.sdp,
                roles,
                hosted=hosted,
                send_film=ReturnedFilm(source, self._prepare),
                send_audio=self.screening.sound() if request.tracks.audio else None,
            )
        except OfferError as error:
            raise offer_problem(error) from None
        except NoPortError as error:
            raise no_port_problem(error) from None
        self._eyes = self._open_eyes()
        if self._memory.layout is not None:
            self._eyes.set_layout(self._memory.layout)
        self.screening.begin(self.peer)
        self._tasks = [
            asyncio.create_task(self._eyes.run()),
            asyncio.create_task(self._report()),
        ]
        return answer

    async def _make_tracker(self, request: SessionRequest) -> RemoteTracker:
        if request.tracks.camera is None:
            raise ProblemError(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                'tracks.camera: missing; name the camera\'s mid or choose "gaze": "pointer"',
                field="tracks.camera",
            )
        layout = self._memory.layout
        try:
            return await self._services.trackers.open(
                None if layout is None else screen_of(layout),
                self._memory.calibration,
                self._services.settings.face_landmarker,
            )
        except CalibrationError as error:
            raise ProblemError(
                HTTPStatus.UNPROCESSABLE_ENTITY, f"calibration: {error}", field="calibration"
            ) from None
        except TrackerLostError:
            raise ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "the tracker could not be started",
                retry_after_s=RETRY_AFTER_S,
            ) from None

    def _open_eyes(self) -> CameraGazeSource | PointerGazeSource:
        if self._tracker is None or self.peer.camera is None:
            return PointerGazeSource(self._on_sample)
        settings = self._services.settings
        return CameraGazeSource(
            self._tracker,
            self.peer.camera,
            self._services.executor,
            self._times,
            (settings.max_camera_width, settings.max_camera_height),
            self._on_sample,
            self._on_calibration,
        )

    async def close(self) -> None:
        """Release everything; what the next connection needs stays in the memory."""
        self.screening.remember()
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._count_frames()
        await self.peer.close()
        await self.screening.close()
        if self._tracker is not None:
            self._tracker.close()
        await self._in_worker(give_back)

    async def _in_worker(self, work: Callable[[], None]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._services.executor, work)

    # The eyes

    def _on_sample(self, sample: GazeSample) -> None:
        screen_px, shown = self._locate(sample)
        seen = self._chain.view_at(sample.t_s - DISPLAY_DELAY_S)
        film = None if shown is None else seen.to_film(shown)
        self._gaze = gaze_state(sample, shown, self._memory.layout)
        self._perclos = sample.perclos
        self._judge(time.monotonic())
        self._send(gaze_message(sample, screen_px, shown, film))

    def _locate(self, sample: GazeSample) -> tuple[Point | None, Point | None]:
        """The point of gaze on the screen and on the returned picture, where known."""
        point = sample.screen_px
        if point is None:
            return None, None
        if self._memory.layout is not None:
            return point, self._memory.layout.to_shown(point)
        if isinstance(self._eyes, PointerGazeSource):
            return None, self._eyes.nominal_shown(point)
        return point, None

    def _fresh_gaze(self, now_s: float) -> GazeState | None:
        if self._gaze is None or now_s - self._gaze.t_s > GAZE_LIFE_S:
            return None
        return self._gaze

    def _on_calibration(self, updates: list[CalibrationUpdate]) -> None:
        for update in updates:
            self._send(calibration_message(update))
        if isinstance(self._eyes, CameraGazeSource) and (model := self._eyes.model) is not None:
            self._memory.calibration = model

    # The film

    def _prepare(self, frame: av.VideoFrame) -> Callable[[], av.VideoFrame]:
        """Say how a frame that goes out now is to be drawn."""
        now_s = time.monotonic()
        gaze = self._fresh_gaze(now_s)
        if gaze is not None:
            self._times.add("gaze_age", now_s - gaze.t_s)
        self._judge(now_s)
        self._tell_failures()
        self._returned += 1
        return functools.partial(self._draw, frame, gaze, now_s)

    def _draw(self, frame: av.VideoFrame, gaze: GazeState | None, now_s: float) -> av.VideoFrame:
        settings = self._services.settings
        with self._times.measure("effects"):
            frame = fit_within(frame, (settings.max_film_width, settings.max_film_height))
            if frame.format.name != "yuv420p":
                frame = frame.reformat(format="yuv420p")
            composed = self._chain.apply(frame, gaze, now_s)
            if composed is not frame:
                composed.opaque = FrameMetadata(softened=self._chain.softened)
            if isinstance(self._eyes, CameraGazeSource):
                luma = planes_of(composed, writable=False).y
                self._eyes.see(film_light(luma, gaze, now_s))
            return composed

    def _tell_failures(self) -> None:
        failures = set(self._chain.failures)
        for failure in failures - self._failures_told:
            problem = Problem(
                HTTPStatus.INTERNAL_SERVER_ERROR,
                f"the effect {failure.name} failed and is switched off: {failure.message}",
                f"effects[{failure.index}]",
            )
            self._send(error_message(problem))
        self._failures_told = failures

    def _judge(self, now_s: float) -> None:
        """Let the effects say whether the film should stand still."""
        by_eyes = self._chain.update(self._fresh_gaze(now_s), now_s)
        self.screening.obey(by_eyes, self._chain.take_rewind(), keeping=self._chain.keeps)

    # Commands

    @property
    def effects(self) -> list[dict[str, Any]]:
        """The chain as it now is."""
        return self._chain.specs

    def replace_effects(self, specs: list[dict[str, Any]]) -> None:
        """Change the whole chain.

        Raises:
            EffectError: a spec is wrong; nothing was changed.
        """
        self._chain.replace(specs)
        self._memory.effects = self._chain.specs

    def set_layout(self, layout: Layout) -> None:
        """Where the picture lies on the screen."""
        self._memory.layout = layout
        if self._eyes is not None:
            self._eyes.set_layout(layout)

    def point(self, command: Pointer) -> None:
        """The viewer's pointer: the point of gaze itself, or a click that the eyes went along."""
        shown, screen_px = command.shown, command.screen
        if isinstance(self._eyes, PointerGazeSource):
            self._eyes.move(screen_px=screen_px, shown=shown)
        elif command.click and self._eyes is not None:
            if screen_px is None and shown is not None and self._memory.layout is not None:
                screen_px = self._memory.layout.to_screen(shown)
            if screen_px is not None:
                self._eyes.click(screen_px)

    async def calibrate(self, command: Calibrate) -> None:
        """One step of a calibration; what comes of it is sent as `calibration` messages.

        Raises:
            ProblemError: there is no camera, or the step is not possible now.
        """
        if not isinstance(self._eyes, CameraGazeSource):
            raise ProblemError(
                HTTPStatus.CONFLICT, "calibrate: gaze comes from the pointer", field="action"
            )
        try:
            self._on_calibration(await self._eyes.calibrate(command.action, command.target))
        except CalibrationError as error:
            raise ProblemError(HTTPStatus.CONFLICT, f"calibrate: {error}", field="action") from None

    # Figures

    def figures(self) -> dict[str, Any]:
        """Frames, latencies, gaze age, bitrates and where the eyes are in the camera's picture."""
        now_s = time.monotonic()
        return {
            "frames": self._frames(),
            "latency_ms": self._times.percentiles_ms(),
            "gaze_age_ms": None
            if self._gaze is None
            else round((now_s - self._gaze.t_s) * 1000, 1),
            "perclos": None if self._perclos is None else round(self._perclos, 4),
            "eyes": None if self._tracker is None else self._tracker.eyes_at,
            "effects": {"overruns": self._chain.overruns},
            "behind_s": round(self.screening.behind_s, 2),
            "transport": self.peer.stats(),
        }

    def _frames(self) -> dict[str, dict[str, int]]:
        frames: dict[str, dict[str, int]] = {}
        if (camera := self.peer.camera) is not None:
            frames["camera"] = {
                "in": camera.received,
                "out": camera.received - camera.dropped,
                "dropped": camera.dropped,
            }
        film = self.peer.film
        frames["film"] = {
            "in": self._returned if film is None else film.received,
            "out": self._returned,
            "dropped": 0 if film is None else film.dropped,
        }
        return frames

    def _count_frames(self) -> None:
        for stream, fates in self._frames().items():
            for fate, total in fates.items():
                new = total - self._counted.get((stream, fate), 0)
                self._counted[stream, fate] = total
                self._services.metrics.frames.labels(stream, fate).inc(max(0, new))

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(STATS_INTERVAL_S)
            self._count_frames()
            self._send({"type": "stats", **self.figures()})
