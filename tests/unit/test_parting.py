"""A server that is told to stop stays a moment for pages that only ask from time to time, and for nobody else."""

from skipviz.web.http.parting import ASKING, RESTARTS, STAYS, Parting


def test_a_server_that_no_page_asks_stops_at_once():
    parting = Parting()
    assert parting.tell() == 0
    assert parting.told() == RESTARTS


def test_a_page_that_asks_is_told_before_the_server_goes_and_a_second_signal_waits_for_nobody():
    parting = Parting()
    assert parting.told() == ""
    assert parting.tell() == STAYS > ASKING
    assert parting.told() == RESTARTS
    assert parting.tell() == 0


def test_the_next_server_of_a_process_says_nothing():
    parting = Parting()
    parting.tell()
    parting.begin()
    assert parting.told() == ""
