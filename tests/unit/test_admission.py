"""Who may start next, how long that takes, and how often: pure logic."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from skipviz.engine.capacity.admission import FairQueue, Place, Room, Waiting
from skipviz.engine.capacity.expectation import Going, expected_waits, said
from skipviz.engine.capacity.starts import Starts, network_of

WIDE = Room(cores=1000, memory_mb=1e9)
"""Room for everybody."""
submissions = st.lists(st.sampled_from("abcde"), min_size=1, max_size=40)


def a_line(owners):
    line = FairQueue()
    for number, owner in enumerate(owners):
        line.add(Waiting(f"{owner}{number}", owner, 10.0))
    return line


def taken(line, room=WIDE):
    """Take runs as long as one may begin, giving back the room of each, and return them."""
    found = []
    while (waiting := line.take(room)) is not None:
        found.append(waiting)
    return found


@given(submissions)
def test_every_run_begins_and_a_browsers_own_begin_in_the_order_in_which_they_came(owners):
    line = a_line(owners)
    begun = [waiting.id for waiting in taken(line)]
    assert sorted(begun) == sorted(f"{owner}{number}" for number, owner in enumerate(owners))
    for owner in set(owners):
        own = [int(run[1:]) for run in begun if run[0] == owner]
        assert own == sorted(own)
    assert len(line) == 0


@given(submissions)
def test_the_order_told_is_the_order_in_which_runs_begin(owners):
    line = a_line(owners)
    told = [waiting.id for waiting in line.order()]
    assert told == [waiting.id for waiting in taken(line)]


@given(st.lists(st.one_of(st.sampled_from("abcde"), st.none()), min_size=2, max_size=120))
def test_no_browser_waits_for_more_than_one_run_of_any_other(happenings):
    """A letter: that browser submits one more run; None: a core gets free. Browsers' heads are watched throughout."""
    line = FairQueue()
    overtaken: dict[str, Counter] = {}
    for number, owner in enumerate(happenings):
        if owner is not None:
            if not line.of(owner):
                overtaken[owner] = Counter()
            line.add(Waiting(f"{owner}{number}", owner, 10.0))
            continue
        begun = line.take(WIDE)
        if begun is None:
            continue
        overtaken.pop(begun.owner)
        for waits in overtaken.values():
            waits[begun.owner] += 1
            assert waits[begun.owner] <= 1
        if line.of(begun.owner):
            overtaken[begun.owner] = Counter()


@given(submissions, st.integers(1, 3))
def test_a_browser_at_its_limit_is_passed_over_and_never_has_more_under_way(owners, limit):
    line = a_line(owners)
    begun = []
    while True:
        under_way = Counter(waiting.owner for waiting in begun)
        waiting = line.take(Room(cores=1000, memory_mb=1e9, under_way=under_way, browser_limit=limit))
        if waiting is None:
            break
        begun.append(waiting)
    assert Counter(waiting.owner for waiting in begun) == Counter(
        {owner: min(limit, count) for owner, count in Counter(owners).items()}
    )


def test_a_browser_that_was_held_up_by_its_own_limit_has_no_turns_saved_up():
    line = a_line("abbbbb")
    assert line.take(WIDE).owner == "a"
    at_limit = Room(cores=10, memory_mb=1e9, under_way=Counter("b"), browser_limit=1)
    line.add(Waiting("c1", "c", 10.0))
    line.add(Waiting("c2", "c", 10.0))
    assert [line.take(at_limit).id, line.take(at_limit).id] == ["c1", "c2"]
    line.add(Waiting("d", "d", 10.0))
    first_two = [line.take(WIDE).owner, line.take(WIDE).owner]
    assert sorted(first_two) == ["b", "d"]


def test_a_large_run_is_not_kept_waiting_by_small_ones():
    line = FairQueue()
    line.add(Waiting("large", "a", 900.0))
    line.add(Waiting("small", "b", 10.0))
    assert line.take(Room(cores=4, memory_mb=500)) is None
    assert line.take(Room(cores=4, memory_mb=900)).id == "large"


def test_a_run_that_begins_paused_needs_no_core_and_one_that_comes_back_no_memory():
    line = FairQueue()
    line.add(Waiting("plain", "a", 10.0))
    line.add(Waiting("paused", "b", 10.0, cores=0.0))
    assert line.take(Room(cores=0, memory_mb=100)).id == "paused"
    line.remove("plain")
    line.add(Waiting("later", "c", 10.0))
    line.add(Waiting("back", "c", 0.0), first=True)
    full = Room(cores=1, memory_mb=0, under_way=Counter("c"), browser_limit=1)
    assert [line.take(full).id, line.take(full)] == ["back", None]


def test_expected_waits_follow_from_the_runs_under_way():
    order = [Waiting(name, name, 10.0) for name in "xyz"]
    going = [Going("a", 1.0, 10.0, 20.0), Going("b", 1.0, 10.0, 50.0)]
    waits = expected_waits(order, going, Room(cores=0, memory_mb=1e6), lambda _: 100.0)
    assert waits == {"x": 20.0, "y": 50.0, "z": 120.0}


def test_nothing_is_said_of_a_wait_about_which_nothing_was_measured():
    order = [Waiting(name, name, 10.0) for name in "xyz"]
    room = Room(cores=0, memory_mb=1e6)
    assert expected_waits(order, [Going("a", 1.0, 10.0, None)], room, lambda _: 5.0) == {}
    assert expected_waits(order, [Going("a", 1.0, 10.0, 7.0)], room, lambda _: None) == {"x": 7.0}


def test_a_wait_counts_the_browsers_own_limit():
    order = [Waiting("a2", "a", 10.0), Waiting("b1", "b", 10.0)]
    going = [Going("a", 1.0, 10.0, 30.0)]
    room = Room(cores=1, memory_mb=1e6, under_way=Counter("a"), browser_limit=1)
    assert expected_waits(order, going, room, lambda _: 5.0) == {"b1": 0.0, "a2": 30.0}


def test_a_wait_is_told_in_round_numbers():
    assert [said(seconds) for seconds in (None, 0.2, 12, 58, 95, 610, 3590, 86_340)] == [None, 5, 10, 60, 90, 600, 3600, 3600]


def test_an_address_starts_so_many_runs_a_minute_however_many_browsers_it_has():
    now = [0.0]
    starts = Starts(clock=lambda: now[0])
    told = [starts.refusal("10.0.0.1", f"browser {number}", 5, 100) for number in range(6)]
    assert told[:5] == [None] * 5
    assert told[5] == "this address may start 5 runs a minute on this server: try again in 12 s"
    assert starts.refusal("10.0.0.2", "browser 0", 5, 100) is None
    now[0] += 12
    assert starts.refusal("10.0.0.1", "browser 6", 5, 100) is None
    assert starts.refusal("10.0.0.1", "browser 6", 5, 100) is not None


def test_a_browser_has_a_finer_limit_and_a_refused_start_costs_the_address_nothing():
    starts = Starts(clock=lambda: 0.0)
    told = [starts.refusal("10.0.0.1", "mine", 4, 2) for _ in range(9)]
    assert told[:2] == [None, None]
    assert told[-1].startswith("this browser may start 2 runs a minute")
    assert [starts.refusal("10.0.0.1", "other", 4, 2) for _ in range(2)] == [None, None]


def test_an_ipv6_host_is_its_network_of_64_bits():
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:1") == "2001:db8::/64"
    assert network_of("::ffff:10.1.2.3") == network_of("10.1.2.3") == "10.1.2.3"
    assert network_of("testclient") == "testclient"


def test_on_a_cluster_a_run_begins_where_one_node_has_room_for_all_of_it():
    line = FairQueue()
    line.add(Waiting("large", "a", 600.0))
    narrow = Room(cores=4, memory_mb=1000, places=(Place("x", 2, 500), Place("y", 2, 500)))
    assert line.take(narrow) is None
    wide = Room(cores=4, memory_mb=1100, places=(Place("x", 2, 500), Place("y", 2, 600)))
    assert line.take(wide).id == "large"
    assert wide.place_for(Waiting("large", "a", 600.0)).name == "y"


def test_on_a_cluster_runs_spread_over_the_nodes():
    nodes, begun = [Place("x", 2, 1000), Place("y", 3, 1000)], []
    for number in range(5):
        place = Room(cores=0, memory_mb=0, places=tuple(nodes)).place_for(Waiting(str(number), "a", 100.0))
        begun.append(place.name)
        nodes = [node.without(1, 100) if node is place else node for node in nodes]
    assert sorted(begun) == ["x", "x", "y", "y", "y"]
    assert begun[:2] in (["y", "x"], ["y", "y"])
    assert Room(cores=0, memory_mb=0, places=tuple(nodes)).place_for(Waiting("more", "a", 100.0)) is None


def test_a_run_that_comes_back_from_a_pause_waits_for_a_core_of_its_own_node():
    places = (Place("x", 0, 1000), Place("y", 2, 1000))
    line = FairQueue()
    line.add(Waiting("paused", "a", 0.0, place="x"))
    line.add(Waiting("new", "b", 100.0))
    room = Room(cores=2, memory_mb=2000, places=places)
    assert line.take(room).id == "new"
    assert line.take(room) is None
    assert line.take(Room(cores=1, memory_mb=0, places=(Place("x", 1, 0),))).id == "paused"


def test_a_run_that_takes_a_share_of_a_gpu_waits_for_one_and_holds_up_nobody():
    line = FairQueue()
    line.add(Waiting("cuda", "a", 100.0, gpus=0.5))
    line.add(Waiting("cpu", "b", 100.0))
    room = Room(cores=4, memory_mb=1000, places=(Place("x", 4, 1000, gpus=0.25),))
    assert line.take(room).id == "cpu"
    assert line.take(room) is None
    assert line.take(Room(cores=4, memory_mb=1000, places=(Place("x", 4, 1000, gpus=0.5),))).id == "cuda"


def test_a_cluster_without_nodes_has_room_for_nobody():
    line = a_line("ab")
    assert line.take(Room(cores=0, memory_mb=0, places=())) is None
    assert len(line) == 2
