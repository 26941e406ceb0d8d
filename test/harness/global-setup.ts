import { startKeeper } from "./keeper.ts";
import { sweep } from "./sweep.ts";

/** Runs once, in vitest's main process; the workers inherit the address. */
export async function setup(): Promise<() => Promise<void>> {
  await sweep();
  const keeper = await startKeeper();
  process.env["BUCARDO_TEST_KEEPER"] = keeper.url;
  return () => keeper.close();
}
