import { displayName } from "../model/name.ts";
import { interruptible } from "../postgres/cancel.ts";
import { copyBetween } from "../postgres/copy.ts";
import { quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { deleteAllText, writtenColumns } from "./apply-text.ts";
import { inTable } from "./data-fault.ts";
import { copyFormat, fetchText, fillText } from "./fetch-text.ts";
import { withManyKeys } from "./many-keys.ts";
import type { TableLink } from "./table-link.ts";
import type { Member } from "./member.ts";
import type { TablePlan } from "./plan.ts";
import { ensureStage } from "./stage.ts";

/** Rows of one table, on the target but not yet applied. Stage null: they went straight into the emptied table. */
export type Fetched = {
  readonly plan: TablePlan;
  readonly link: TableLink;
  readonly stage: string | null;
  readonly rows: number;
  readonly bytes: number;
};

export type FetchJob = {
  readonly source: Session;
  readonly target: Member;
  readonly plan: TablePlan;
  readonly link: TableLink;
  readonly signal: AbortSignal;
  readonly onBytes: (bytes: number, rows: number) => void;
};

/** Streams the rows of one plan from the run's snapshot to the target, from socket to socket. */
export async function fetchTable({ source, target, plan, link, signal, onBytes }: FetchJob): Promise<Fetched> {
  const from = { from: source, signal, onBytes };
  try {
    if (plan.action === "recopy" && target.replica) {
      await interruptible(signal, target.session, () => target.session.execute(sql("replicate.empty-table", deleteAllText(link))));
      const into = `copy ${quoteName(link.name)} (${writtenColumns(link)}) from stdin${copyFormat(link)}`;
      const { rows, bytes } = await copyBetween({
        ...from,
        fromText: sql("replicate.fetch", fillText(link)),
        to: target.session,
        toText: sql("replicate.fill-table", into),
      });
      return { plan, link, stage: null, rows, bytes };
    }
    const stage = await ensureStage(target, plan.table.captured, link);
    const copy = () =>
      copyBetween({
        ...from,
        fromText: sql("replicate.fetch", fetchText(plan, link)),
        to: target.session,
        toText: sql("replicate.fill-stage", `copy ${stage} from stdin${copyFormat(link)}`),
      });
    const { rows, bytes } = await withManyKeys(source, plan, copy);
    return { plan, link, stage, rows, bytes };
  } catch (error) {
    throw inTable(error, displayName(link.name));
  }
}
