"""Whatever is sent is taken or refused with one sentence, within a second and 200 MB; the short form, see `hostile.py`."""

from __future__ import annotations

import os

from hostile import CASES, FILES, LINKS, bounded
from hypothesis import HealthCheck, given, settings

from skipviz.sharing import link
from skipviz.tasks import upload
from skipviz.tasks.experiment import Experiment
from skipviz.tasks.own import UploadError

many = settings(max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck))


def is_one_sentence(error) -> bool:
    """Return whether an error is for a person: one line, not long, without code."""
    text = str(error)
    return 0 < len(text) < 600 and "\n" not in text and "Traceback" not in text and "object at 0x" not in text


@many
@given(LINKS)
def test_a_link_opens_or_is_refused(text):
    with bounded():
        try:
            assert isinstance(link.decode(text), Experiment)
        except link.LinkError as error:
            assert is_one_sentence(error)  # noqa: PT017


@many
@given(FILES)
def test_a_file_is_read_or_is_refused_and_no_pickle_is_opened(sent):
    with bounded():
        try:
            upload.described(upload.read(*sent))
        except UploadError as error:
            assert is_one_sentence(error)  # noqa: PT017
    assert not os.path.exists("pickle-was-opened")
