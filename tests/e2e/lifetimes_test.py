"""How long a server lives: its successor comes first, the minimum is kept, and rest is rest."""

import contextlib

from support import processes
from support.case import PgweirTest, value

# With fewer than four connections pgweir has none of its own, so that these are a pool's servers.
SERVERS = "select coalesce(array_agg(pid), '{}') from pg_stat_activity where usename = 'app'"


class LifetimesTest(PgweirTest):
    def setUp(self):
        self.eye = self.superuser()

    def servers(self):
        return set(value(self.eye, SERVERS))


class MinimumTest(LifetimesTest):
    # The successor has a tenth of the lifetime to come, which is enough on a busy machine, too.
    url_parameters = {"connection_limit": 3, "min_pool_size": 2, "max_connection_lifetime": "5s",
                      "max_idle_connection_lifetime": "1"}

    def test_all_are_replaced_one_by_one_and_never_fewer_than_the_minimum(self):
        seen = processes.wait_until(lambda: len(self.servers()) >= 2 and self.servers(), 10,
                                    "the minimum is there")
        counts = set()

        def is_replaced():
            servers = self.servers()
            counts.add(len(servers))
            return not servers & seen

        processes.wait_until(is_replaced, 20, "others are there")
        self.assertLessEqual(counts, {2, 3})


class UnusedTest(LifetimesTest):
    url_parameters = {"connection_limit": 3, "max_connection_lifetime": "1s",
                      "max_idle_connection_lifetime": "4"}

    def test_a_pool_that_nobody_uses_comes_to_rest_although_lifetimes_are_shorter(self):
        with contextlib.ExitStack() as stack:
            for _ in range(2):
                stack.enter_context(self.pgweir.connect()).execute("begin")
            first = self.servers()
        processes.wait_until(lambda: not self.servers() & first, 10, "they are replaced")
        processes.wait_until(lambda: not self.servers(), 15, "none is left")
