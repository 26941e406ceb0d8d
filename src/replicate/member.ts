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
  const member: Member = {
    session: target,
    replica: await becomeReplica(target),
    links: new Map(),
    stages: new Map(),
    staged: new Set(),
    lastXid: null,
  };
  members.set(target, member);
  return member;
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
