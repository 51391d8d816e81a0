// Prisma 7 with its driver adapter through pgweir.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PrismaPg } from "@prisma/adapter-pg";
import prismaClient from "./generated/index.js";

let prisma;

function connect(options = {}) {
  const adapter = new PrismaPg({ connectionString: process.env.DATABASE_URL, ...options });
  return new prismaClient.PrismaClient({ adapter });
}

function author(name) {
  return { email: `${name}@example.org`, name };
}

before(() => {
  prisma = connect({ max: 30 });
});
after(() => prisma.$disconnect());

test("create, read, update, delete", async () => {
  const created = await prisma.author.create({
    data: { ...author("crud"), books: { create: [{ title: "one" }, { title: "two" }] } },
    include: { books: true },
  });
  assert.deepEqual(created.books.map((book) => book.title).sort(), ["one", "two"]);
  const found = await prisma.author.findUnique({ where: { email: "crud@example.org" } });
  assert.equal(found.id, created.id);
  const where = { authorId: created.id };
  await prisma.book.updateMany({ where, data: { copies: { increment: 3 } } });
  const sum = await prisma.book.aggregate({ where, _sum: { copies: true } });
  assert.equal(sum._sum.copies, 6);
  await prisma.book.deleteMany({ where });
  await prisma.author.delete({ where: { id: created.id } });
  assert.equal(await prisma.author.findUnique({ where: { id: created.id } }), null);
});

test("raw queries", async () => {
  assert.deepEqual(await prisma.$queryRaw`select ${20}::int + 1 as n`, [{ n: 21 }]);
  assert.equal(await prisma.$executeRaw`update books set copies = 0 where id = -1`, 0);
});

test("a batch transaction commits whole or not at all", async () => {
  await prisma.$transaction([
    prisma.author.create({ data: author("batch1") }),
    prisma.author.create({ data: author("batch2") }),
  ]);
  await assert.rejects(
    prisma.$transaction([
      prisma.author.create({ data: author("batch3") }),
      prisma.author.create({ data: author("batch1") }),
    ]),
    { code: "P2002" },
  );
  assert.equal(await prisma.author.count({ where: { name: { startsWith: "batch" } } }), 2);
});

test("an interactive transaction commits and rolls back", async () => {
  await prisma.$transaction(async (tx) => {
    const made = await tx.author.create({ data: author("interactive1") });
    await tx.book.create({ data: { title: "inside", authorId: made.id } });
  });
  await assert.rejects(
    prisma.$transaction(async (tx) => {
      await tx.author.create({ data: author("interactive2") });
      throw new Error("changed my mind");
    }),
    /changed my mind/,
  );
  assert.equal(await prisma.author.count({ where: { name: { startsWith: "interactive" } } }), 1);
});

test("isolation levels", async () => {
  const level = await prisma.$transaction((tx) => tx.$queryRaw`show transaction_isolation`, {
    isolationLevel: "Serializable",
  });
  assert.deepEqual(level, [{ transaction_isolation: "serializable" }]);
});

test("a transaction that takes too long is P2028", async () => {
  await assert.rejects(
    prisma.$transaction(
      async (tx) => {
        await tx.$queryRaw`select 1 from pg_sleep(0.5)`;
        await tx.$queryRaw`select 1`;
      },
      { timeout: 200 },
    ),
    { code: "P2028" },
  );
});

test("errors keep their codes", async () => {
  const made = await prisma.author.create({ data: author("errors") });
  const tooLong = { name: "x".repeat(21) };
  const cases = [
    ["P2002", () => prisma.author.create({ data: author("errors") })],
    ["P2003", () => prisma.book.create({ data: { title: "orphan", authorId: -1 } })],
    ["P2000", () => prisma.author.update({ where: { id: made.id }, data: tooLong })],
    ["P2025", () => prisma.author.delete({ where: { id: -1 } })],
    ["P2010", () => prisma.$queryRaw`select 1/0`],
  ];
  for (const [code, act] of cases) await assert.rejects(act(), { code });
  assert.deepEqual(await prisma.$queryRaw`select 1 as n`, [{ n: 1 }]);
});

test("a client for every request does not exhaust the server", async () => {
  const names = await Promise.all(
    Array.from({ length: 60 }, async (_, i) => {
      const mine = connect({ max: 2 });
      const [{ n }] = await mine.$queryRaw`select ${i}::int as n from pg_sleep(0.05)`;
      await mine.$disconnect();
      return n;
    }),
  );
  assert.deepEqual(names, Array.from({ length: 60 }, (_, i) => i));
});
