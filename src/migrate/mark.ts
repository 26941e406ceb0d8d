import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/** How far a cutover came, on the side that is left: what the next command needs after a crash. */
export type Mark = {
  /** window: writers may have to wait, or the decision has fallen, which the fence tells; done: nothing of it is left to do. */
  readonly state: "window" | "done";
  readonly to: string;
  /** Of this side's clock. */
  readonly at: string;
  /** Entries of poolers as they were. */
  readonly poolers: readonly { readonly ini: string; readonly database: string; readonly entry: string }[];
};

export async function readMark(from: Session): Promise<Mark | null> {
  const { mark } = await from.one<{ mark: Mark | null }>(sql("migrate.read-mark", "select mark from bucardo.capture"));
  return mark;
}

export async function writeMark(from: Session, mark: Omit<Mark, "at"> | null): Promise<void> {
  await from.execute(
    sql("migrate.write-mark", "update bucardo.capture set mark = $1::jsonb || jsonb_build_object('at', clock_timestamp())", [
      mark === null ? null : JSON.stringify(mark),
    ]),
  );
}
