import type pg from "pg";

export const pgbenchTables = [
  "public.pgbench_branches",
  "public.pgbench_tellers",
  "public.pgbench_accounts",
  "public.pgbench_history",
] as const;

/** The tables of `pgbench -i`, empty: same columns, keys and fillers. */
export async function createPgbench(client: pg.Client): Promise<void> {
  await client.query(`
    create table public.pgbench_branches (bid int not null primary key, bbalance int, filler char(88)) with (fillfactor = 100);
    create table public.pgbench_tellers (tid int not null primary key, bid int, tbalance int, filler char(84)) with (fillfactor = 100);
    create table public.pgbench_accounts (aid int not null primary key, bid int, abalance int, filler char(84)) with (fillfactor = 100);
    create table public.pgbench_history (tid int, bid int, aid int, delta int, mtime timestamp, filler char(22))`);
}

/** Fills them as `pgbench -i -s scale` does: 100,000 accounts, 10 tellers and a branch for each unit of scale. */
export async function fillPgbench(client: pg.Client, scale: number): Promise<void> {
  await client.query(`
    insert into public.pgbench_branches (bid, bbalance) select n, 0 from generate_series(1, ${scale}) n;
    insert into public.pgbench_tellers (tid, bid, tbalance) select n, (n - 1) / 10 + 1, 0 from generate_series(1, ${scale * 10}) n;
    insert into public.pgbench_accounts (aid, bid, abalance, filler)
      select n, (n - 1) / 100000 + 1, 0, '' from generate_series(1, ${scale * 100_000}) n`);
}

/** One TPC-B transaction, statement by statement as pgbench sends them. */
export async function tpcb(client: pg.Client, scale: number, random: (below: number) => number): Promise<void> {
  const aid = 1 + random(scale * 100_000);
  const bid = 1 + random(scale);
  const tid = 1 + random(scale * 10);
  const delta = random(10_001) - 5_000;
  await client.query("begin");
  await client.query("update public.pgbench_accounts set abalance = abalance + $1 where aid = $2", [delta, aid]);
  await client.query("select abalance from public.pgbench_accounts where aid = $1", [aid]);
  await client.query("update public.pgbench_tellers set tbalance = tbalance + $1 where tid = $2", [delta, tid]);
  await client.query("update public.pgbench_branches set bbalance = bbalance + $1 where bid = $2", [delta, bid]);
  await client.query("insert into public.pgbench_history (tid, bid, aid, delta, mtime) values ($1, $2, $3, $4, current_timestamp)", [
    tid,
    bid,
    aid,
    delta,
  ]);
  await client.query("commit");
}
