"""What the ring makes of strace's and callgrind's words, and of its limits."""

import unittest

from ring import profiling, tracing
from ring.limits import LIMITS, MEANINGS, Limit

TRACE = """\
7<pgweir> 10.000001 execve("pgweir", 0x7ffc /* 3 vars */) = 0
9<pgweir-data> 19.999999 sendto(12, ""..., 77, MSG_NOSIGNAL, NULL, 0) = 77
9<pgweir-data> 20.000001 epoll_pwait2(4, [{events=EPOLLIN}], 64, NULL, NULL, 8) = 1
8<pgweir-login> 20.000002 recvfrom(13, ""..., 65536, 0, NULL, NULL) = 77
9<pgweir-data> 20.000003 recvfrom(12,  <unfinished ...>
7<pgweir> 20.000004 futex(0x7f, FUTEX_WAKE_PRIVATE, 1) = 1
9<pgweir-data> 20.000005 <... recvfrom resumed> ""..., 65536, 0, NULL, NULL) = 77
9<pgweir-data> 20.000006 sendto(14, ""..., 77, MSG_NOSIGNAL, NULL, 0) = 77
9<pgweir-data> 20.000007 sendmsg(14, {msg_name=NULL}, MSG_NOSIGNAL) = 77
9<pgweir-data> 20.000008 recvfrom(14, 0x7f, 65536, 0, NULL, NULL) = -1 EAGAIN (Again)
9<pgweir-data> 21.000001 epoll_ctl(4, EPOLL_CTL_DEL, 14, 0x7f) = 0
"""
PROFILE = """\
positions: line
events: Ir
summary: 1918
fn=operator new(unsigned long)
7 20
cfn=malloc
calls=4 0
8 600
fn=pgweir::base::ByteQueue::push(std::span<std::byte const>)
15 9
cfn=operator new(unsigned long)
calls=3 0
16 400
cfn=operator new[](unsigned long)
calls=2 0
17 400
cfn=pgweir::base::ByteQueue::pop(unsigned long)
calls=9 0
18 400
fn=strdup
5 9
cfn=malloc
calls=1 0
6 80
"""


class CountingTest(unittest.TestCase):
    def test_only_calls_of_data_reactors_within_the_lap_count_and_each_once(self):
        calls = tracing.count_calls(TRACE.splitlines(), 20, 21)
        self.assertEqual(calls, {"epoll_pwait2": 1, "recvfrom": 2, "sendto": 1, "sendmsg": 1})

    def test_calls_of_other_threads_count_where_they_are_asked_for(self):
        calls = tracing.count_calls(TRACE.splitlines(), 20, 20.000003, ("pgweir-login",))
        self.assertEqual(calls, {"recvfrom": 1})

    def test_waiting_for_events_is_no_call_that_counts(self):
        calls = {"epoll_pwait2": 70, "recvfrom": 20, "sendto": 10, "sendmsg": 10, "epoll_ctl": 1}
        figures = tracing.figures_of(calls, 10)
        self.assertEqual(figures["syscalls"].value, 4.1)
        self.assertEqual(figures["sends"].value, 2)
        self.assertEqual(figures["epoll_ctl"].value, 0.1)
        self.assertIn("recvfrom 2", figures["syscalls"].detail)

    def test_an_allocation_is_counted_where_it_is_asked_for(self):
        profile = profiling.Profile(PROFILE.splitlines())
        figures = profile.figures(2)
        self.assertEqual(figures["allocations"].value, 3)
        self.assertEqual(figures["allocations"].detail.split("; ")[1], "0.5 in strdup")
        self.assertIn("2.5 in pgweir::base::ByteQueue::push", figures["allocations"].detail)

    def test_an_instruction_is_counted_in_the_function_that_has_it(self):
        instructions = profiling.Profile(PROFILE.splitlines()).figures(2)["instructions"]
        self.assertEqual(instructions.value, 19)
        self.assertTrue(instructions.detail.startswith("10 in operator new(unsigned long); "))

    def test_what_goes_by_the_clock_is_forgiven_and_no_more(self):
        limit = Limit("allocations", "simple/1", 0, 0)
        self.assertTrue(limit.holds(0.004))
        self.assertFalse(limit.holds(0.006))

    def test_each_limit_has_a_meaning_and_a_name_of_its_own(self):
        self.assertEqual(len({limit.name for limit in LIMITS}), len(LIMITS))
        self.assertEqual({limit.figure for limit in LIMITS}, set(MEANINGS))


if __name__ == "__main__":
    unittest.main()
