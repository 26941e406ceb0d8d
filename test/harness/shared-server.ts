import type { Major } from "./binaries.ts";
import { startKeeper } from "./keeper.ts";
import type { ServerAddress } from "./server.ts";

type Settings = Readonly<Record<string, string | number | boolean>>;

let own: ReturnType<typeof startKeeper> | undefined;

/**
 * The running server of that major (and of these settings) which all test files of a run share. It is started when first asked for and
 * ends with the run. Never stop, freeze or reconfigure it: startServer() gives one for that.
 */
export async function sharedServer(major: Major, settings: Settings = {}): Promise<ServerAddress> {
  return ask("/server", { major, settings }) as Promise<ServerAddress>;
}

/** Makes dist/ what src/ says, once per run and however many ask. */
export async function ensureBuilt(): Promise<void> {
  await ask("/build", {});
}

async function ask(path: string, body: object): Promise<unknown> {
  let keeper = process.env["BUCARDO_TEST_KEEPER"];
  if (keeper === undefined) {
    own ??= startKeeper(); // not under vitest: this process keeps the servers itself
    keeper = (await own).url;
  }
  const response = await fetch(keeper + path, { method: "POST", body: JSON.stringify(body) });
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}
