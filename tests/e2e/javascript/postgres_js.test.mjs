// postgres.js through pgweir: pipelines by default, prepares everything.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import postgres from "postgres";

let sql;

before(() => {
  sql = postgres(process.env.DATABASE_URL, { max: 30 });
});
after(() => sql.end());

test("a query with parameters", async () => {
  const rows = await sql`select ${41}::int + 1 as n, ${"é"}::text as t`;
  assert.deepEqual([...rows], [{ n: 42, t: "é" }]);
});

test("pipelined queries on few connections", async () => {
  const narrow = postgres(process.env.DATABASE_URL, { max: 2 });
  const answers = await Promise.all(
    Array.from({ length: 500 }, (_, i) => narrow`select ${i}::int as i`),
  );
  answers.forEach((rows, i) => assert.equal(rows[0].i, i));
  await narrow.end();
});

test("many connections", async () => {
  const answers = await Promise.all(
    Array.from({ length: 300 }, (_, i) => sql`select ${i}::int as i, pg_sleep(0.002)`),
  );
  answers.forEach((rows, i) => assert.equal(rows[0].i, i));
});

test("transactions commit, roll back and nest", async () => {
  await sql.begin(async (tx) => {
    await tx`insert into authors (email, name) values ('outer@x', 'outer')`;
    await tx
      .savepoint(async (inner) => {
        await inner`insert into authors (email, name) values ('inner@x', 'inner')`;
        throw new Error("back");
      })
      .catch(() => {});
  });
  const rows = await sql`select name from authors where email in ('outer@x', 'inner@x')`;
  assert.deepEqual([...rows], [{ name: "outer" }]);
});

test("an error has its code, and the connection goes on", async () => {
  await assert.rejects(sql`select 1/0`, { code: "22012" });
  const name = "x".repeat(21);
  await assert.rejects(sql`insert into authors (email, name) values ('long@x', ${name})`, {
    code: "22001",
  });
  assert.equal((await sql`select 1 as n`)[0].n, 1);
});

test("a cursor", async () => {
  let sum = 0;
  await sql`select generate_series(1, 1000) as n`.cursor(100, (rows) => {
    for (const row of rows) sum += row.n;
  });
  assert.equal(sum, 500500);
});

test("COPY in and out", async () => {
  const writable = await sql`copy books (title, author_id) from stdin`.writable();
  await new Promise((resolve, reject) => {
    writable.on("error", reject).on("finish", resolve);
    for (let i = 0; i < 1000; i++) writable.write(`copied ${i}\t1\n`);
    writable.end();
  });
  const [{ n }] = await sql`select count(*)::int as n from books where title like 'copied %'`;
  assert.equal(n, 1000);
  let text = "";
  const readable = await sql`copy (select 1 from generate_series(1, 1000)) to stdout`.readable();
  for await (const part of readable) text += part;
  assert.equal(text, "1\n".repeat(1000));
});

test("a cancelled query", async () => {
  const query = sql`select pg_sleep(30)`;
  setTimeout(() => query.cancel(), 300);
  await assert.rejects(query, { code: "57014" });
  assert.equal((await sql`select 1 as n`)[0].n, 1);
});

test("listen and notify", async () => {
  const heard = await new Promise((resolve) => {
    sql.listen("gossip", resolve).then(() => sql.notify("gossip", "hi"));
  });
  assert.equal(heard, "hi");
});
