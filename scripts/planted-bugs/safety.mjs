const settle = "test/hazards/settle.pg.test.ts";
const apply = "test/hazards/apply.pg.test.ts";
const incarnation = "test/hazards/incarnation.pg.test.ts";
const visibility = "test/replicate/visibility.pg.test.ts";
const guards = "test/replicate/guards.pg.test.ts";
const basic = "test/replicate/basic.pg.test.ts";
const copying = "test/cli/copying.pg.test.ts";

/** What makes a run safe against crashes, remnants and other servers. */
export const safety = [
  {
    name: "settle-first",
    what: "the checkpoint moves before the target has committed",
    file: "src/replicate/run.ts",
    find: `  context.signal.throwIfAborted();
  await target.session.execute(sql("replicate.commit-target", "commit"));`,
    replace: `  context.signal.throwIfAborted();
  if (moved !== null) await settle(source, definition, batch, { sourceIdentity, target: { identity: targetIdentity, xid: moved.at.xid } });
  await target.session.execute(sql("replicate.commit-target", "commit"));`,
    tests: [{ file: visibility, name: "target that dies with its commit" }],
  },
  {
    name: "no-settle",
    what: "the checkpoint never moves, so that every run sends everything again",
    file: "src/replicate/run.ts",
    find: "    const move = () => settle(source, definition, batch, { sourceIdentity, target: settled });",
    replace:
      "    const move = async () => (source.backendPid < 0 ? settle(source, definition, batch, { sourceIdentity, target: settled }) : undefined);",
    tests: [{ file: basic, name: "rows follow from 12" }],
  },
  {
    name: "settle-without-compare",
    what: "the checkpoint is set whatever it is by now",
    file: "src/replicate/settle.ts",
    find: "where sync = $1 and target = $2 and snapshot = $3 and run = $8",
    replace: "where sync = $1 and target = $2 and $3::text is not null and $8::bigint is not null",
    tests: [{ file: settle, name: "compare-and-set" }],
  },
  {
    name: "half-a-settling",
    what: "a run that died before it settled is settled by its checkpoint alone, though tables were left out or rows set aside",
    file: "src/replicate/run.ts",
    find: "context.careful === null && isPlain(batch)",
    replace: "context.careful === null || !isPlain(batch)",
    tests: [{ file: "test/replicate/half.pg.test.ts", name: "a run that died" }],
  },
  {
    name: "no-intent",
    what: "what the target shows may be lost by a crash of the source, and its transaction ids handed out again",
    file: "src/replicate/run.ts",
    find: "intending(definition, batch, at.xid, plain)",
    replace: 'sql("replicate.intent", "select")',
    tests: [{ file: guards, name: "durable on the source" }],
  },
  {
    name: "asynchronous-commits",
    what: "our own commits are as asynchronous as the server says",
    file: "src/postgres/setup.ts",
    find: '  { name: "synchronous_commit", value: "on" },\n',
    replace: "",
    tests: [{ file: guards, name: "durable on the source" }],
  },
  {
    name: "no-lock",
    what: "two runs of one sync may overtake each other",
    file: "src/replicate/run.ts",
    find: "beginLocked(target.session, definition.sync, context.patienceMs)",
    replace: 'target.session.execute(sql("replicate.begin-target", "begin"))',
    tests: [{ file: settle, name: "H3: a second run waits" }],
  },
  {
    name: "source-identity-not-checked",
    what: "a clone or restored copy of the source is taken for the source",
    file: "src/replicate/identity.ts",
    find: "(compared.has(source) ? null : identityProblem(checkpoint.sourceIdentity, identity))",
    replace: "null",
    tests: [{ file: settle, name: "a clone of the source" }],
  },
  {
    name: "source-ids-not-checked",
    what: "a source whose transaction ids went back is read on",
    file: "src/replicate/identity.ts",
    find: '(xmax < checkpoint.snapshot.xmax ? "its transaction ids are behind the checkpoint" : null)',
    replace: "null",
    tests: [{ file: guards, name: "ids are behind the checkpoint" }],
  },
  {
    name: "remembered-not-checked",
    what: "a source that forgot settled runs is read on",
    file: "src/replicate/identity.ts",
    find: "remembered !== null && checkpoint.run < remembered",
    replace: "remembered !== null && checkpoint.run < 0",
    tests: [{ file: guards, name: "counts fewer settled runs" }],
  },
  {
    name: "target-identity-not-checked",
    what: "another database under the target's name is filled from the checkpoint on",
    file: "src/replicate/identity.ts",
    find: "(compared.has(session) ? null : identityProblem(checkpoint.targetIdentity, identity))",
    replace: "null",
    tests: [{ file: settle, name: "H6: a target database made again" }],
  },
  {
    name: "lost-run-not-checked",
    what: "a target that lost the last run's transaction goes on without it",
    file: "src/replicate/identity.ts",
    find: "(lastXid !== null && lastXid === checkpoint.targetXid ? null : await lostRun(session, checkpoint.targetXid))",
    replace: "null",
    tests: [{ file: guards, name: "lost the last run's transaction" }],
  },
  {
    name: "standby-accepted",
    what: "a standby's snapshots lack the open transactions",
    file: "src/replicate/identity.ts",
    find: "  if (standby)\n",
    replace: "  if (standby && session.backendPid < 0)\n",
    tests: [{ file: incarnation, name: "H32: a standby is refused" }],
  },
  {
    name: "row-security-on",
    what: "rows that a policy hides count as deleted",
    file: "src/postgres/setup.ts",
    find: '  { name: "row_security", value: "off" },\n',
    replace: "",
    tests: [{ file: apply, name: "H10: " }],
  },
  {
    name: "copy-asked-again-lost",
    what: "a copy that is asked for while another is under way is taken for that one",
    file: "src/daemon/run-maker.ts",
    find: "const again = job.definition.onetimecopy === 1 ? this.#copier.tables : [];",
    replace: "const again = [];",
    tests: [{ file: copying, name: "a copy that is asked for" }],
  },
  {
    name: "ghost-replicated",
    what: "ghost tables are captured and carried like all others",
    file: "src/control/sync.ts",
    find: "relations: relations.filter(({ ghost }) => !ghost).map(relationOf),",
    replace: "relations: relations.map(relationOf),",
    tests: [{ file: copying, name: "a ghost table" }],
  },
];
