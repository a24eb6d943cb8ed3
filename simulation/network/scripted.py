"""A film sent over a scripted link in simulated time by the product's own estimator and pacer.

The link has a capacity that changes by a script, a delay with jitter, random loss and a finite
queue, all seeded. The receiver answers with real transport-wide feedback.
"""

import heapq
import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from gaze.rtc.congestion import twcc
from gaze.rtc.congestion.feedback_recorder import FeedbackRecorder
from gaze.rtc.congestion.pacer import Pacer, PacketType
from gaze.rtc.congestion.packet_results import SentPackets
from gaze.rtc.congestion.send_side_bwe import BitrateConstraints, SendSideBwe
from gaze.rtc.congestion.transmitter import MAX_PACER_S, MAX_QUEUE_S

STEP_S = 0.001
FEEDBACK_S = 0.1  # as browsers send it at this bitrate
FPS = 30
PACKET_BYTES = 1200


@dataclass(frozen=True)
class Link:
    """The network path between the server and the browser.

    Attributes
    ----------
    capacity : sequence of (float, float)
        From which time on it carries how many bit/s.
    delay_s : float, default 0.02
        Least one-way delay, each way.
    jitter_s : float, default 0
        Additional delay, uniformly distributed up to this.
    loss : float, default 0
        Share of packets that are lost, independently of each other.
    queue_s : float, default 0.5
        Length of the queue before the bottleneck at the capacity of the moment; what comes beyond
        it is dropped.
    """

    capacity: Sequence[tuple[float, float]]
    delay_s: float = 0.02
    jitter_s: float = 0.0
    loss: float = 0.0
    queue_s: float = 0.5

    def capacity_at(self, t_s: float) -> float:
        """Return the capacity at a time, in bit/s.

        Parameters
        ----------
        t_s : float
            The time.
        """
        return [bps for since_s, bps in self.capacity if since_s <= t_s][-1]


@dataclass
class Packet:
    """A packet of the film; only its size matters."""

    size_bytes: int = PACKET_BYTES


@dataclass
class Journal:
    """What happened, sampled every 100 ms.

    Attributes
    ----------
    t_s : list of float
        Times of the samples.
    estimate_bps, target_bps : list of float
        The estimated bandwidth, and the bitrate that the encoder is given.
    delay_s : list of float
        One-way delay of the newest packet.
    sent_bps : list of float
        Bitrate sent since the sample before.
    longest_pause_s : float
        Longest time without an arrival.
    """

    t_s: list[float] = field(default_factory=list)
    estimate_bps: list[float] = field(default_factory=list)
    target_bps: list[float] = field(default_factory=list)
    delay_s: list[float] = field(default_factory=list)
    sent_bps: list[float] = field(default_factory=list)
    longest_pause_s: float = 0.0

    def between(self, values: list[float], begin_s: float, end_s: float) -> list[float]:
        """Return the samples of a time span.

        Parameters
        ----------
        values : list of float
            One of the lists.
        begin_s, end_s : float
            The time span, its end excluded.
        """
        return [v for t, v in zip(self.t_s, values, strict=True) if begin_s <= t < end_s]


def run(
    link: Link,
    duration_s: float,
    limits: BitrateConstraints,
    *,
    encoder_most_bps: float = 6e6,
    seed: int = 1,
    feedback_arrives: Callable[[float], bool] = lambda t_s: True,
) -> Journal:
    """Send a film over a link.

    Parameters
    ----------
    link : Link
        The network path.
    duration_s : float
        How long.
    limits : BitrateConstraints
        Start, least and greatest bitrate of the estimator.
    encoder_most_bps : float, default 6e6
        The greatest bitrate that the encoder produces.
    seed : int, default 1
        Of loss, jitter and frame sizes.
    feedback_arrives : callable, optional
        Whether feedback that is sent at a time arrives; by default all does.

    Returns
    -------
    Journal
        What happened.
    """
    chance = random.Random(seed)  # noqa: S311 - simulation, not cryptography
    bwe, sent, recorder = SendSideBwe(limits), SentPackets(), FeedbackRecorder()
    pacer: Pacer[Packet] = Pacer(2.5 * limits.start_bps, Packet)
    journal = Journal()
    arriving: list[tuple[float, int, int]] = []  # time, tie, number
    answers: list[tuple[float, int, bytes]] = []
    tie = itertools.count()
    link_free_s = 0.0
    next_frame_s, next_feedback_s, next_note_s = 0.0, FEEDBACK_S, 0.1
    last_arrival_s = delay_s = 0.0
    sent_bytes = 0
    first = True
    step = 0
    sent_at: dict[int, float] = {}
    while (t_s := step * STEP_S) < duration_s:
        step += 1
        while answers and answers[0][0] <= t_s:
            _, _, data = heapq.heappop(answers)
            bwe.on_feedback(sent.results(twcc.parse(data)), t_s)
        bwe.check_feedback_timeout(sent.oldest_unreported_s, t_s)
        pacer.rate_bps = 2.5 * bwe.target_bps
        if t_s >= next_frame_s:
            next_frame_s += 1 / FPS
            in_flight_bytes = sent.in_flight_bytes + pacer.queue_bytes
            if pacer.queue_time_s <= MAX_PACER_S and in_flight_bytes <= bwe.congestion_window_bytes(
                MAX_QUEUE_S, t_s
            ):
                size = min(bwe.target_bps, encoder_most_bps) / FPS / 8
                size *= 6 if first else chance.uniform(0.7, 1.3)
                first = False
                for _ in range(max(1, round(size / PACKET_BYTES))):
                    pacer.enqueue(Packet(), PacketType.VIDEO, t_s)
        if not pacer.is_probing and (probe := bwe.next_probe(t_s)):
            pacer.start_probe(probe)
        while taken := pacer.next_packet(t_s):
            packet, probe_number = taken
            sent_bytes += packet.size_bytes
            number = sent.add(packet.size_bytes, t_s, probe_number)
            capacity = link.capacity_at(t_s)
            if link_free_s - t_s > link.queue_s or chance.random() < link.loss:
                continue
            link_free_s = max(link_free_s, t_s) + 8 * packet.size_bytes / capacity
            sent_at[number] = t_s
            at_s = link_free_s + link.delay_s + link.jitter_s * chance.random()
            heapq.heappush(arriving, (at_s, next(tie), number))
        while arriving and arriving[0][0] <= t_s:
            at_s, _, number = heapq.heappop(arriving)
            recorder.add(number, 1000 + at_s)  # the receiver has a clock of its own
            delay_s = at_s - sent_at[number]
            journal.longest_pause_s = max(journal.longest_pause_s, at_s - last_arrival_s)
            last_arrival_s = at_s
        if t_s >= next_feedback_s:
            next_feedback_s += FEEDBACK_S
            for data in recorder.build_feedback(1, 2):
                if feedback_arrives(t_s):
                    heapq.heappush(answers, (t_s + link.delay_s, next(tie), data))
        if t_s >= next_note_s:
            next_note_s += 0.1
            journal.t_s.append(t_s)
            journal.estimate_bps.append(bwe.estimate_bps)
            journal.target_bps.append(bwe.target_bps)
            journal.delay_s.append(delay_s)
            journal.sent_bps.append(sent_bytes * 80)
            sent_bytes = 0
    return journal
