// node-postgres through pgweir.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import pg from "pg";

const connectionString = process.env.DATABASE_URL;
let pool;

before(() => {
  pool = new pg.Pool({ connectionString, max: 40 });
});
after(() => pool.end());

test("a query with parameters", async () => {
  const { rows } = await pool.query("select $1::int + 1 as n, $2::text as t", [41, "é"]);
  assert.deepEqual(rows, [{ n: 42, t: "é" }]);
});

test("twice as many connections as the server has", async () => {
  const answers = await Promise.all(
    Array.from({ length: 400 }, (_, i) => pool.query("select $1::int as i, pg_sleep(0.002)", [i])),
  );
  answers.forEach((answer, i) => assert.equal(answer.rows[0].i, i));
});

test("named prepared statements on every connection", async () => {
  const query = (i) => ({ name: "twice", text: "select $1::int * 2 as n", values: [i] });
  const answers = await Promise.all(Array.from({ length: 200 }, (_, i) => pool.query(query(i))));
  answers.forEach((answer, i) => assert.equal(answer.rows[0].n, 2 * i));
});

test("a transaction that rolls back", async () => {
  const client = await pool.connect();
  try {
    await client.query("begin");
    await client.query("insert into authors (email, name) values ('gone@x', 'gone')");
    await client.query("rollback");
    const { rowCount } = await client.query("select 1 from authors where email = 'gone@x'");
    assert.equal(rowCount, 0);
  } finally {
    client.release();
  }
});

test("an error has its code, and the connection goes on", async () => {
  const client = await pool.connect();
  try {
    await assert.rejects(client.query("select 1/0"), { code: "22012" });
    await assert.rejects(client.query("select * from nowhere"), { code: "42P01" });
    assert.equal((await client.query("select 1 as n")).rows[0].n, 1);
  } finally {
    client.release();
  }
});

test("several statements in one simple query", async () => {
  const results = await pool.query("select 1 as n; select 2 as n");
  assert.deepEqual(results.map((result) => result.rows[0].n), [1, 2]);
});

test("connect, query, end, again and again", async () => {
  for (let i = 0; i < 20; i++) {
    const client = new pg.Client({ connectionString });
    await client.connect();
    assert.equal((await client.query("select $1::int as i", [i])).rows[0].i, i);
    await client.end();
  }
});

test("the self-signed certificate is accepted with no-verify", async () => {
  const url = connectionString.replace("sslmode=disable", "sslmode=no-verify");
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  assert.equal((await client.query("select 1 as n")).rows[0].n, 1);
  await client.end();
});

test("a wrong password is refused", async () => {
  const client = new pg.Client({ connectionString, password: undefined });
  client.password = "wrong";
  client.connectionParameters.password = "wrong";
  await assert.rejects(client.connect(), { code: "28P01" });
});
