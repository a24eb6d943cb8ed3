"""The film as one session shows it: which one it is, where it stands, and whether it plays."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from gaze.base.problems import Problem, ProblemError
from gaze.media.address import AddressError, Allowed, is_address
from gaze.media.decode import SAMPLE_RATE_HZ
from gaze.media.library import FilmInfo, Library
from gaze.media.live import PICTURE_HZ, LiveStream
from gaze.media.passthrough import Passthrough
from gaze.media.player import Player
from gaze.rtc.peer import Peer
from gaze.sessions.message_encoding import error_message
from gaze.sessions.playback_state import Playback
from gaze.sessions.resume_state import ResumeState
from gaze.sessions.returned_film import FilmSource, HostedFilm, LiveFilm, ReturnedSound, ServedFilm

Send = Callable[[Mapping[str, Any]], None]


class FilmPlayback:
    """One film of the library, a live stream, or what the browser sends.

    Of the library's films and streams, `change` shows another; what the browser sends stays.
    """

    def __init__(self, library: Library, allowed: Allowed, memory: ResumeState, send: Send) -> None:
        """Take the addresses that live streams may have, and what earlier connections left."""
        self._library = library
        self._allowed = allowed
        self._memory = memory
        self._send = send
        self._playback = Playback(by_viewer=memory.paused_by_viewer)
        self._announced: tuple[bool, str | None, bool] | None = None
        self._hosted: HostedFilm | None = None
        self._live: LiveFilm | None = None
        self._stream: LiveStream | None = None
        self._served: ServedFilm | None = None
        self._passthrough: Passthrough | None = None

    async def open(self, peer: Peer) -> FilmSource:
        """Return where the frames come from: the memory's film, or else the browser's.

        Raises:
            ProblemError: 422, there is no such film or stream.
        """
        if self._memory.media is None:
            self._live = LiveFilm(lambda: peer.film, lambda pts: peer.capture_s("film", pts))
            return self._live
        self._served = ServedFilm(await self._serve(self._memory.media, self._memory.position_s))
        return self._served

    def begin(self, peer: Peer) -> None:
        """Let it play, and say so, once the peer has answered."""
        if self._served is None and peer.audio is not None:
            self._passthrough = Passthrough(peer.audio, lambda pts: peer.capture_s("audio", pts))
        self._apply()

    def sound(self) -> ReturnedSound:
        """The sound of whatever is shown."""
        return ReturnedSound(
            lambda: self._passthrough if self._hosted is None else self._hosted.player.audio
        )

    async def close(self) -> None:
        """Release the film; where it stood stays in the memory."""
        self.remember()
        await _end(self._hosted, self._stream, self._passthrough)

    def remember(self) -> None:
        """Bring the memory up to date."""
        if self._hosted is not None:
            self._memory.position_s = self._hosted.player.position_s
        self._memory.paused_by_viewer = self._playback.by_viewer

    @property
    def behind_s(self) -> float:
        """How long ago what is shown was live, in seconds."""
        return 0.0 if self._live is None else self._live.behind_s

    def message(self) -> dict[str, Any]:
        """The `playback` message as things stand."""
        return {
            "type": "playback",
            "paused": self._playback.paused,
            "reason": self._playback.reason,
            "position": None if self._hosted is None else round(self._hosted.player.position_s, 3),
            "lost": self._lost,
        }

    # What the eyes and the viewer want

    def obey(self, by_eyes: str | None, rewind_s: float, *, keeping: bool) -> None:
        """Do what the effects say: stand still for a reason or none, go back by so much, and keep
        what comes live meanwhile."""
        self._playback.by_eyes = by_eyes
        if self._hosted is not None:
            player = self._hosted.player
            if rewind_s > 0 and not player.ended:
                player.seek(max(0.0, player.position_s - rewind_s))
            self._playback.ended = player.ended
        if self._live is not None:
            self._live.keeping = keeping
        if self._passthrough is not None:
            self._passthrough.keeping = keeping
        self._apply()

    def set_paused(self, paused: bool) -> None:
        """The viewer's own pause."""
        self._playback.by_viewer = paused
        if self._hosted is not None and not paused and self._playback.ended:
            self._hosted.player.resume()
            self._playback.ended = False
        self._apply()

    def set_loop(self, loop: bool) -> None:
        """Whether a hosted film begins again at its end.

        Raises:
            ProblemError: the film is the browser's.
        """
        if self._hosted is None:
            raise ProblemError(
                HTTPStatus.CONFLICT, "loop: only hosted films can loop", field="loop"
            )
        self._memory.loop = self._hosted.player.loop = loop
        if loop and self._playback.ended:
            self._hosted.player.seek(0.0)
            self._playback.ended = False
            self._apply()

    def seek(self, position_s: float) -> None:
        """Go elsewhere in a hosted film.

        Raises:
            ProblemError: the film is the browser's, or shorter.
        """
        if self._hosted is None:
            raise ProblemError(
                HTTPStatus.CONFLICT, "seek: only hosted films can be sought", field="seek"
            )
        player = self._hosted.player
        if position_s > player.duration_s:
            raise ProblemError(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                f"seek: beyond the end; the film lasts {player.duration_s:.2f} s",
                field="seek",
            )
        player.seek(position_s)
        self._playback.ended = player.ended
        self._announce()

    async def change(self, name: str) -> None:
        """Change to another hosted film, from its beginning, or to a live stream.

        Raises:
            ProblemError: the film is the browser's, or there is none of that name.
        """
        if self._served is None:
            raise ProblemError(
                HTTPStatus.CONFLICT, "media: the film comes from the browser", field="name"
            )
        old = self._hosted, self._stream, self._passthrough
        source = await self._serve(name)
        if is_address(name):
            self._hosted = None
        else:
            self._live = self._stream = self._passthrough = None
        self._served.source = source
        self._memory.media = name
        self._playback.ended = False
        self._announce()
        await _end(*old)

    # How it is done

    async def _serve(self, name: str, position_s: float = 0.0) -> FilmSource:
        """Open a hosted film, or a live stream by its address.

        Raises:
            ProblemError: 422, there is none.
        """
        if not is_address(name):
            player = Player(self._film_info(name), position_s)
            player.loop = self._memory.loop
            self._hosted = HostedFilm(player)
            return self._hosted
        try:
            stream = LiveStream(
                self._allowed.check(name), self._allowed, self._tell_loss, self._apply
            )
            await stream.open()
        except AddressError as error:
            raise ProblemError(
                HTTPStatus.UNPROCESSABLE_ENTITY, f"media: {error}", field="media"
            ) from None
        self._stream = stream
        self._live = LiveFilm(lambda: stream.pictures, stream.captured_s(PICTURE_HZ))
        self._passthrough = Passthrough(stream.sound, stream.captured_s(SAMPLE_RATE_HZ))
        return self._live

    def _film_info(self, name: str) -> FilmInfo:
        info = self._library.films.get(name)
        if info is None:
            known = ", ".join(self._library.films) or "none"
            raise ProblemError(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                f"media: no hosted film {name!r}; there are: {known}",
                field="media",
            )
        return info

    def _tell_loss(self, reason: str) -> None:
        problem = Problem(
            HTTPStatus.BAD_GATEWAY, f"media: the live stream is lost and tried again: {reason}"
        )
        self._send(error_message(problem))
        self._apply()

    @property
    def _lost(self) -> bool:
        """Whether what is shown is the last picture of a live stream that is tried again."""
        return self._stream is not None and self._stream.lost

    def _announce(self) -> None:
        """Do as `_apply` does, and say how things stand even if nothing else has changed."""
        self._announced = None
        self._apply()

    def _apply(self) -> None:
        playback = self._playback
        standing = (playback.paused, playback.reason, self._lost)
        if standing == self._announced:
            return
        if self._hosted is not None and playback.paused != self._hosted.player.paused:
            if playback.paused and not playback.ended:
                self._hosted.player.pause()
            elif not playback.paused:
                self._hosted.player.resume()
        if self._live is not None:
            self._live.held = playback.paused
        if self._passthrough is not None:
            self._passthrough.muted = playback.paused
        self._announced = standing
        self._send(self.message())


async def _end(
    hosted: HostedFilm | None, stream: LiveStream | None, sound: Passthrough | None
) -> None:
    """Release a film of the server's, or what comes live, with its sound."""
    if sound is not None:
        sound.stop()
    if hosted is not None:
        await hosted.player.close()
    if stream is not None:
        await stream.close()
