import { daemonOperations } from "./daemon/registry.ts";
import { addDb } from "./db/add.ts";
import { addDbgroup } from "./dbgroup/add.ts";
import { install } from "./installation/install.ts";
import { upgrade } from "./installation/upgrade.ts";
import type { Operation } from "./operation.ts";
import { addAllSequences, addAllTables } from "./relation/add-all.ts";
import { addSequence, addTable } from "./relation/add.ts";
import { addRelgroup } from "./relgroup/add.ts";
import { addSync } from "./sync/add.ts";

/** Every operation, in the order of the reference page. */
export const operations: readonly Operation[] = [
  install,
  upgrade,
  addDb,
  addDbgroup,
  addTable,
  addSequence,
  addAllTables,
  addAllSequences,
  addRelgroup,
  addSync,
  ...daemonOperations,
];
