"""What limits clients: how many there may be, and how long each user's may take."""

import time

import psycopg

from support import processes
from support.case import PgweirTest, value
from support.pgweir import Pgweir, run_command
from support.postgres import APP_PASSWORD, Postgres


class LimitsTest(PgweirTest):
    @classmethod
    def make_pgweir(cls):
        url = cls.server.url()
        return Pgweir(config=f"""
            max_user_client_connections = 3
            idle_transaction_timeout_always = true
            [databases.app]
            url = "{url}"
            [databases.small]
            url = "{url}"
            max_db_client_connections = 2
            [users.single]
            password = "single's"
            max_user_client_connections = 1
            [users.hasty]
            password = "hasty's"
            idle_transaction_timeout = "500ms"
            client_idle_timeout = "1s"
            query_timeout = "500ms"
            [users.patient]
            password = "patient's"
            max_user_client_connections = 0
            """)

    def refusal(self, **options):
        with self.assertRaises(psycopg.OperationalError) as caught:
            self.pgweir.connect(**options)
        return str(caught.exception)

    def connects_again(self, **options):
        """The end of a connection reaches pgweir a moment after the client's close() returned."""
        def try_it():
            try:
                return self.connect(**options)
            except psycopg.OperationalError:
                return None
        return processes.wait_until(try_it, 5, "there is room again")

    def test_no_more_clients_of_a_database_than_it_may_have(self):
        patient = {"user": "patient", "password": "patient's"}
        first, second = (self.connect(database="small", **patient) for _ in range(2))
        told = self.refusal(database="small", **patient)
        self.assertIn('FATAL:  too many clients of database "small"', told)
        self.assertIn("max_db_client_connections", told)
        self.assertEqual(value(first, "select 1"), 1)
        self.connect(database="app", **patient)
        second.close()
        self.connects_again(database="small", **patient)

    def test_no_more_clients_of_a_user_than_it_may_have(self):
        single = {"user": "single", "password": "single's"}
        only = self.connect(**single)
        told = self.refusal(**single)
        self.assertIn('FATAL:  too many clients of user "single"', told)
        self.assertIn("max_user_client_connections", told)
        only.close()
        self.connects_again(**single)

    def test_users_that_are_not_listed_have_the_general_limit(self):
        connections = [self.connect() for _ in range(3)]
        self.assertIn('too many clients of user "app"', self.refusal())
        connections.pop().close()
        self.connects_again()

    def test_a_full_house_is_only_told_to_who_knows_the_password(self):
        only = self.connects_again(user="single", password="single's")
        self.assertIn("password authentication failed",
                      self.refusal(user="single", password="wrong"))
        only.close()

    def assert_ended(self, connection, sql, reason):
        with self.assertRaisesRegex(psycopg.OperationalError, reason):
            connection.execute(sql)

    def test_a_users_own_timeouts_hold(self):
        hasty = {"user": "hasty", "password": "hasty's"}
        busy, idle, in_transaction = (self.connect(**hasty) for _ in range(3))
        in_transaction.execute("begin")
        self.assert_ended(busy, "select pg_sleep(60)", "query timeout")
        time.sleep(2)
        self.assert_ended(idle, "select 1", "client_idle_timeout")
        self.assert_ended(in_transaction, "select 1", "idle-in-transaction timeout")
        patient = self.connect(user="patient", password="patient's")
        patient.execute("begin")
        time.sleep(1.2)
        self.assertEqual(value(patient, "select 1"), 1)


class AnybodyTest(PgweirTest):
    @classmethod
    def make_pgweir(cls):
        return Pgweir(config=f"""
            auth_type = "any"
            [databases.app]
            url = "{cls.server.url()}"
            """)

    def test_whoever_comes_is_the_databases_user_in_its_one_pool(self):
        for name in ("app", "somebody", "nobody"):
            with self.pgweir.connect(user=name, password="") as connection:
                self.assertEqual(value(connection, "select current_user"), "app")
        pools = [line for line in self.pgweir.http("/metrics")[1].splitlines()
                 if line.startswith("pgweir_servers{")]
        self.assertFalse([line for line in pools if "somebody" in line], pools)


class OwnUserTest(PgweirTest):
    """A database without a user of its own: clients' users are the server's."""

    @classmethod
    def make_pgweir(cls):
        return Pgweir(config=f"""
            max_user_connections = 1
            query_wait_timeout = "500ms"
            [databases.app]
            host = "127.0.0.1"
            port = {cls.server.port}
            [users.app]
            password = "{APP_PASSWORD}"
            """)

    def test_a_user_has_no_more_servers_than_it_may_have(self):
        holder, waiter = self.connect(), self.connect()
        holder.execute("begin")
        with self.assertRaises(psycopg.errors.TooManyConnections):
            waiter.execute("select 1")


class ServerLimitsTest(PgweirTest):
    """PostgreSQL's own limits, of roles and of databases, behind one pgweir."""

    CLIENTS = 30

    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Postgres(max_connections=30))
        with cls.server.superuser() as connection:
            for name in ("narrow", "moved"):
                connection.execute(
                    f"create role {name} login password '{name}''s' connection limit 3")
            connection.execute("create role ruler superuser login password 'ruler''s' "
                               "connection limit 1")
            connection.execute("create database small connection limit 2")
        cls.pgweir = cls.enterClassContext(cls.make_pgweir())
        cls.addClassCleanup(cls.check_log)
        processes.wait_until(lambda: cls.pgweir.health()["status"] == "ok", 10, "it has looked")

    @classmethod
    def make_pgweir(cls):
        entry = cls.server.url
        return Pgweir(config=f"""
            [databases.app]
            url = "{entry()}"
            [databases.narrow]
            url = "{entry('narrow', "narrow's")}"
            [databases.moved]
            url = "{entry('moved', "moved's")}"
            [databases.ruler]
            url = "{entry('ruler', "ruler's")}"
            [databases.small]
            url = "{entry(database='small')}"
            """)

    def most_served(self, entry, user="app", password=APP_PASSWORD):
        """Has all clients of an entry ask at once; how many servers they were seen to have."""
        connections = [self.connect(database=entry, user=user, password=password)
                       for _ in range(self.CLIENTS)]
        for connection in connections:
            connection.pgconn.send_query(b"select pg_sleep(0.05), pg_backend_pid()")
        results = [connection.pgconn.get_result() for connection in connections]
        self.assertFalse([r.error_message for r in results if r.error_message])
        for connection in connections:
            connection.close()
        self.assertFalse(self.server.refusals())
        return len({result.get_value(0, 1) for result in results})

    def test_another_roles_limit_holds_and_caps_nobody_else(self):
        self.assertEqual(self.most_served("narrow", "narrow", "narrow's"), 2)
        self.assertGreater(self.most_served("app"), 10)

    def test_a_databases_limit_holds(self):
        self.assertLessEqual(self.most_served("small"), 2)

    def test_superusers_are_held_to_no_limit_of_their_role(self):
        self.assertGreater(self.most_served("ruler", "ruler", "ruler's"), 10)

    def test_a_changed_limit_is_followed(self):
        moved = ("moved", "moved", "moved's")
        eye = self.superuser()
        self.assertEqual(self.most_served(*moved), 2)
        eye.execute("alter role moved connection limit 8")
        processes.wait_until(lambda: self.most_served(*moved) > 3, 40, "it has risen")
        eye.execute("alter role moved connection limit 2")
        time.sleep(6)
        self.assertEqual(self.most_served(*moved), 1)

    def test_check_and_health_tell_what_each_may_have(self):
        done = run_command("check", "--config", str(self.pgweir.directory / "config.toml"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"role +3  connection limit of the role")
        self.assertRegex(done.stdout, r"database +2  connection limit of the database")
        # Backends of the tests before may still be on their way out, and take up what they hold.
        processes.wait_until(lambda: self.pgweir.health()["server"]["usable"] > 20, 20,
                             "the server has room")
        self.assertGreater(self.pgweir.health()["pool"]["limit"], 20)
        self.assertIn('role "narrow": 3 connection limit of the role - 1 margin = 2',
                      self.pgweir.log())
