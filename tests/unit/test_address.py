"""Which address counts as a visitor's."""

from skipviz.web.session_state.address import address_from, address_of


def test_without_trusted_proxies_nobody_can_say_that_he_is_somebody_else():
    assert address_from("198.51.100.1", "203.0.113.9", 0) == "198.51.100.1"


def test_a_trusted_proxys_word_counts_and_what_stands_before_it_does_not():
    claimed = "203.0.113.9, 198.51.100.7"
    assert address_from("10.0.0.1", claimed, 1) == "198.51.100.7"
    assert address_from("10.0.0.1", claimed, 2) == "203.0.113.9"
    assert address_from("10.0.0.1", claimed, 3) == "10.0.0.1"
    assert address_from("10.0.0.1", "nonsense", 1) == "10.0.0.1"


def test_a_request_carries_its_address():
    scope = {"client": ("10.0.0.1", 1234), "headers": [(b"x-forwarded-for", b"203.0.113.9"), (b"x-forwarded-for", b"2001:db8::1")]}
    assert [address_of(scope, proxies) for proxies in (0, 1, 2)] == ["10.0.0.1", "2001:db8::1", "203.0.113.9"]
    assert address_of({"client": None, "headers": []}, 0) == "127.0.0.1"
