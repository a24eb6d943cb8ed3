"""What crosses the interface of sessions is plain and can be pickled."""

import dataclasses
import inspect
import pickle

from gaze.sessions.messages import SessionRequest
from gaze.sessions.registry import Sessions
from gaze.sessions.service import Messages, Opened, Restarted, SessionService
from tests.sessions.pickling import PicklingService

METHODS = [name for name in vars(SessionService) if not name.startswith("_")]


def test_all_data_survives_pickling() -> None:
    request = SessionRequest.model_validate(
        {"sdp": "v=0", "type": "offer", "tracks": {"film": "0"}, "effects": [{"name": "blur"}]}
    )
    data = [
        request,
        Opened("id", "v=0", '"etag"', "token", "observer"),
        Restarted("a=ice-ufrag:abcd", '"etag"'),
        Messages(('{"type":"pong"}',), closed=False),
    ]
    for one in data:
        assert pickle.loads(pickle.dumps(one)) == one
    assert pickle.loads(pickle.dumps(request)).model_fields_set == request.model_fields_set
    assert all(dataclasses.fields(kind) for kind in (Opened, Restarted, Messages))


def test_who_implements_it_has_every_method_as_it_is_declared() -> None:
    for name in METHODS:
        declared = inspect.signature(getattr(SessionService, name))
        for implementation in (Sessions, PicklingService):
            assert inspect.signature(getattr(implementation, name)) == declared, name
            assert inspect.iscoroutinefunction(getattr(implementation, name)), name
