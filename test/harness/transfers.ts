import type pg from "pg";

export const transfersTable = "public.transfers_account";

/** Accounts between which money moves: the sum never changes, so a reader who sees another sum has seen half a transaction. */
export async function createTransfers(client: pg.Client, accounts: number): Promise<void> {
  await client.query(`
    create table public.transfers_account (id bigint not null primary key, amount bigint not null);
    create sequence public.transfers_new_id start ${accounts + 1}`);
  await client.query("insert into public.transfers_account select n, 1000 from generate_series(1, $1::bigint) n", [accounts]);
}

export const totalOfTransfers = "select coalesce(sum(amount), 0)::bigint::text as total from public.transfers_account";

/**
 * One transaction: mostly money moves between two accounts; now and then an account is closed into another (delete), opened from another
 * (insert), or gets a new number (the key changes). Accounts are locked in order, so that nobody waits in a circle.
 */
export async function transfer(client: pg.Client, random: (below: number) => number): Promise<void> {
  await client.query("begin");
  const { rows } = await client.query<{ id: string; amount: string }>(
    `select id::text, amount::text from public.transfers_account
     where id in (select id from public.transfers_account order by hashint8(id + $1) limit 2) order by id for update`,
    [random(1_000_000)],
  );
  const [one, other] = rows;
  if (one && other) {
    const dice = random(100);
    const move = "update public.transfers_account set amount = amount + $1 where id = $2";
    if (dice < 5) {
      await client.query("delete from public.transfers_account where id = $1", [one.id]);
      await client.query(move, [one.amount, other.id]);
    } else if (dice < 12) {
      await client.query("insert into public.transfers_account values (nextval('public.transfers_new_id'), $1)", [7]);
      await client.query(move, [-7, other.id]);
    } else if (dice < 15) {
      await client.query("update public.transfers_account set id = nextval('public.transfers_new_id') where id = $1", [one.id]);
    } else {
      const amount = random(100);
      await client.query(move, [-amount, one.id]);
      await client.query(move, [amount, other.id]);
    }
  }
  await client.query("commit");
}
