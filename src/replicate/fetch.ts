import { displayName } from "../model/name.ts";
import { interruptible } from "../postgres/cancel.ts";
import { copyBetween, copyOrKeep } from "../postgres/copy.ts";
import { quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql, type Statement } from "../postgres/sql.ts";
import { deleteAllText, writtenColumns } from "./apply-text.ts";
import { inTable } from "./data-fault.ts";
import { copyFormat, fetchText, fillText } from "./fetch-text.ts";
import { withManyKeys } from "./many-keys.ts";
import { hasCommitTimes } from "./commit-time.ts";
import type { TableLink } from "./table-link.ts";
import type { Member } from "./member.ts";
import type { TablePlan } from "./plan.ts";
import { ensureStage } from "./stage.ts";

/** Of a table whose keys travel so many bytes of rows are kept here until they are applied. */
const FEW_BYTES = 64 * 1024;
const FEW_DELTAS = 1000;

/** Rows of one table, on the target but not yet applied. Stage null: they went straight into the emptied table. */
export type Fetched = {
  readonly plan: TablePlan;
  readonly link: TableLink;
  readonly stage: string | null;
  /** Null: the stage holds the rows. Otherwise they are few, and this brings them there, right before they are applied. */
  readonly fill: Statement | null;
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
  /** Rows must stand in the stage, whatever the plan: somebody wants to look at them. */
  readonly staged?: boolean;
};

/** Streams the rows of one plan from the run's snapshot to the target, from socket to socket. */
export async function fetchTable({ source, target, plan, link, signal, onBytes, staged = false }: FetchJob): Promise<Fetched> {
  const from = { from: source, signal, onBytes };
  try {
    if (plan.action === "recopy" && target.replica && !staged && link.relays.length === 0) {
      await interruptible(signal, target.session, () => target.session.execute(sql("replicate.empty-table", deleteAllText(link))));
      const into = `copy ${quoteName(link.target.name)} (${writtenColumns(link)}) from stdin${copyFormat(link)}`;
      const { rows, bytes } = await copyBetween({
        ...from,
        fromText: sql("replicate.fetch", fillText(link)),
        to: target.session,
        toText: sql("replicate.fill-table", into),
      });
      return { plan, link, stage: null, fill: null, rows, bytes };
    }
    const stage = await ensureStage(target, plan.table.captured, link);
    const toText = sql("replicate.fill-stage", `copy ${stage} from stdin${copyFormat(link)}`);
    const few = target.replica && link.relays.length === 0 && plan.action === "keys" && plan.table.deltas <= FEW_DELTAS;
    const job = {
      ...from,
      fromText: sql("replicate.fetch", fetchText(plan, link, undefined, await hasCommitTimes(source, link))),
      to: target.session,
      toText,
    };
    const { rows, bytes, kept } = await withManyKeys(source, plan, () => copyOrKeep(job, few ? FEW_BYTES : 0));
    return { plan, link, stage, fill: kept === null ? null : { ...toText, copyIn: kept }, rows, bytes };
  } catch (error) {
    throw inTable(error, displayName(link.name));
  }
}
