import { expect, test } from "vitest";
import { Disposer } from "../../src/base/disposer.ts";
import { points } from "../../src/base/point.ts";
import { fillWandering, Wanderer, wanderingSchema } from "../copy/wanderer.ts";
import { keysOf, openHome, type Home } from "../e2e/home.ts";
import { createDatabase, type TestDatabase } from "../harness/database.ts";
import { equalTables } from "../harness/equal-tables.ts";
import { footprint } from "../harness/footprint.ts";
import { runProgram, spawnProgram, type Running } from "../harness/program.ts";
import { sharedServer } from "../harness/shared-server.ts";
import { createTransfers, totalOfTransfers } from "../harness/transfers.ts";
import { waitFor } from "../harness/wait.ts";
import { writers, type Writers } from "../harness/writers.ts";
import { auditor, type Audit } from "./audit.ts";
import { PATIENCE_MS } from "./fault-rig.ts";
import { leaks, nothing } from "./leaks.ts";
import { command } from "./site.ts";

const ACCOUNTS = 200;
/** Of each large table: more than a run carries, and enough for a dozen pieces after all those that arrive before a kill. */
const ROWS = 20_000;

const whole = points.filter((point) => point.startsWith("copy.whole-"));
const inPieces = points.filter((point) => point.startsWith("copy.") && !whole.includes(point));

/** Accounts that are opened and closed are counted in another table by the same transaction. */
const TALLY = `create table tally (id integer primary key, accounts integer not null); insert into tally values (1, ${ACCOUNTS})`;
const COUNT = `create function count_account() returns trigger language plpgsql as
    'begin update tally set accounts = accounts + case tg_op when ''INSERT'' then 1 else -1 end; return null; end';
  create trigger counted after insert or delete on transfers_account for each row execute procedure count_account()`;
const RULE = `select format('%s %s', (${totalOfTransfers}), (select accounts from tally) = (select count(*) from transfers_account)) as state`;

type CopySite = {
  readonly home: Home;
  readonly databases: Readonly<Record<"control" | "source" | "target", TestDatabase>>;
  readonly audit: Audit;
  readonly load: Writers;
};

/** `sync` stands for what is copied from A to B; the application moves money on A, and somebody adds it up on B. */
async function openCopySite(cleanup: Disposer, sync: string): Promise<CopySite> {
  const source = cleanup.use(await createDatabase(await sharedServer(13)));
  const target = cleanup.use(await createDatabase(await sharedServer(17)));
  const control = cleanup.use(await createDatabase(target.server));
  for (const database of [source, target]) {
    await createTransfers(await database.client(), ACCOUNTS);
    await database.query(`${TALLY}; ${wanderingSchema}`);
  }
  await source.query(COUNT);
  await fillWandering(source, ROWS);
  await target.query("create unique index on wandering (code)");
  const quick = ["copy_piece=128 kB", "retry_first=20 ms", "retry_longest=1 second", "log_level=debug"];
  const home = cleanup.use(await openHome(control, quick));
  for (const line of ["install --batch", `add db A ${keysOf(source)}`, `add db B ${keysOf(target)}`, `add sync s ${sync}`])
    await command(home, line);
  const audit = cleanup.use(auditor(target, RULE, `${ACCOUNTS * 1000} t`));
  const load = cleanup.use(writers(source, { clients: 2, kind: "transfers", pauseMs: 20 }));
  return { home, databases: { control, source, target }, audit, load };
}

const start = ({ home }: CopySite, order = ""): Promise<Running> =>
  spawnProgram(["daemon", "run"], { cwd: home.path, env: { BUCARDO_POINT: order } });

async function untilReady({ databases }: CopySite, { pid }: Running): Promise<void> {
  const ready = async (): Promise<boolean> =>
    (await databases.control.query("select from bucardo.daemon where pid = $1 and ready_at is not null", [pid])).length === 1;
  await waitFor(ready, { what: "the daemon to be ready", timeoutMs: PATIENCE_MS });
}

async function untilKilled(site: CopySite, daemon: Running, order: string): Promise<void> {
  expect(await daemon.ended(PATIENCE_MS), `${order}: ${daemon.stderr.slice(-2000)}`).toMatchObject({ signal: "SIGKILL" });
  await site.load.more(5);
}

/** One daemon after the other, each killed at its place. */
async function killedAt(site: CopySite, orders: readonly string[]): Promise<void> {
  for (const order of orders) {
    await using daemon = await start(site, order);
    await untilKilled(site, daemon, order);
  }
}

async function inStep({ home }: CopySite, daemon: Running): Promise<void> {
  const kicked = await runProgram(["kick", "s", "60"], { cwd: home.path, timeoutMs: 2 * PATIENCE_MS });
  expect(kicked, `${kicked.stdout}${kicked.stderr}${daemon.stderr.slice(-3000)}`).toMatchObject({ code: 0 });
}

/** Told to end it leaves nothing: neither in sessions nor of the copy. */
async function ended({ home, databases }: CopySite, daemon: Running): Promise<void> {
  expect(await command(home, "status s")).not.toContain("copying");
  daemon.kill("SIGTERM");
  expect(await daemon.ended(PATIENCE_MS)).toMatchObject({ code: 0 });
  for (const [name, database] of Object.entries(databases)) {
    const clean = async (): Promise<boolean> => (await leaks(database, name, nothing)).length === 0;
    await waitFor(clean, { what: `nothing to be left on the ${name}`, timeoutMs: PATIENCE_MS });
  }
}

test(
  "killed at every named point of a copy in pieces, in turn, under writers: the next daemon goes on, readers see no half, both sides end equal",
  { timeout: 300_000 },
  async () => {
    await using cleanup = new Disposer();
    const site = await openCopySite(cleanup, "dbs=A:source,B:target tables=transfers_account,tally,wandering onetimecopy=1");
    const { home, databases, audit, load } = site;
    await using wanderer = new Wanderer(databases.source, ROWS, 1);
    await killedAt(
      site,
      inPieces.map((point) => `${point}=kill`),
    );
    {
      await using daemon = await start(site);
      await untilReady(site, daemon);
      await inStep(site, daemon);
      await ended(site, daemon);
    }
    {
      // A table that is added to a living sync is copied in the same way.
      await using daemon = await start(site, "copy.piece-cut=kill");
      await untilReady(site, daemon);
      await command(home, "update sync s add table moving");
      await untilKilled(site, daemon, "copy.piece-cut, of the added table");
    }
    await killedAt(site, ["copy.piece-recorded=kill:3"]);
    await using daemon = await start(site);
    await untilReady(site, daemon);
    await wanderer.more(20);
    await wanderer.stop();
    await load.stop();
    await inStep(site, daemon);
    const tables = ["transfers_account", "tally", "wandering", "moving"];
    expect(await equalTables(databases.source, databases.target, tables)).toEqual([]);
    await ended(site, daemon);
    const left = await databases.source.query("select table_name from bucardo.copy_table");
    expect(left).toEqual([]);
    expect(audit.seen).toBeGreaterThan(inPieces.length);
    audit.check();
  },
);

test(
  "killed before and after the commit of a whole copy, under writers: readers see one whole copy or the next one",
  { timeout: 120_000 },
  async () => {
    await using cleanup = new Disposer();
    const site = await openCopySite(cleanup, "dbs=A:source,B:fullcopy tables=transfers_account,tally checktime=1");
    const { databases, audit, load } = site;
    const traces = async (): Promise<string[][]> => [await footprint(databases.source), await footprint(databases.target)];
    const before = await traces();
    await killedAt(
      site,
      whole.map((point) => `${point}=kill`),
    );
    await using daemon = await start(site);
    await untilReady(site, daemon);
    await load.stop();
    await inStep(site, daemon);
    expect(await equalTables(databases.source, databases.target, ["transfers_account", "tally"])).toEqual([]);
    await ended(site, daemon);
    expect(await traces()).toEqual(before);
    expect(audit.seen).toBeGreaterThan(whole.length);
    audit.check();
  },
);
