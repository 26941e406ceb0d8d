import type pg from "pg";
import { invariant } from "../base/invariant.ts";
import type { Parameters } from "./parameters.ts";
import type { Session } from "./session.ts";
import type { Wire } from "./wire.ts";

/** What lies behind a Session; only for the files of this room. */
export type Driver = {
  readonly client: pg.Client;
  readonly wire: Wire;
  readonly parameters: Parameters;
  readonly encrypted: boolean;
  /** One statement at a time: waits for its turn, holds the connection until the work has ended. */
  exclusive<T>(work: () => Promise<T>): Promise<T>;
};

const drivers = new WeakMap<Session, Driver>();

export function setDriver(session: Session, driver: Driver): void {
  drivers.set(session, driver);
}

export function driverOf(session: Session): Driver {
  const driver = drivers.get(session);
  invariant(driver, "a session without a driver: was it made by connect()?");
  return driver;
}

/** From the last ReadyForQuery. `failed`: the transaction only waits for its rollback. */
export function transactionStatus(session: Session): "none" | "open" | "failed" {
  const status = driverOf(session).client.getTransactionStatus();
  if (status === "T") return "open";
  return status === "E" ? "failed" : "none";
}
