"""One connection of a session: opened by an offer, ended with all that belongs to it.

`Connection.open` is the walk of an offer: validation, tracker, film, peer, answer, tasks.
"""

import asyncio
import functools
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from aiortc import RTCIceServer

from gaze.base.allocator import give_back
from gaze.base.metrics import Metrics, StageTimes
from gaze.base.problems import Problem, ProblemError
from gaze.base.settings import Settings
from gaze.base.supervisor import Restart, Supervisor
from gaze.effects.chain import Chain, EffectError
from gaze.media.address import Allowed
from gaze.media.library import Library
from gaze.rtc.ice.servers import ice_servers
from gaze.rtc.ice.udp_transport import Network, NoPortError
from gaze.rtc.peer import Limits, Peer
from gaze.rtc.sdp.offer import Offer, OfferError, read_offer
from gaze.sessions.command_lane import CommandLane
from gaze.sessions.error_mapping import (
    effect_problem,
    no_port_problem,
    offer_problem,
    unavailable_problem,
)
from gaze.sessions.figures import Figures
from gaze.sessions.film_composer import FilmComposer, Send
from gaze.sessions.film_playback import FilmPlayback
from gaze.sessions.gaze_source import CameraGazeSource, PointerGazeSource, screen_of
from gaze.sessions.layout import Layout
from gaze.sessions.message_encoding import calibration_message, error_message
from gaze.sessions.message_sink import MessageSink
from gaze.sessions.messages import (
    Calibrate,
    Command,
    Effects,
    LayoutMessage,
    Media,
    PlaybackCommand,
    Pointer,
    SessionRequest,
)
from gaze.sessions.resume_state import ResumeState
from gaze.sessions.returned_film import ReturnedFilm
from gaze.tracking.pool import RemoteTracker, TrackerLostError, Trackers
from gaze.vision.iris.light_reflex import DISPLAY_DELAY_S
from gaze.vision.sample import CalibrationError, CalibrationUpdate

STATS_INTERVAL_S = 1.0
PEER_CLOSE_LIMIT_S = 1.5
RESTART = Restart()


@dataclass(frozen=True, slots=True)
class Services:
    """What all sessions of a server share.

    Attributes
    ----------
    settings : Settings
        The server's.
    metrics : Metrics
        The server's.
    library : Library
        The hosted films.
    executor : concurrent.futures.Executor
        The threads that work on pixels.
    trackers : Trackers
        The tracking processes.
    """

    settings: Settings
    metrics: Metrics
    library: Library
    executor: Executor
    trackers: Trackers


class Connection:
    """Everything of a session that lives only as long as its peer connection.

    Begun by `open`, ended by `close`, after which no task, thread, socket or frame is left.

    Parameters
    ----------
    services : Services
        What all sessions share.
    session_id : str
        For the log.
    memory : ResumeState
        What earlier connections left, and later ones find.
    send : callable
        Sends a message to all of the session's clients.
    on_failure : callable
        Called with a reason when the session cannot go on.

    Attributes
    ----------
    peer : Peer
        The peer connection.
    film : FilmPlayback
        The film as this session shows it.
    figures : Figures
        What `stats` says.

    Raises
    ------
    ProblemError
        422, an effect is wrong.
    """

    def __init__(
        self,
        services: Services,
        session_id: str,
        memory: ResumeState,
        send: Send,
        on_failure: Callable[[str], None],
    ) -> None:
        settings = services.settings
        try:
            self._chain = Chain(memory.effects, display_delay_s=DISPLAY_DELAY_S)
        except EffectError as error:
            raise effect_problem(error) from None
        memory.effects = self._chain.specs
        self._services = services
        self._memory = memory
        self._send = send
        self._times = StageTimes(services.metrics)
        self.peer = Peer(_limits(settings), functools.partial(self._times.add, "encode"))
        allowed = Allowed.of(settings.live_hosts, settings.live_networks)
        self.film = FilmPlayback(services.library, allowed, memory, send)
        largest_px = settings.max_film_width, settings.max_film_height
        self._composer = FilmComposer(self._chain, self.film, self._times, largest_px, send)
        self.figures = Figures(
            services.metrics, self._times, self.peer, self.film, self._chain, self._composer
        )
        self._tracker: RemoteTracker | None = None
        self._gaze_source: CameraGazeSource | PointerGazeSource | None = None
        self._film_commands = CommandLane()
        self._calibration_commands = CommandLane()
        self._supervisor = Supervisor(
            services.metrics,
            lambda kind, error: on_failure(f"its {kind} failed ({type(error).__name__})"),
            session=session_id,
        )
        # Closed from the last to the first; what they may take adds up to less than 5 s.
        self._supervisor.own("memory", self._give_back_memory, limit_s=0.5)
        self._supervisor.own("tracker", self._close_tracker)
        self._supervisor.own("film", self.film.close)
        self._supervisor.own("peer", self.peer.close, limit_s=PEER_CLOSE_LIMIT_S)
        self._supervisor.own("figures", self.figures.count_frames)
        self._supervisor.own("resume state", self.film.remember)

    # Opening and closing

    async def open(self, request: SessionRequest) -> str:
        """Answer the offer and start.

        Parameters
        ----------
        request : SessionRequest
            Has the offer.

        Returns
        -------
        str
            The answer's SDP.

        Raises
        ------
        ProblemError
            400, 422 or 503, naming the field; nothing is left behind then.
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
        offer = _read_offer(request, roles, hosted=hosted)
        if request.gaze == "camera":
            self._tracker = self.figures.tracker = await self._open_tracker()
        source = await self.film.open(self.peer)
        film = ReturnedFilm(source, self._composer.prepare, self._on_track_failure("film"))
        sound = self.film.sound(self._on_track_failure("sound")) if request.tracks.audio else None
        try:
            answer = await self.peer.answer(offer, film, sound)
        except NoPortError as error:
            raise no_port_problem(error) from None
        self._begin()
        return answer

    async def _open_tracker(self) -> RemoteTracker:
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
            raise unavailable_problem("the tracker could not be started") from None

    def _begin(self) -> None:
        source = self._gaze_source = self._composer.source = self._make_gaze_source()
        if self._memory.layout is not None:
            self.set_layout(self._memory.layout)
        self.film.begin(self.peer)
        start = self._supervisor.start
        start(
            "gaze",
            source.run,
            restart=RESTART,
            on_restart=self._on_gaze_lost,
            on_failure=self._on_gaze_given_up,
        )
        start("stats", self._send_stats, restart=RESTART)
        start("film commands", self._film_commands.run, restart=RESTART)
        start("calibration commands", self._calibration_commands.run, restart=RESTART)

    def _make_gaze_source(self) -> CameraGazeSource | PointerGazeSource:
        if self._tracker is None or self.peer.camera is None:
            return PointerGazeSource(self._composer.on_sample)
        settings = self._services.settings
        return CameraGazeSource(
            self._tracker,
            self.peer.camera,
            self._services.executor,
            self._times,
            (settings.max_camera_width, settings.max_camera_height),
            self._composer.on_sample,
            self._on_calibration,
        )

    async def close(self) -> None:
        """Release everything; what the next connection needs stays in the memory.

        Never raises, and takes 5 s at most.
        """
        await self._supervisor.close()

    def _close_tracker(self) -> None:
        if self._tracker is not None:
            self._tracker.close()

    async def _give_back_memory(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._services.executor, give_back)

    # What its tasks report

    async def _send_stats(self) -> None:
        while True:
            await asyncio.sleep(STATS_INTERVAL_S)
            self.figures.count_frames()
            self._send({"type": "stats", **self.figures.as_json()})

    def _on_calibration(self, updates: list[CalibrationUpdate]) -> None:
        for update in updates:
            self._send(calibration_message(update))
        if self._tracker is not None and self._tracker.model is not None:
            self._memory.calibration = self._tracker.model

    def _on_track_failure(self, kind: str) -> Callable[[Exception], None]:
        return functools.partial(self._supervisor.fail, kind)

    def _on_gaze_lost(self, kind: str, error: Exception) -> None:
        self._tell_gaze_lost(error, "it is started again")

    def _on_gaze_given_up(self, kind: str, error: Exception) -> None:
        self._tell_gaze_lost(error, "the film goes on without gaze")

    def _tell_gaze_lost(self, error: Exception, outcome: str) -> None:
        if isinstance(error, TrackerLostError):
            problem = Problem(
                HTTPStatus.SERVICE_UNAVAILABLE, f"gaze: the tracker was lost; {outcome}"
            )
        else:
            problem = Problem(
                HTTPStatus.INTERNAL_SERVER_ERROR, f"gaze: the server made a mistake; {outcome}"
            )
        self._send(error_message(problem))
        if isinstance(self._gaze_source, CameraGazeSource):
            self._calibration_commands.clear()
            self._gaze_source.lose_calibration()
        self._composer.lose_gaze(calibrated=self._memory.calibration is not None)

    # Commands

    @property
    def effects(self) -> list[dict[str, Any]]:
        """The chain as it now is."""
        return self._chain.specs

    def command(self, command: Command, sink: MessageSink) -> None:
        """Carry out a command, or let it wait behind those that it depends on.

        Parameters
        ----------
        command : Command
            Any but `ping`.
        sink : MessageSink
            Where an `error` of a command that waits goes.

        Raises
        ------
        ProblemError
            The command is wrong, and nothing has changed; or too many are waiting.
        """
        match command:
            case Effects():
                self._replace_effects(command.effects)
            case LayoutMessage():
                self.set_layout(
                    Layout(
                        command.screen,
                        command.viewport,
                        command.picture,
                        command.exact,
                        command.diagonal_mm,
                    )
                )
            case Pointer():
                self._point(command)
            case Calibrate():
                work = functools.partial(self._calibrate, command)
                self._calibration_commands.put(work, sink)
            case PlaybackCommand():
                self._film_commands.put(functools.partial(self._play, command), sink)
            case Media():
                self._film_commands.put(functools.partial(self.film.change, command.name), sink)

    def _replace_effects(self, specs: list[dict[str, Any]]) -> None:
        try:
            self._chain.replace(specs)
        except EffectError as error:
            raise effect_problem(error) from None
        self._memory.effects = self._chain.specs
        self._send({"type": "effects", "effects": self._chain.specs})

    def set_layout(self, layout: Layout) -> None:
        """Take where the picture lies on the screen.

        Parameters
        ----------
        layout : Layout
            In the place of the one before.
        """
        self._memory.layout = self._composer.layout = layout
        if self._gaze_source is not None:
            self._gaze_source.set_layout(layout)

    def _point(self, command: Pointer) -> None:
        shown, screen_px = command.shown, command.screen
        if screen_px is None and shown is not None and self._memory.layout is not None:
            screen_px = self._memory.layout.to_screen(shown)
        if self._gaze_source is not None:
            self._gaze_source.point(screen_px, shown, click=command.click)

    async def _calibrate(self, command: Calibrate) -> None:
        if not isinstance(self._gaze_source, CameraGazeSource):
            raise ProblemError(
                HTTPStatus.CONFLICT, "calibrate: gaze comes from the pointer", field="action"
            )
        try:
            await self._gaze_source.calibrate(command.action, command.target)
        except CalibrationError as error:
            raise ProblemError(HTTPStatus.CONFLICT, f"calibrate: {error}", field="action") from None

    async def _play(self, command: PlaybackCommand) -> None:
        if command.seek is not None:
            self.film.seek(command.seek)
        if command.loop is not None:
            self.film.set_loop(command.loop)
        if command.paused is not None:
            self.film.set_paused(command.paused)


def _read_offer(request: SessionRequest, roles: dict[str, str], *, hosted: bool) -> Offer:
    try:
        offer = read_offer(request.sdp, roles, hosted=hosted)
    except OfferError as error:
        raise offer_problem(error) from None
    if request.gaze == "camera" and request.tracks.camera is None:
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            'tracks.camera: missing; name the camera\'s mid or choose "gaze": "pointer"',
            field="tracks.camera",
        )
    return offer


def _limits(settings: Settings) -> Limits:
    return Limits(
        start_bitrate_bps=settings.film_start_bitrate_bps,
        max_bitrate_bps=settings.film_max_bitrate_bps,
        camera_start_bitrate_bps=settings.camera_uplink_start_kbps * 1000,
        camera_max_bitrate_bps=settings.camera_uplink_max_kbps * 1000,
        film_start_bitrate_bps=settings.film_uplink_start_kbps * 1000,
        film_max_bitrate_bps=settings.film_uplink_max_kbps * 1000,
        encoder=settings.encoder,
        encoder_pace=settings.encoder_pace,
        decoder=settings.decoder,
        ice_servers=tuple(RTCIceServer(**server) for server in ice_servers(settings, time.time())),
        network=Network(settings.udp_ports, tuple(map(str, settings.public_address))),
    )
