"""How much the way to the browser can carry, estimated from its transport-wide feedback.

After draft-ietf-rmcat-gcc-02: a rate that the delays allow (`AimdRateControl`: additive or
multiplicative increase, cut to 85 % of what arrives when a queue grows), one that losses allow
(`LossBasedBwe`), and the smaller of them. Added to the draft, since it alone would be too slow:

- probes find free capacity (`gaze.rtc.congestion.probing`), at the start and every few seconds;
- losses that stay when the rate falls are the way's own (radio), not ours, and count no more;
- once a queue stands, what comes out of it is what the way carries: known within one feedback
  message, while the rate that arrives is an average that still holds what was before;
- losses of what was sent before a cut are no reason for another;
- while packets stand in a queue, the target is below the estimate, so that the queue empties in
  a second or two instead of ten;
- while no feedback comes at all, the target falls.

Everything is told with its time; nothing here asks for it.
"""

import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gaze.rtc.congestion.overuse_detector import OveruseDetector, PacketGroups, Usage
from gaze.rtc.congestion.packet_results import PacketResult
from gaze.rtc.congestion.probing import Probe, ProbeResults

DECREASE = 0.85
INCREASE_PER_S = 1.08
MIN_ADDITIVE_BPS = 4_000  # a second
RESPONSE_S = 0.1  # beyond the round trip
FRAME_RATE = 30
PACKET_BYTES = 1200
MAX_REDUCE_PAUSE_S = 0.2
FEEDBACK_S = 0.1  # browsers give it every 50 to 100 ms

UNSURE_SHARE = 0.8

LOSS_BAD = 0.10
LOSS_GOOD = 0.02
LOSS_WINDOW_S = 1.0
LOSS_WINDOW_PACKETS = 20
LOSS_MEMORY = 10  # windows
LOSS_OWN_MOST = 0.25  # a way that loses more by itself carries no film

FIRST_PROBES = (2.0, 4.0)
PROBE_FACTOR = 2.0
PROBE_FURTHER = 0.7
PROBE_EVERY_S = 3.0
PROBE_MOST_S = 8.0
PROBE_AFTER_OVERUSE_S = 2.0
PROBE_TIMEOUT_S = 1.0
FOUND_HOLDS_S = 1.0  # until what arrives has followed a probe's result

QUEUE_STANDING_S = 0.025
QUEUE_LONG_S = 0.1  # beyond doubt
QUEUE_GROWS_S = 0.02  # from one feedback message to the next, beyond doubt
QUEUE_FREE_S = 0.06
QUEUE_FULL_S = 0.36
QUEUE_LEAST = 0.3  # share of the estimate that is sent even into a full queue
BASE_BUCKET_S = 10.0
BASE_BUCKETS = 3

BUSY_QUEUE_S = 0.02
BUSY_WINDOW_S = 0.3
BUSY_LEAST_S = 0.06
BUSY_LEAST_PACKETS = 5

SILENCE_S = 1.0
SILENCE_CUT = 0.7
SILENCE_CUT_EVERY_S = 0.5


class AcknowledgedBitrate:
    """The bitrate that arrives: windows of 150 ms, weighted by how much each may be believed."""

    FIRST_WINDOW_S = 0.5
    WINDOW_S = 0.15
    DOUBT = 10.0
    DOUBT_GROWTH = 5.0

    def __init__(self) -> None:
        self.rate_bps: float | None = None
        self._variance = 50.0
        self._began_s: float | None = None
        self._newest_s = -math.inf
        self._bytes = 0

    def add(self, arrival_s: float, size_bytes: int) -> None:
        """Take a packet that arrived."""
        if self._began_s is None:
            self._began_s = arrival_s
        if arrival_s < self._newest_s:
            self._bytes += size_bytes
            return
        window_s = self.FIRST_WINDOW_S if self.rate_bps is None else self.WINDOW_S
        if arrival_s - self._newest_s > 1.0:  # nothing was sent: the window says nothing
            self._began_s, self._bytes = arrival_s, 0
        self._newest_s = arrival_s
        if arrival_s - self._began_s >= window_s:
            self._sample(8 * self._bytes / (arrival_s - self._began_s))
            self._began_s, self._bytes = arrival_s, 0
        self._bytes += size_bytes

    def _sample(self, sample_bps: float) -> None:
        if self.rate_bps is None:
            self.rate_bps = sample_bps
            return
        # A Bayesian update (libwebrtc's): the further a sample is from the estimate, the more
        # it is doubted; the estimate's own variance, in (kbit/s)^2, grows with time.
        rate_kbps, sample_kbps = self.rate_bps / 1000, sample_bps / 1000
        doubt = self.DOUBT * abs(rate_kbps - sample_kbps) / max(1.0, rate_kbps)
        sample_variance = doubt**2
        variance = self._variance + self.DOUBT_GROWTH
        total = sample_variance + variance
        self.rate_bps = 1000 * (sample_variance * rate_kbps + variance * sample_kbps) / total
        self._variance = sample_variance * variance / total


class Service:
    """The bitrate that comes out of a queue, which is what the way carries while one stands.

    Measured over feedback messages of which every packet has waited: from the first arrival in
    such a message to its last the way was never idle.
    """

    def __init__(self) -> None:
        self._spans: deque[tuple[float, float, int, int]] = deque()  # end, seconds, bits, packets

    def add(self, arrived: Sequence[PacketResult], queue_s: float) -> None:
        """Take what arrived by one message, and how long the least of it waited."""
        times = [(o.arrival_s, o.size_bytes) for o in arrived if o.arrival_s is not None]
        if not times:
            return
        (first_s, first_bytes), (last_s, _) = min(times), max(times)
        while self._spans and last_s - self._spans[0][0] > BUSY_WINDOW_S:
            self._spans.popleft()
        if queue_s < BUSY_QUEUE_S:
            self._spans.clear()
        elif last_s > first_s:
            bits = 8 * (sum(size for _, size in times) - first_bytes)
            self._spans.append((last_s, last_s - first_s, bits, len(times) - 1))

    @property
    def rate_bps(self) -> float | None:
        """The rate, None if no queue stands or too little came out of it."""
        seconds = sum(span[1] for span in self._spans)
        if seconds < BUSY_LEAST_S or sum(span[3] for span in self._spans) < BUSY_LEAST_PACKETS:
            return None
        return sum(span[2] for span in self._spans) / seconds


class AimdRateControl:
    """The rate that the delays allow: additive increase, multiplicative decrease."""

    def __init__(self, start_bps: float, min_bps: float, max_bps: float) -> None:
        self.rate_bps = start_bps
        self._min_bps = min_bps
        self._max_bps = max_bps
        self._increasing = False
        self._changed_s: float | None = None
        self._cut_s: float | None = None
        self._capacity_bps: float | None = None  # what arrived when the way was overused
        self._deviation = 0.4

    def update(
        self, usage: Usage, arriving_bps: float | None, round_trip_s: float, t_s: float
    ) -> bool:
        """Go on from the last update; returns whether the rate was cut.

        Args:
            usage: what the delays say.
            arriving_bps: what arrives, or is thought to be able to.
            round_trip_s: how long it takes until a change shows.
            t_s: now.
        """
        if usage is Usage.OVERUSE:
            return self._cut(arriving_bps, round_trip_s, t_s)
        if usage is Usage.UNDERUSE:
            self._increasing = False  # hold, the queue is emptying
        elif not self._increasing:
            self._increasing = True
            self._changed_s = t_s
        elif self._changed_s is not None:
            self._increase(arriving_bps, round_trip_s, t_s - self._changed_s)
            self._changed_s = t_s
        return False

    def found(self, rate_bps: float, t_s: float) -> None:
        """A probe got through with this rate."""
        if rate_bps > self.rate_bps:
            self._set(rate_bps)
            self._changed_s = t_s

    def _cut(self, arriving_bps: float | None, round_trip_s: float, t_s: float) -> bool:
        pause_s = min(max(round_trip_s, 0.01), MAX_REDUCE_PAUSE_S)
        collapsed = arriving_bps is not None and arriving_bps < self.rate_bps / 2
        if self._cut_s is not None and t_s - self._cut_s < pause_s and not collapsed:
            return False
        self._cut_s = t_s
        self._increasing = False
        if arriving_bps is None:
            self._set(self.rate_bps / 2)
            return True
        wanted_bps = DECREASE * arriving_bps
        if wanted_bps > self.rate_bps and self._capacity_bps is not None:
            wanted_bps = DECREASE * self._capacity_bps
        if arriving_bps < self._lowest():
            self._capacity_bps = None
        self._note_capacity(arriving_bps)
        if wanted_bps >= self.rate_bps:
            return False
        self._set(wanted_bps)
        return True

    def _increase(self, arriving_bps: float | None, round_trip_s: float, since_s: float) -> None:
        if arriving_bps is not None and arriving_bps > self._highest():
            self._capacity_bps = None
        since_s = min(since_s, 1.0)
        if self._capacity_bps is None:
            raised_bps = self.rate_bps * INCREASE_PER_S**since_s
        else:
            frame_bits = self.rate_bps / FRAME_RATE
            packet_bits = frame_bits / math.ceil(frame_bits / (8 * PACKET_BYTES))
            per_s = max(MIN_ADDITIVE_BPS, packet_bits / (round_trip_s + RESPONSE_S))
            raised_bps = self.rate_bps + per_s * since_s
        if arriving_bps is not None:  # not far beyond what was tried
            raised_bps = min(raised_bps, 1.5 * arriving_bps + 10_000)
        self._set(max(raised_bps, self.rate_bps))

    def _note_capacity(self, arriving_bps: float) -> None:
        if self._capacity_bps is None:
            self._capacity_bps = arriving_bps
            return
        alpha = 0.05
        self._capacity_bps += alpha * (arriving_bps - self._capacity_bps)
        error_kbps = (self._capacity_bps - arriving_bps) / 1000
        norm = max(self._capacity_bps / 1000, 1.0)
        deviation = (1 - alpha) * self._deviation + alpha * error_kbps**2 / norm
        self._deviation = min(max(deviation, 0.4), 2.5)

    def _spread_bps(self) -> float:
        assert self._capacity_bps is not None
        return 3 * 1000 * math.sqrt(self._deviation * self._capacity_bps / 1000)

    def _highest(self) -> float:
        return math.inf if self._capacity_bps is None else self._capacity_bps + self._spread_bps()

    def _lowest(self) -> float:
        return 0.0 if self._capacity_bps is None else self._capacity_bps - self._spread_bps()

    def _set(self, rate_bps: float) -> None:
        self.rate_bps = min(max(rate_bps, self._min_bps), self._max_bps)


class LossBasedBwe:
    """The rate that the losses allow.

    Losses beyond the way's own (the least seen in any of the last windows) of more than 10 % cut
    it by half of them; less than 2 % lets it rise.
    """

    def __init__(self, min_bps: float, max_bps: float) -> None:
        self.rate_bps = max_bps
        self.loss = 0.0
        self._min_bps = min_bps
        self._max_bps = max_bps
        self._lost = 0
        self._packets = 0
        self._began_s: float | None = None
        self._sent_since_s = -math.inf
        self._windows = deque([0.0], maxlen=LOSS_MEMORY)

    def add(self, outcome: PacketResult) -> None:
        """Count a packet; one that comes late after all was not lost."""
        if outcome.sent_s < self._sent_since_s:
            return
        if outcome.arrival_s is None:
            self._lost += 1
            self._packets += 1
        elif outcome.mourned:
            self._lost = max(0, self._lost - 1)
        else:
            self._packets += 1

    def forget(self, t_s: float) -> None:
        """The rate was cut for another reason: losses of what was sent before count no more."""
        self._sent_since_s = t_s
        self._began_s, self._lost, self._packets = t_s, 0, 0

    def update(self, sending_bps: float, t_s: float) -> None:
        """Judge the window if it is long enough; `sending_bps` is the rate in force."""
        if self._began_s is None:
            self._began_s = t_s
        if t_s - self._began_s < LOSS_WINDOW_S or self._packets < LOSS_WINDOW_PACKETS:
            return
        self.loss = self._lost / self._packets
        self._began_s, self._lost, self._packets = t_s, 0, 0
        self._windows.append(self.loss)
        own = min(min(self._windows), LOSS_OWN_MOST)
        ours = self.loss - own
        if ours > LOSS_BAD:
            cut_bps = min(self.rate_bps, sending_bps) * (1 - ours / 2)
            self.rate_bps = max(cut_bps, self._min_bps)
        elif ours < LOSS_GOOD or ours < own / 2:
            self.rate_bps = min(self.rate_bps * INCREASE_PER_S, self._max_bps)

    def found(self, rate_bps: float) -> None:
        """A probe got through with this rate."""
        self.rate_bps = max(self.rate_bps, rate_bps)


class WindowedMinimum:
    """The least of values, seen lately."""

    def __init__(self) -> None:
        self._least: deque[tuple[float, float]] = deque(maxlen=BASE_BUCKETS)

    def update(self, value: float, t_s: float) -> float:
        """Take a value, and return the least of the last twenty to thirty seconds."""
        if not self._least or t_s - self._least[-1][0] >= BASE_BUCKET_S:
            self._least.append((t_s, value))
        elif value < self._least[-1][1]:
            self._least[-1] = (self._least[-1][0], value)
        return min(least for _, least in self._least)


class Queue:
    """How long packets stand in the way's queue: their delay beyond the least seen lately."""

    def __init__(self) -> None:
        self.delay_s = 0.0
        self._base = WindowedMinimum()

    def update(self, delays_s: Iterable[float], t_s: float) -> None:
        """Take arrival minus departure (of two clocks) of some packets; the least of them counts.

        So jitter of single packets is no queue.
        """
        least_s = min(delays_s, default=None)
        if least_s is not None:
            self.delay_s = least_s - self._base.update(least_s, t_s)


@dataclass(frozen=True, slots=True)
class Range:
    """Bitrates in bit/s: the first, the lowest and the highest estimate."""

    start_bps: float
    min_bps: float
    max_bps: float


class BandwidthEstimator:
    """The send-side estimate of one transport.

    Attributes:
        rate_bps: what the way can carry.
        probes: how many probes were sent.
        round_trip_s: from a packet's departure to the feedback on it, smoothed.
    """

    def __init__(self, limits: Range) -> None:
        start_bps = min(max(limits.start_bps, limits.min_bps), limits.max_bps)
        self.rate_bps = start_bps
        self.probes = 0
        self.arriving = AcknowledgedBitrate()
        self.queue = Queue()
        self.service = Service()
        self.overuse = OveruseDetector()
        self.round_trip_s = 0.2
        self._round_trips = WindowedMinimum()
        self._least_round_trip_s = math.inf
        self._limits = limits
        self._groups = PacketGroups()
        self._delay = AimdRateControl(start_bps, limits.min_bps, limits.max_bps)
        self._losses = LossBasedBwe(limits.min_bps, limits.max_bps)
        self._results = ProbeResults()
        self._wanted = deque(factor * start_bps for factor in FIRST_PROBES)
        self._pending_s: float | None = None  # since when a probe's result is awaited
        self._probed_s: float | None = None
        self._probe_pause_s = PROBE_EVERY_S
        self._overused_s = -math.inf
        self._found_bps = 0.0
        self._found_s = -math.inf
        self._heard_s: float | None = None
        self._silence = 1.0
        self._silence_cut_s: float | None = None

    @property
    def loss(self) -> float:
        """Share of packets lost, in the last full window."""
        return self._losses.loss

    @property
    def target_bps(self) -> float:
        """What is to be sent: less than the estimate while a queue stands or nobody answers."""
        span_s = QUEUE_FULL_S - QUEUE_FREE_S
        full = min(max((self.queue.delay_s - QUEUE_FREE_S) / span_s, 0.0), 1.0)
        share = 1 - full * (1 - QUEUE_LEAST)
        return max(self.lasting_bps * share, self._limits.min_bps)

    @property
    def lasting_bps(self) -> float:
        """The target without what is held back until a queue is empty."""
        return self.rate_bps * self._silence

    def on_feedback(self, outcomes: Iterable[PacketResult], t_s: float) -> None:
        """What became of packets, in the order in which they were sent; heard now."""
        self._heard_s = t_s
        self._silence = 1.0
        self._silence_cut_s = None
        arrived: list[PacketResult] = []
        for outcome in outcomes:
            self._losses.add(outcome)
            if outcome.arrival_s is not None:
                arrived.append(outcome)
        usage = self._delays(arrived)
        if arrived:
            newest = max(outcome.sent_s for outcome in arrived)
            self.round_trip_s += 0.2 * (t_s - newest - self.round_trip_s)
            self._least_round_trip_s = self._round_trips.update(t_s - newest, t_s)
        if self._delay.update(usage, self._believed_bps(usage, t_s), self.round_trip_s, t_s):
            self._wanted.clear()
            self._losses.forget(t_s)
        if usage is Usage.OVERUSE:
            self._overused_s = t_s
        elif found := self._found(arrived):
            self._take(*found, t_s)
        self._losses.update(self.rate_bps, t_s)
        self.rate_bps = min(self._delay.rate_bps, self._losses.rate_bps)

    def window_bytes(self, queue_s: float, t_s: float) -> float:
        """How much may be on its way so that it waits no longer than that in the way's queue.

        Without bounds before the first feedback, and while none comes (the target falls then).
        """
        if self._heard_s is None or t_s - self._heard_s > SILENCE_S:
            return math.inf
        way_s = self._least_round_trip_s + FEEDBACK_S + queue_s
        return self.rate_bps * way_s / 8

    def on_silence(self, oldest_s: float | None, t_s: float) -> None:
        """Nothing came lately, and nothing is known of a packet that left at `oldest_s`.

        To be called now and then; lowers the target once that lasts.
        """
        if self._heard_s is None or oldest_s is None:
            return
        if t_s - max(oldest_s, self._heard_s) < SILENCE_S + self.round_trip_s:
            return
        if self._silence_cut_s is None or t_s - self._silence_cut_s >= SILENCE_CUT_EVERY_S:
            self._silence_cut_s = t_s
            self._silence *= SILENCE_CUT

    def take_probe(self, t_s: float) -> Probe | None:
        """The probe to be sent now, if any; it begins with the next packets that leave."""
        if self._pending_s is not None and t_s - self._pending_s >= PROBE_TIMEOUT_S:
            self._pending_s = None
        if self._pending_s is not None and self.probes >= len(FIRST_PROBES):
            return None
        if not self._wanted and self._may_probe(t_s):
            self._wanted.append(PROBE_FACTOR * self.rate_bps)
            self._probe_pause_s = min(1.5 * self._probe_pause_s, PROBE_MOST_S)
        if not self._wanted:
            return None
        rate_bps = min(self._wanted.popleft(), self._limits.max_bps)
        if rate_bps <= self.rate_bps:
            self._wanted.clear()
            return None
        probe = Probe.at(self.probes, rate_bps)
        self.probes += 1
        self._probed_s = t_s
        self._pending_s = t_s
        self._results.expect(probe)
        return probe

    def _may_probe(self, t_s: float) -> bool:
        return (
            self._heard_s is not None
            and self._probed_s is not None
            and t_s - self._probed_s >= self._probe_pause_s
            and t_s - self._overused_s >= PROBE_AFTER_OVERUSE_S
            and self.queue.delay_s < QUEUE_FREE_S
            and self.rate_bps < 0.95 * self._limits.max_bps
        )

    def _believed_bps(self, usage: Usage, t_s: float) -> float | None:
        """What can be thought to arrive: a film that rests sends little, which is no capacity."""
        arriving_bps = self.arriving.rate_bps
        if usage is not Usage.OVERUSE or arriving_bps is None:
            return arriving_bps
        if (service_bps := self.service.rate_bps) is not None:
            return service_bps
        if t_s - self._found_s < FOUND_HOLDS_S:
            arriving_bps = max(arriving_bps, self._found_bps)
        if self.queue.delay_s < QUEUE_LONG_S:
            arriving_bps = max(arriving_bps, UNSURE_SHARE * self.rate_bps)
        return arriving_bps

    def _delays(self, arrived: list[PacketResult]) -> Usage:
        usage = self.overuse.usage
        overused = False
        for outcome in arrived:
            assert outcome.arrival_s is not None
            self.arriving.add(outcome.arrival_s, outcome.size_bytes)
            deltas = self._groups.add(outcome.sent_s, outcome.arrival_s)
            if deltas is not None:
                usage = self.overuse.update(*deltas, outcome.arrival_s)
                overused = overused or usage is Usage.OVERUSE
        before_s = self.queue.delay_s
        self.queue.update(
            (o.arrival_s - o.sent_s for o in arrived if o.arrival_s is not None),
            arrived[-1].sent_s if arrived else 0.0,
        )
        self.service.add(arrived, self.queue.delay_s)
        if self.queue.delay_s >= max(QUEUE_LONG_S, before_s + QUEUE_GROWS_S):
            return Usage.OVERUSE
        if not overused:
            return usage
        # A queue that empties between two frames is only the film's own pace, and one that is
        # there once only somebody's late waking.
        standing_s = min(before_s, self.queue.delay_s)
        standing = standing_s >= QUEUE_STANDING_S or self.queue.delay_s >= QUEUE_LONG_S
        return Usage.OVERUSE if standing else Usage.NORMAL

    def _found(self, arrived: list[PacketResult]) -> tuple[Probe, float] | None:
        best: tuple[Probe, float] | None = None
        for outcome in arrived:
            if outcome.probe is None or outcome.arrival_s is None:
                continue
            result = self._results.add(
                outcome.probe, outcome.sent_s, outcome.arrival_s, outcome.size_bytes
            )
            best = result or best
        return best

    def _take(self, probe: Probe, rate_bps: float, t_s: float) -> None:
        """A probe's result: adopt it if it is higher, and go on while there is more."""
        self._pending_s = None
        if rate_bps <= self.rate_bps:
            return
        self._delay.found(rate_bps, t_s)
        self._found_bps, self._found_s = rate_bps, t_s
        self._losses.found(rate_bps)
        self._probe_pause_s = PROBE_EVERY_S
        if rate_bps >= PROBE_FURTHER * probe.rate_bps and not self._wanted:
            self._wanted.append(PROBE_FACTOR * rate_bps)
