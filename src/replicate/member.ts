import { captureVersion, upgradeCapture } from "../capture/schema.ts";
import { stampDeltas } from "../capture/stamp.ts";
import { BucardoError } from "../model/error.ts";
import { sqlstateOf } from "../postgres/failure.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import type { TableLink } from "./table-link.ts";

/** A target's connection with what a run leaves in it for the next one. */
export type Member = {
  readonly session: Session;
  /** Triggers, rules and foreign keys are silent. False: we are no superuser and lack GRANT SET; then only what is safe with them is done (hazard 9). */
  readonly replica: boolean;
  /** It is a source too: what a run writes there it must tell on. */
  readonly captured: boolean;
  readonly links: Map<string, TableLink>;
  /** Stage tables of this session by captured table, each with the text that made it. */
  readonly stages: Map<number, string>;
  /** Captured tables whose stages the run under way, else the last one, has filled. */
  readonly staged: Set<number>;
  /** Our last committed transaction on this very connection; it need not be asked for again. */
  lastXid: number | null;
};

const members = new WeakMap<Session, Member>();

export async function memberOf(target: Session): Promise<Member> {
  const there = members.get(target);
  if (there !== undefined) return there;
  const captured = await readyForRelay(target);
  const member: Member = {
    session: target,
    captured,
    replica: await becomeReplica(target),
    links: new Map(),
    stages: new Map(),
    staged: new Set(),
    lastXid: null,
  };
  members.set(target, member);
  return member;
}

/** What the member was found to be holds no more: the next run looks again. */
export function forgetMember(target: Session): void {
  members.delete(target);
}

/** A target that is a source too tells on what it gets, by which way it came included. */
async function readyForRelay(target: Session): Promise<boolean> {
  await upgradeCapture(target);
  const captured = (await captureVersion(target)) > 0;
  if (captured) await stampDeltas(target);
  return captured;
}

async function becomeReplica(target: Session): Promise<boolean> {
  try {
    await target.script(sql("replicate.become-replica", "set session_replication_role = replica"));
    return true;
  } catch (error) {
    if (error instanceof BucardoError && sqlstateOf(error) === "42501") return false;
    throw error;
  }
}
