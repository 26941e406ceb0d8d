import { readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Disposer } from "../../src/base/disposer.ts";
import { createDatabase, type TestDatabase } from "../harness/database.ts";
import { faultProxy, type FaultProxy } from "../harness/fault-proxy.ts";
import { spawnProgram, type Running } from "../harness/program.ts";
import { scratch, type Scratch } from "../harness/scratch.ts";
import { startServer, type Server } from "../harness/server.ts";
import { createTransfers, totalOfTransfers } from "../harness/transfers.ts";
import { auditor, type Audit } from "./audit.ts";
import { command } from "./site.ts";
import { ModelWriter } from "./soak-model.ts";

export const ACCOUNTS = 100;
export const places = ["control", "A", "B", "C"] as const;
export type Place = (typeof places)[number];

/** Syncs and their targets; `bank` carries the transfers too. */
export const syncs = { bank: ["B", "C"], shop: ["B"] } as const;

/** Four servers, a network before each, two syncs with three targets in all, the program as a process, and what its readers may see. */
export type SoakSite = AsyncDisposable & {
  readonly home: Scratch;
  readonly servers: Readonly<Record<Place, Server>>;
  readonly databases: Readonly<Record<Place, TestDatabase>>;
  readonly network: Readonly<Record<Place, FaultProxy>>;
  readonly models: Readonly<Record<keyof typeof syncs, ModelWriter>>;
  readonly audits: readonly Audit[];
  spawn(env?: NodeJS.ProcessEnv): Promise<Running>;
};

export async function openSoakSite(seed: number): Promise<SoakSite> {
  await using cleanup = new Disposer();
  const majors = { control: 12, A: 15, B: 18, C: 13 } as const;
  const started = await Promise.all(
    places.map(async (place) => [place, await startServer({ major: majors[place], settings: { max_wal_size: "128MB" } })] as const),
  );
  for (const [, server] of started) cleanup.use(server);
  const servers = Object.fromEntries(started) as Record<Place, Server>;
  const each = async <T extends AsyncDisposable>(make: (place: Place) => Promise<T>): Promise<Record<Place, T>> => {
    const made: [Place, T][] = [];
    for (const place of places) made.push([place, cleanup.use(await make(place))]);
    return Object.fromEntries(made) as Record<Place, T>;
  };
  const databases = await each((place) => createDatabase(servers[place]));
  const network = await each((place) => faultProxy({ targetPort: servers[place].port }));
  const home = cleanup.use(await scratch());
  const models = { bank: new ModelWriter(databases.A, "bank", seed), shop: new ModelWriter(databases.A, "shop", seed + 1) };
  await define({ home, databases, network });
  const audits = [
    cleanup.use(auditor(databases.B, rule(models.bank), `t ${ACCOUNTS * 1000}`)),
    cleanup.use(auditor(databases.C, rule(models.bank), `t ${ACCOUNTS * 1000}`)),
    cleanup.use(auditor(databases.B, `select (${models.shop.rule})::text as state`, "true")),
  ];
  const whole = cleanup.move();
  return {
    home,
    servers,
    databases,
    network,
    models,
    audits,
    spawn: (env = {}) => spawnProgram(["daemon", "run"], { cwd: home.path, env }),
    async [Symbol.asyncDispose]() {
      for (const place of places) {
        network[place].resume();
        servers[place].thaw();
      }
      for (const model of Object.values(models)) await model.close();
      await whole[Symbol.asyncDispose]();
    },
  };
}

const rule = (model: ModelWriter): string =>
  `select format('%s %s', (${model.rule})::text::char(1), (${totalOfTransfers.replace("as total", "as t")})) as state`;

async function define({ home, databases, network }: Pick<SoakSite, "home" | "databases" | "network">): Promise<void> {
  const { A, B, C, control } = databases;
  for (const database of [A, B, C]) await createTransfers(await database.client(), ACCOUNTS);
  await A.query(
    `create table journal (writer text, number integer, primary key (writer, number)); ${ModelWriter.create("bank")} ${ModelWriter.create("shop")}`,
  );
  await B.query(`${ModelWriter.create("bank")} ${ModelWriter.create("shop")}`);
  await C.query(ModelWriter.create("bank"));
  const rc = {
    dbhost: network.control.host,
    dbport: network.control.port,
    dbname: control.name,
    dbuser: "postgres",
    piddir: home.path,
    logdest: home.path,
    log_level: "debug",
    retry_first: "20 ms",
    retry_longest: "500 ms",
    lag_interval: "300 ms",
    purge_interval: "500 ms",
  };
  await writeFile(
    join(home.path, ".bucardorc"),
    Object.entries(rc)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(""),
  );
  const at = (name: "A" | "B" | "C"): string =>
    `dbname=${databases[name].name} host=${network[name].host} port=${network[name].port} user=postgres`;
  for (const line of [
    "install --batch",
    ...(["A", "B", "C"] as const).map((name) => `add db ${name} ${at(name)}`),
    "add sync bank dbs=A:source,B:target,C:target tables=bank_one,bank_two,transfers_account",
    "add sync shop dbs=A:source,B:target tables=shop_one,shop_two",
  ])
    await command(home, line);
}

/** Open files of a process, sockets included. */
export function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** True while it is halted by SIGSTOP. */
export function isHalted(pid: number): boolean {
  return /\) T /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
}
