"""Measures networks at initialisation, one after the other, in a process that lasts. Imports torch, never streamlit."""

from __future__ import annotations

from ...learning.setup import prepare
from ...tasks.experiment import Experiment
from ...tasks.uploads import Uploads
from ..capacity import limits
from .channel import Channel, line, serve_over_pipes
from .trainers import trainer_for
from .wire import encode, encode_frame


def serve(channel: Channel) -> None:
    """Answer `{"probe": number, "experiment": …}` with the header and a frame with baseline and picture, for ever."""
    prepare()
    first = channel.receive()
    limits.bound_memory(first["memory_mb"])
    uploads = Uploads(first["uploads"])
    while True:
        request = channel.receive()
        try:
            trainer = trainer_for(Experiment.kept(request["experiment"]), uploads=uploads)
            header, frame = encode(trainer.header()), encode_frame(trainer.measure(baseline=True, picture=True))
            channel.write(b'probe [%d,{"header":%b,"frame":%b},null]\n' % (request["probe"], header, frame))
        except Exception as error:
            channel.write(line("probe", [request["probe"], None, limits.reason(error, first["memory_mb"])]))
        trainer = None


if __name__ == "__main__":
    serve_over_pipes(serve)
