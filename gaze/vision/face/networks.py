"""Runs MediaPipe's face networks, in the caller's thread and without MediaPipe itself.

LiteRT lacks the operations that MediaPipe adds of its own, so a network that has them is cut into
the parts between. What the networks' insides are called is private to MediaPipe:
gaze.vision.face.model_files checks the files, and tests/vision/face/test_finder.py holds the
outcome against what MediaPipe's FaceMesh found with them.
"""

import copy
from functools import cache
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from gaze.vision.face import model_files

Tensor = NDArray[np.float32]


class Network:
    """A network, or a part of one; tensors are float32. Not for several threads at once.

    The tensors are the network's own memory: none may be referenced while it runs.

    Parameters
    ----------
    file : str
        Name of the model file.
    inputs, outputs : tuple of str
        Names of the tensors between which the part lies.
    """

    def __init__(self, file: str, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> None:
        self._run = Interpreter(model_content=_part(file, inputs, outputs), num_threads=1)
        self._run.allocate_tensors()
        self._inputs, self._outputs = (
            [self._run.tensor(each["index"]) for each in details]
            for details in (self._run.get_input_details(), self._run.get_output_details())
        )

    @property
    def inputs(self) -> list[Tensor]:
        """The tensors that `run` reads; each has a first axis of length 1."""
        return [tensor() for tensor in self._inputs]

    def run(self) -> list[Tensor]:
        """Run the network on the content of `inputs` and return its outputs.

        Raises
        ------
        RuntimeError
            A tensor is still referenced.
        """
        self._run.invoke()
        return [tensor() for tensor in self._outputs]


@cache
def _part(file: str, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> bytes:
    """Return the part of a network as a model of its own."""
    model = _load(file)
    whole = model.subgraphs[0]
    numbers = {tensor.name.decode(): number for number, tensor in enumerate(whole.tensors)}
    first, last = [numbers[name] for name in inputs], [numbers[name] for name in outputs]
    maker = {int(output): step for step in whole.operators for output in step.outputs}

    taken: dict[int, Any] = {}
    wanted = list(last)
    while wanted:
        each = None if (number := wanted.pop()) in first else maker.get(number)
        if each is not None and id(each) not in taken:
            taken[id(each)] = each
            wanted += [int(number) for number in each.inputs if number >= 0]
    operators = [each for each in whole.operators if id(each) in taken]
    used = sorted(
        {int(one) for each in operators for one in (*each.inputs, *each.outputs) if one >= 0}
    )
    renumbered = {number: position for position, number in enumerate(used)} | {-1: -1}

    part = schema.ModelT()
    part.version, part.operatorCodes = model.version, model.operatorCodes
    part.buffers = [schema.BufferT()]
    graph = schema.SubGraphT()
    part.subgraphs = [graph]
    graph.tensors, graph.operators = [], []
    for number in used:
        tensor = copy.copy(whole.tensors[number])
        buffer = model.buffers[tensor.buffer]
        tensor.buffer = 0
        if buffer.data is not None:
            tensor.buffer = len(part.buffers)
            part.buffers.append(buffer)
        graph.tensors.append(tensor)
    for operator in operators:
        renamed = copy.copy(operator)
        renamed.inputs = [renumbered[int(each)] for each in operator.inputs]
        renamed.outputs = [renumbered[int(each)] for each in operator.outputs]
        graph.operators.append(renamed)
    graph.inputs = [renumbered[number] for number in first]
    graph.outputs = [renumbered[number] for number in last]
    builder = flatbuffers.Builder(1 << 22)
    builder.Finish(part.Pack(builder), b"TFL3")
    return bytes(builder.Output())


@cache
def _load(file: str) -> Any:  # noqa: ANN401 - generated code without types
    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(model_files.read(file), 0))
