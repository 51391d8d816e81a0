"""Random conversations of PostgreSQL clients: what each of several clients sends, turn after turn.

A conversation follows from its seed alone. Left out are the limits that the decisions 0006 and 0008
name: parameters with a dot, `currval` and `lastval`, a table that only some can see when a Parse
stands alone, a statement kept over a change of how its literals are read; and what two backends
never have in common (pids, times, random numbers). Left out, too, because pgweir may answer
otherwise: a statement that the server lacks, used in two pipelines of which the second is sent
before the first has failed; RESET and DISCARD ALL with more behind them in one pipeline or text.
"""

import random
import struct
from typing import NamedTuple

from support import wire

# What a client may bring along: the servers are shared by clients that differ.
STARTUPS = [
    {}, {"DateStyle": "ISO, DMY"}, {"DateStyle": "German"}, {"TimeZone": "Asia/Tokyo"},
    {"application_name": "twin"}, {"client_encoding": "LATIN1"}, {"extra_float_digits": "2"},
    {"options": "-c work_mem=9MB -c search_path=other,public"}, {"IntervalStyle": "iso_8601"}]

# An owner's statements before the first conversation.
SCHEMA = [
    "create table things (id int, name text)",
    "insert into things select g, 'thing ' || g from generate_series(1, 30) g",
    "create schema other",
    "create table other.things (name text, id int, price numeric)",
    "insert into other.things values ('gold', 1, 9.5), ('lead', 2, null)",
    "create table sink (id int, name text)"]

# An @ stands for the number of the client: what clients do must not depend on each other.
QUERIES = [
    "select 1", "select 2, 'two', null", "select $1::text || '!'", "select $1::int + 1",
    "select * from things order by id", "select name from things where id = $1",
    "select count(*) from sink", "select generate_series(1, 3)", "values (1, 'a'), (2, 'b')",
    "insert into sink values (1, 'one')", "insert into sink values ($1, 'bound') returning *",
    "update sink set name = 'new' where false", "delete from sink where false", "",
    "select 'é'", "select 0.1::float8 + 0.2", "select current_user", "table things limit 1",
    "select $1::timestamptz", "explain (costs off) select 1", "  /* a comment */  "]
TRANSACTIONS = [
    "begin", "begin", "begin", "commit", "commit", "commit", "rollback", "rollback", "end", "abort",
    "savepoint s", "savepoint s", "rollback to s", "release s", "commit and chain",
    "rollback and chain", "start transaction isolation level serializable read only",
    "set transaction read only", "show transaction_isolation", "show transaction_read_only"]
SETTINGS = [
    "set work_mem = '5MB'", "set local work_mem = '6MB'", "set search_path = other, public",
    "set search_path to default", "set timezone = 'Asia/Tokyo'", "set time zone 'UTC'",
    "set datestyle = 'German'", "set local datestyle to 'SQL, DMY'", "set names 'UTF8'",
    "set client_encoding = 'LATIN1'", "set application_name = 'renamed'",
    "set intervalstyle = 'sql_standard'", "set extra_float_digits = 1", "set bytea_output = escape",
    "set statement_timeout = '100s'", "set standard_conforming_strings = off",
    "set session characteristics as transaction read only",
    "set session characteristics as transaction read write",
    "select set_config('work_mem', '7MB', true)", "select set_config('work_mem', '8MB', false)",
    "set bogus = 1", "set timezone = 'Nowhere'", "set work_mem = '1kB'"]
LOOKS = [
    "show work_mem", "show search_path", "show timezone", "show datestyle", "show intervalstyle",
    "show client_encoding", "show application_name", "show statement_timeout",
    "show bytea_output", "show standard_conforming_strings", "show default_transaction_read_only",
    "select '2024-02-01'::date", "select interval '1 day 2 hours'", r"select '\x4142'::bytea"]
RESETS = [
    "reset work_mem", "reset search_path", "reset timezone", "reset datestyle",
    "reset client_encoding", "reset application_name", "reset all", "discard plans",
    "discard sequences", "discard temp"]
FORGETTING = ["discard all", "deallocate all", "deallocate prepare all"]
SESSIONS = [
    "prepare p as select 9", "execute p", "prepare p (int) as select $1", "execute p(3)",
    "declare c cursor for select generate_series(1, 5)", "fetch 2 from c", "close c",
    "declare h cursor with hold for select generate_series(1, 5)", "fetch 1 from h", "close h",
    "create temp table if not exists mine (id int)", "drop table if exists pg_temp.mine",
    "deallocate p", "listen news_@", "unlisten *", "notify news_@, 'read me'", "set role none",
    "select pg_try_advisory_lock_shared(1)", "select pg_advisory_unlock_all()"]
ERRORS = [
    "select 1 / 0", "selec", "select * from nosuch", "select 'a'::int", "execute nosuch",
    "commit prepared 'nosuch'", "select 1 / (id - 3) from generate_series(1, 5) id"]
NOTICES = [
    "do $$ begin raise notice 'mind the %', 'gap'; end $$", "drop table if exists nosuch",
    "do $$ begin raise warning using errcode = '01ABC', detail = 'more', hint = 'less'; end $$"]
# How a literal is read is fixed when it is parsed, so these are not for statements that are kept.
READINGS = [
    "select '01/02/2024'::date", "select '2024-02-01 00:00'::timestamptz", r"select 'a\'||'b'"]
COPIES_OUT = [
    "copy things to stdout", "copy (select 1, 'one') to stdout (format binary)",
    "copy (select 1 / (id - 2) from generate_series(1, 3) id) to stdout"]
COPIES_IN = ["copy sink from stdin", "copy sink from stdin (format csv)"]
TEXTS = [QUERIES, QUERIES, TRANSACTIONS, TRANSACTIONS, SETTINGS, LOOKS, LOOKS, SESSIONS, ERRORS,
         NOTICES, COPIES_OUT]
NAMES = [b"a", b"b", b"c", b"d"]
TEXT_OID, INT4_OID = 25, 23
INT4ABS_OID, INT4DIV_OID = 1397, 154


class Turn(NamedTuple):
    client: int
    messages: list
    is_slow: bool  # Byte by byte.


def make_conversation(seed, turn_count=60, clients_max=4):
    """The startup parameters of each client, and all turns."""
    chance = random.Random(seed)
    startups = chance.choices(STARTUPS, k=chance.randint(1, clients_max))
    speakers = [_Speaker(chance, number) for number in range(len(startups))]
    return startups, [chance.choice(speakers).turn() for _ in range(turn_count)]


class _Speaker:
    def __init__(self, chance, number):
        self.chance = chance
        self.number = number

    def turn(self):
        if self.happens(0.05):
            return Turn(self.number, self.forget(), is_slow=False)
        messages = []
        pipelines = [self.pipeline, self.pipeline_of_the_unnamed, self.pipeline_of_the_unnamed]
        for pipeline in pipelines[:self.few()]:
            messages += pipeline() if self.happens(0.55) else self.simple()
        if messages[-1] == wire.SYNC and self.happens(0.1):
            messages[-1] = wire.FLUSH  # The next turn goes on behind it.
        return Turn(self.number, messages, is_slow=self.happens(0.05))

    def happens(self, probability):
        return self.chance.random() < probability

    def few(self):
        return self.chance.choice([1, 1, 1, 2, 3])

    def text(self, *more):
        text = self.chance.choice(self.chance.choice([*TEXTS, *more]))
        return text.replace("@", str(self.number))

    def forget(self):
        text = self.chance.choice([*RESETS, *FORGETTING, "deallocate a", "deallocate d"])
        return self.chance.choice([
            [wire.query(text)],
            [wire.parse(text), wire.bind(), wire.execute(), wire.SYNC]])

    def simple(self):
        """Messages that are answered by one ReadyForQuery."""
        kind = self.chance.random()
        if kind < 0.05:
            return [wire.function_call(INT4ABS_OID, self.chance.randint(-9, 9))]
        if kind < 0.08:
            return [wire.function_call(INT4DIV_OID, 1, 0)]
        texts = [self.text(READINGS) for _ in range(self.few())]
        if self.happens(0.1):
            texts[-1] = self.chance.choice(RESETS + FORGETTING)
        if kind < 0.2:
            texts.insert(self.chance.randint(0, len(texts)), self.chance.choice(COPIES_IN))
            return [wire.query("; ".join(texts)), *self.rows()]
        return [wire.query(self.chance.choice(["; ", ";"]).join(texts))]

    def rows(self):
        """What a client sends into a COPY, whether one is open or not."""
        data = self.chance.choice([b"1\tone\n2\t\\N\n", b"3,three\n", b"", b"nonsense\n"])
        half = self.chance.randint(0, len(data))
        ending = wire.copy_fail(b"enough") if self.happens(0.2) else wire.COPY_DONE
        return [wire.copy_data(data[:half]), wire.copy_data(data[half:]), ending]

    def pipeline(self):
        """Messages of the extended protocol up to their Sync."""
        messages = []
        for _ in range(self.chance.randint(1, 4)):
            messages += self.chance.choices(
                [self.prepare_and_run, self.run, self.copy_in, self.close, self.describe,
                 lambda: [wire.FLUSH], lambda: [wire.query(self.text())], self.forget_statements],
                weights=[50, 30, 4, 10, 6, 5, 3, 3])[0]()
        return [*messages, wire.SYNC]

    def pipeline_of_the_unnamed(self):
        messages = []
        for _ in range(self.few()):
            messages += self.prepare_and_run(b"")
        return [*messages, wire.SYNC]

    def forget_statements(self):
        return [wire.parse("deallocate all"), wire.bind(), wire.execute()]

    def statement_name(self):
        return self.chance.choice([b"", b"", b"", *NAMES])

    def portal_name(self):
        return self.chance.choice([b"", b"", b"", b"p"])

    def prepare_and_run(self, name=None):
        name = self.statement_name() if name is None else name
        text = self.text()
        has_parameter = "$1" in text and not text.startswith("prepare")
        types = [TEXT_OID if "text" in text else INT4_OID] if has_parameter and self.happens(
            0.3) else []
        messages = [wire.parse(text, name, types)]
        if name and self.happens(0.4):
            messages.insert(0, wire.close_statement(name))
        if self.happens(0.2):
            return messages  # Prepared for later.
        return messages + self.run(name, int(has_parameter))

    def run(self, name=None, value_count=None):
        name = self.statement_name() if name is None else name
        if value_count is None or self.happens(0.03):
            value_count = self.chance.choice([0, 0, 1])
        portal = self.portal_name()
        messages = [wire.describe_statement(name)] if self.happens(0.2) else []
        messages.append(self.bind(portal, name, value_count))
        if self.happens(0.5):
            messages.append(wire.describe_portal(portal))
        rows_max = self.chance.choice([0, 0, 0, 1, 2])
        messages += [wire.execute(portal, rows_max)] * self.chance.choice([1, 1, 1, 2])
        if self.happens(0.1):
            messages.append(wire.close_portal(portal))
        return messages

    def bind(self, portal, name, value_count):
        text, binary = self.chance.choice([(b"5", False), (None, False), (b"x", False),
                                           (struct.pack("!i", 6), True)])
        return wire.bind(portal, name, [text] * value_count, [1] if binary else [],
                         self.chance.choice([[], [], [], [0], [1]]))

    def copy_in(self):
        # Its name is its own: who ran it without rows behind it would wait for ever.
        name = b"copy"
        return [wire.close_statement(name), wire.parse(self.chance.choice(COPIES_IN), name),
                wire.bind(b"", name), wire.execute(), *self.rows()]

    def close(self):
        return [self.chance.choice([wire.close_statement(self.statement_name()),
                                    wire.close_portal(self.portal_name())])]

    def describe(self):
        return [self.chance.choice([wire.describe_statement(self.statement_name()),
                                    wire.describe_portal(self.portal_name())])]
