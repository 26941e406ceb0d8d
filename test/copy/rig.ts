import { installCapture } from "../../src/capture/install.ts";
import { chooseKey } from "../../src/catalog/key.ts";
import { readTables } from "../../src/catalog/table.ts";
import { copyTables } from "../../src/copy/copy-tables.ts";
import type { CopyOptions, CopyResult } from "../../src/copy/options.ts";
import { displayName } from "../../src/model/name.ts";
import { quoteName } from "../../src/postgres/quote.ts";
import { equalTables } from "../harness/equal-tables.ts";
import { nameOf, openRig, openSession, type Rig, type RigOptions } from "../replicate/rig.ts";

/** A rig whose tables are captured and wait for their copy. Tables without a key are only copied. */
export type CopyRig = AsyncDisposable & {
  readonly rig: Rig;
  readonly source: Rig["source"];
  readonly target: Rig["target"];
  options(change?: Partial<CopyOptions>): CopyOptions;
  copy(change?: Partial<CopyOptions>): Promise<CopyResult>;
  /** Judged by a query of the harness. */
  differences(): Promise<string[]>;
};

export async function openCopyRig(options: RigOptions & { readonly tables: readonly string[] }): Promise<CopyRig> {
  const names = options.tables.map(nameOf);
  const rig = await openRig({ ...options, capture: false });
  await using session = await openSession(rig.source, "source");
  const shapes = await readTables(session, names);
  const relations = names.flatMap((name) => {
    const key = chooseKey(shapes.get(displayName(name))!, null);
    return key === null ? [] : [{ kind: "table" as const, name, key: key.columns, autokick: false }];
  });
  await installCapture(session, {
    sync: { id: rig.syncId, name: "rig" },
    installation: rig.installation,
    targets: ["target"],
    relations,
    join: false,
  });
  rig.adopt(relations);
  const copyOptions = (change: Partial<CopyOptions> = {}): CopyOptions => ({
    sync: { id: rig.syncId, name: "rig" },
    target: "target",
    openSource: () => openSession(rig.source, "source"),
    openTarget: () => openSession(rig.target, "target"),
    tables: names,
    jobs: 2,
    maxRate: null,
    pieceBytes: 64 * 1024,
    signal: new AbortController().signal,
    onProgress: () => undefined,
    ...change,
  });
  return {
    rig,
    source: rig.source,
    target: rig.target,
    options: copyOptions,
    copy: (change) => copyTables(copyOptions(change)),
    differences: () => equalTables(rig.source, rig.target, names.map(quoteName)),
    [Symbol.asyncDispose]: () => rig[Symbol.asyncDispose](),
  };
}
