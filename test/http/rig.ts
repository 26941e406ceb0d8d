import { homedir } from "node:os";
import { join } from "node:path";
import { Disposer } from "../../src/base/disposer.ts";
import { loadConfig } from "../../src/config/load.ts";
import { resolveSettings } from "../../src/config/setting.ts";
import { readOrMakeToken } from "../../src/config/token.ts";
import { serveHttp } from "../../src/http/place.ts";
import type { Served, Serving } from "../../src/operations/serving.ts";
import { startDaemon } from "../cli/daemon.ts";
import { openSite, type Site } from "../cli/site.ts";
import { memoryLog, type MemoryLog } from "../daemon/memory-log.ts";
import { ask, type Answered, type Asked } from "./ask.ts";

/** A site with sync `pepper` from A to B over table account, a daemon, and its page, all in this process. */
export type HttpRig = AsyncDisposable & {
  readonly site: Site;
  readonly served: Served;
  readonly serving: Serving;
  readonly url: string;
  readonly token: string;
  readonly log: MemoryLog;
  ask(path: string, of?: Asked): Promise<Answered>;
};

const SCHEMA = "create table account (id integer primary key, name text); create table entry (id bigint primary key, account integer)";

export async function openHttpRig(settings: Readonly<Record<string, string>> = {}): Promise<HttpRig> {
  await using cleanup = new Disposer();
  const site = cleanup.use(await openSite({ majors: [15, 15], schema: SCHEMA }));
  await site.ok("add db A $A");
  await site.ok("add db B $B");
  await site.ok("add sync pepper dbs=A:source,B:target tables=account,entry");
  const daemon = cleanup.use(await startDaemon(site));
  const log = memoryLog();
  const env = { HOME: site.home, BUCARDO_HTTP: "127.0.0.1:0" };
  const served: Served = {
    program: "bucardo",
    version: "test",
    config: loadConfig({ argvOptions: {}, env, cwd: site.home, home: env.HOME ?? homedir() }),
    env,
    cwd: site.home,
    log,
    daemon: { tally: daemon.tally, up: () => true },
    control: true,
    move: null,
  };
  const serving = cleanup.use(await serveHttp(served, resolveSettings({ http: "127.0.0.1:0", ...settings })));
  const { url } = serving;
  if (url === null) throw new Error(`nothing is served: ${log.lines.join("; ")}`);
  const whole = cleanup.move();
  return {
    site,
    served,
    serving,
    url,
    token: readOrMakeToken(join(site.home, ".bucardo", "http-token")),
    log,
    ask: (path, of) => ask(`${url}${path}`, of),
    [Symbol.asyncDispose]: () => whole[Symbol.asyncDispose](),
  };
}
