"""Modules of the SDK that need no browser, run by Node.js."""

import json
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
SDK = ROOT / "client" / "sdk"


def run(source: str) -> Any:
    """What the JavaScript function `main` of a module returns; its imports are of the SDK."""
    program = f"{source}\nconsole.log(JSON.stringify(await main()));"
    done = subprocess.run(
        ["node", "--input-type=module", "--eval", program.replace("'./", f"'{SDK.as_uri()}/")],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_message_of_the_server_becomes_a_sentence() -> None:
    messages = {
        "gaze: the tracker was lost; it is started again": (
            "The tracker was lost; it is started again."
        ),
        "media: rtsp://camera/1: Connection refused": "rtsp://camera/1: Connection refused.",
        "the session has ended.": "The session has ended.",
    }
    sentences = run(
        f"""
        import {{ errorSentence }} from './gaze-error.js';
        const messages = {json.dumps(list(messages))};
        const main = () => messages.map((message) => errorSentence({{ message }}));
        """
    )
    assert sentences == list(messages.values())


PENDING = """
import { PendingRequests } from './pending-requests.js';
import { calibrationCancelled, calibrationRequest } from './calibration-requests.js';
const requests = new PendingRequests();
const settled = [];
const add = (name, request) => requests.add(request).then(
  ({ state }) => settled.push([name, state]),
  ({ title, detail }) => settled.push([name, title, detail]));
const cancel = (reason) => {
  const message = { type: 'calibration', state: 'cancelled', progress: 0, reason };
  requests.rejectCalibration(calibrationCancelled(message));
  requests.resolveAll(message);
};
"""


def test_a_calibration_that_the_server_cancels_ends_its_requests_with_the_reason() -> None:
    settled = run(
        PENDING
        + """
        async function main() {
          add('point', calibrationRequest('point'));
          add('skip', calibrationRequest('skip'));
          add('effects', { isResponse: ({ type }) => type === 'effects' });
          cancel('the gaze tracker was restarted');
          await Promise.resolve();
          return settled;
        }"""
    )
    title, reason = "The calibration was cancelled", "the gaze tracker was restarted"
    assert settled == [["point", title, reason], ["skip", title, reason]]


def test_a_cancel_ends_the_requests_before_it_and_not_those_of_the_next_calibration() -> None:
    settled = run(
        PENDING
        + """
        async function main() {
          const actions = ['point', 'cancel', 'start', 'validate'];
          for (const action of actions) add(action, calibrationRequest(action));
          cancel(null);
          await Promise.resolve();
          requests.resolveAll({ type: 'calibration', state: 'collecting', reason: null });
          await Promise.resolve();
          return settled;
        }"""
    )
    assert settled == [
        ["point", "The calibration was cancelled", ""],
        ["cancel", "cancelled"],
        ["start", "collecting"],
    ]


def test_the_oldest_request_that_fits_is_answered_and_only_some_outlive_a_connection() -> None:
    settled, resent = run(
        PENDING
        + """
        async function main() {
          const isResponse = ({ type }) => type === 'effects';
          add('first', { isResponse, resend: { number: 1 } });
          add('second', { isResponse, resend: { number: 2 } });
          add('ping', { isResponse: ({ type }) => type === 'pong' });
          requests.resolve({ type: 'effects', state: 'first response' });
          requests.rejectLost({ title: 'Connection lost', detail: '' });
          await Promise.resolve();
          return [settled, requests.messagesToResend];
        }"""
    )
    assert settled == [["first", "first response"], ["ping", "Connection lost", ""]]
    assert resent == [{"number": 2}]


def test_the_position_runs_on_from_the_last_message_and_rests_while_paused() -> None:
    positions = run(
        """
        import { PlaybackPosition } from './playback-position.js';
        function main() {
          const playback = new PlaybackPosition();
          const seen = [playback.at(1000)];
          playback.update({ paused: false, position: 2 }, 1000);
          seen.push(playback.at(1500));
          playback.update({ paused: true, position: 3 }, 2000);
          seen.push(playback.at(9000));
          playback.seek(7, 9000);
          seen.push(playback.at(9500));
          playback.update({ paused: false, position: 7 }, 10000);
          seen.push(playback.at(9000), playback.at(12000));
          playback.reset();
          return [...seen, playback.at(13000)];
        }"""
    )
    assert positions == [None, 2.5, 3, 7, 7, 9, None]


def test_the_documentation_lists_every_public_member_of_the_client() -> None:
    members = run(
        """
        import { GazeClient } from './client.js';
        function main() {
          return Object.getOwnPropertyNames(GazeClient.prototype);
        }"""
    )
    assert "setEffects" in members
    section = (ROOT / "docs" / "sdk.md").read_text().partition("### GazeClient\n")[2]
    table = section.partition("\n### ")[0]
    missing = [name for name in members if f"`{name}" not in table]
    assert missing == ["constructor"]
