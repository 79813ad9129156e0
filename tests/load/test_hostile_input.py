"""Whatever is sent is taken or refused with one sentence, within a second and 200 MB; the short form, see `hostile.py`."""

from __future__ import annotations

import os

import pytest
from hostile import CASES, PHASES, bounded, cases, is_one_sentence, tell
from hypothesis import HealthCheck, given, settings

from skipviz.sharing import link
from skipviz.tasks import presets, upload
from skipviz.tasks.experiment import Experiment, ExperimentError, experiment_from_json
from skipviz.tasks.own import UploadError
from skipviz.tasks.uploads import Uploads
from skipviz.web.session_state.suggested_fix import suggested_fix_of
from skipviz.web.sidebar.reading import reading_of

many = settings(max_examples=CASES, phases=PHASES, deadline=None, suppress_health_check=list(HealthCheck))
AT = presets.get("vanishing-plain")
"""What is on the editor when a link or a file is opened."""


@pytest.fixture(scope="module", autouse=True)
def told():
    """Tell what all cases came to."""
    yield
    tell()


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Where the server keeps what was read of files."""
    return Uploads(tmp_path_factory.mktemp("uploads"))


@many
@given(cases("LINKS"))
def test_a_link_opens_or_is_refused_or_is_offered_mended(text):
    with bounded("links") as tried:
        try:
            assert isinstance(link.decode(text), Experiment)
            tried.taken += 1
        except link.LinkError as error:
            assert is_one_sentence(error)  # noqa: PT017
            offer = suggested_fix_of(error.mismatch, AT)
            assert offer is None or is_one_sentence(offer.sentence)


@many
@given(cases("DOCUMENTS"))
def test_a_file_of_the_lab_opens_or_is_refused_or_is_offered_mended(content):
    text = content.decode("utf-8", "replace")
    with bounded("documents") as tried:
        try:
            assert isinstance(experiment_from_json(text), Experiment)
            tried.taken += 1
        except ExperimentError as error:
            assert is_one_sentence(error)  # noqa: PT017
            offer = suggested_fix_of(error.mismatch, AT)
            assert offer is None or is_one_sentence(offer.sentence)


@many
@given(cases("FILES"))
def test_a_file_is_read_and_kept_or_is_refused_and_no_pickle_is_opened(kept, sent):
    with bounded("files") as tried:
        try:
            data = upload.read(*sent)
            own = upload.described(data)
            kept.keep(data)
            assert kept.load(own).digest() == own.digest
            reading = reading_of(data)
            assert "<script" not in reading.columns_html() + reading.preview_html()
            tried.taken += 1
        except UploadError as error:
            assert is_one_sentence(error)  # noqa: PT017
    assert not os.path.exists("pickle-was-opened")
