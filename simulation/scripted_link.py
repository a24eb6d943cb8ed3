"""A link in scripted time, and a film that is sent over it by the project's own estimate and pacer.

The link has a capacity that changes by a script, a delay with jitter, random loss and a queue that
is finite; all of it seeded. The receiver answers with real transport-wide feedback.
"""

import heapq
import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from gaze.rtc.congestion import twcc
from gaze.rtc.congestion.bandwidth_estimator import BandwidthEstimator, Range
from gaze.rtc.congestion.pacer import Kind, Pacer
from gaze.rtc.congestion.packet_results import SentPackets
from gaze.rtc.congestion.transmitter import QUEUE_S, ROOM_S

STEP_S = 0.001
FEEDBACK_S = 0.1
FPS = 30
PACKET_BYTES = 1200


@dataclass(frozen=True)
class Link:
    """What lies between the server and the browser."""

    capacity: Sequence[tuple[float, float]]
    """From when on how many bit/s."""
    delay_s: float = 0.02
    jitter_s: float = 0.0
    loss: float = 0.0
    queue_s: float = 0.5
    """Beyond this much, at the capacity of the moment, the queue drops what comes."""

    def capacity_at(self, t_s: float) -> float:
        return [bps for since_s, bps in self.capacity if since_s <= t_s][-1]


@dataclass
class Packet:
    size_bytes: int = PACKET_BYTES


@dataclass
class Journal:
    """What happened, every 100 ms: time, estimate, target, delay of the newest packet."""

    t_s: list[float] = field(default_factory=list)
    estimate_bps: list[float] = field(default_factory=list)
    target_bps: list[float] = field(default_factory=list)
    delay_s: list[float] = field(default_factory=list)
    sent_bps: list[float] = field(default_factory=list)
    longest_pause_s: float = 0.0

    def between(self, values: list[float], begin_s: float, end_s: float) -> list[float]:
        return [v for t, v in zip(self.t_s, values, strict=True) if begin_s <= t < end_s]


def run(
    link: Link,
    duration_s: float,
    limits: Range,
    *,
    encoder_most_bps: float = 6e6,
    seed: int = 1,
    hears: Callable[[float], bool] = lambda t_s: True,
) -> Journal:
    """Send a film over a link; `hears` says when feedback gets through."""
    chance = random.Random(seed)
    estimate, sent, recorder = BandwidthEstimator(limits), SentPackets(), twcc.Recorder()
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
            estimate.on_feedback(sent.outcomes(twcc.parse(data)), t_s)
        estimate.on_silence(sent.oldest_s, t_s)
        pacer.rate_bps = 2.5 * estimate.target_bps
        if t_s >= next_frame_s:
            next_frame_s += 1 / FPS
            on_their_way_bytes = sent.on_their_way_bytes + pacer.waiting_bytes
            if pacer.waiting_s <= ROOM_S and on_their_way_bytes <= estimate.window_bytes(
                QUEUE_S, t_s
            ):
                size = min(estimate.target_bps, encoder_most_bps) / FPS / 8
                size *= 6 if first else chance.uniform(0.7, 1.3)
                first = False
                for _ in range(max(1, round(size / PACKET_BYTES))):
                    pacer.put(Packet(), Kind.VIDEO, t_s)
        if not pacer.probing and (probe := estimate.take_probe(t_s)):
            pacer.start(probe)
        while taken := pacer.take(t_s):
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
            recorder.add(number, 1000 + at_s)  # another clock
            delay_s = at_s - sent_at[number]
            journal.longest_pause_s = max(journal.longest_pause_s, at_s - last_arrival_s)
            last_arrival_s = at_s
        if t_s >= next_feedback_s:
            next_feedback_s += FEEDBACK_S
            for data in recorder.take(1, 2):
                if hears(t_s):
                    heapq.heappush(answers, (t_s + link.delay_s, next(tie), data))
        if t_s >= next_note_s:
            next_note_s += 0.1
            journal.t_s.append(t_s)
            journal.estimate_bps.append(estimate.rate_bps)
            journal.target_bps.append(estimate.target_bps)
            journal.delay_s.append(delay_s)
            journal.sent_bps.append(sent_bytes * 80)
            sent_bytes = 0
    return journal
