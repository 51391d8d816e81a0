"""Client programs of PostgreSQL, run against a URL."""

import os

from support import processes


def _environment():
    return {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "PGCONNECT_TIMEOUT": "20"}


def psql(url, *arguments, input="", check=True):
    """Unaligned rows on stdout, errors with their SQLSTATE on stderr; as bytes in, text out."""
    done = processes.run(
        [processes.postgres_program("psql"), url, "-XAtq", "-v", "VERBOSITY=verbose", *arguments],
        input=input, env=_environment())
    if check and done.returncode != 0:
        raise AssertionError(f"psql ended with {done.returncode}: {done.stderr}")
    return done


def pgbench(url, *arguments):
    done = processes.run([processes.postgres_program("pgbench"), *arguments, url],
                         env=_environment())
    if done.returncode != 0:
        raise AssertionError(f"pgbench ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


def pgbench_sums(server):
    """What each of pgbench's transactions adds to four tables; they differ if one was lost or done
    twice."""
    with server.connect() as connection:
        return connection.execute("""
            select (select sum(abalance) from pgbench_accounts),
                   (select sum(bbalance) from pgbench_branches),
                   (select sum(tbalance) from pgbench_tellers),
                   (select sum(delta) from pgbench_history)""").fetchone()
