import { listConflicts } from "./conflict/list.ts";
import { replayConflict } from "./conflict/replay.ts";
import { addCustomcols, addCustomname, addRowfilter } from "./custom/add.ts";
import { listCustomcols, listCustomnames, listRowfilters } from "./custom/list.ts";
import { removeCustomcols, removeCustomname, removeRowfilter } from "./custom/remove.ts";
import { updateCustomcols, updateCustomname, updateRowfilter } from "./custom/update.ts";
import { addCustomCode } from "./customcode/add.ts";
import { listCustomCodes } from "./customcode/list.ts";
import { removeCustomCode } from "./customcode/remove.ts";
import { updateCustomCode } from "./customcode/update.ts";
import { alertTest } from "./alert/send-test.ts";
import { check } from "./alert/check.ts";
import { listAlerts } from "./alert/list.ts";
import { daemonOperations } from "./daemon/registry.ts";
import { addDb } from "./db/add.ts";
import { removeDb } from "./db/remove.ts";
import { updateDb } from "./db/update.ts";
import { addDbgroup } from "./dbgroup/add.ts";
import { removeDbgroup } from "./dbgroup/remove.ts";
import { updateDbgroup } from "./dbgroup/update.ts";
import { importCheck } from "./import/check.ts";
import { importOf } from "./import/import.ts";
import { importRemove } from "./import/remove.ts";
import { listRuns } from "./history/runs.ts";
import { listSamples } from "./history/samples.ts";
import { httpToken } from "./http/token.ts";
import { serve } from "./http/serve.ts";
import { inspectDb, inspectSync, inspectTable } from "./inspect.ts";
import { inspectDbgroup, inspectRelgroup, inspectSequence } from "./inspect-group.ts";
import { install } from "./installation/install.ts";
import { uninstall } from "./installation/uninstall.ts";
import { upgrade } from "./installation/upgrade.ts";
import { listAll } from "./list/all.ts";
import { listDatabases } from "./list/databases.ts";
import { listDbgroups, listRelgroups } from "./list/groups.ts";
import { listSequences, listTables } from "./list/relations.ts";
import { listSyncs } from "./list/syncs.ts";
import { migrateAbort } from "./migrate/abort.ts";
import { migrateFinish } from "./migrate/finish.ts";
import { migrateFollow } from "./migrate/follow.ts";
import { migratePlan } from "./migrate/plan.ts";
import { migrateReport } from "./migrate/report.ts";
import { migrateSamples } from "./migrate/samples.ts";
import { migrateStart } from "./migrate/start.ts";
import { migrateStatus } from "./migrate/status.ts";
import { migrateCutover, migrateSwitchback } from "./migrate/turn.ts";
import { migrateWatch } from "./migrate/watch.ts";
import type { Operation } from "./operation.ts";
import { addAllSequences, addAllTables } from "./relation/add-all.ts";
import { addSequence, addTable } from "./relation/add.ts";
import { removeAllSequences, removeAllTables, removeSequence, removeTable } from "./relation/remove.ts";
import { updateSequence, updateTable } from "./relation/update.ts";
import { addRelgroup } from "./relgroup/add.ts";
import { removeRelgroup } from "./relgroup/remove.ts";
import { updateRelgroup } from "./relgroup/update.ts";
import { discard } from "./set-aside/discard.ts";
import { listSetAside } from "./set-aside/list.ts";
import { replay } from "./set-aside/replay.ts";
import { set } from "./setting/set.ts";
import { show } from "./setting/show.ts";
import { accept } from "./sync/accept.ts";
import { addSync } from "./sync/add.ts";
import { compare } from "./sync/compare.ts";
import { removeSync } from "./sync/remove.ts";
import { repair } from "./sync/repair-rows.ts";
import { updateSync } from "./sync/update.ts";
import { validate } from "./sync/validate.ts";

const installation = [install, upgrade, uninstall];
const databases = [addDb, updateDb, removeDb, listDatabases, addDbgroup, updateDbgroup, removeDbgroup, listDbgroups];
const tables = [addTable, addAllTables, updateTable, removeTable, removeAllTables, listTables];
const sequences = [addSequence, addAllSequences, updateSequence, removeSequence, removeAllSequences, listSequences];
const relgroups = [addRelgroup, updateRelgroup, removeRelgroup, listRelgroups];
const names = [addCustomname, updateCustomname, removeCustomname, listCustomnames];
const columns = [addCustomcols, updateCustomcols, removeCustomcols, listCustomcols];
const filters = [addRowfilter, updateRowfilter, removeRowfilter, listRowfilters];
const codes = [addCustomCode, updateCustomCode, removeCustomCode, listCustomCodes];
const syncs = [addSync, updateSync, removeSync, listSyncs, listRuns, listSamples, listAll, validate, accept];
const data = [
  compare,
  repair,
  listConflicts,
  replayConflict,
  listSetAside,
  replay,
  discard,
  inspectSync,
  inspectTable,
  inspectSequence,
  inspectRelgroup,
  inspectDbgroup,
  inspectDb,
];
const moves = [
  migratePlan,
  migrateStart,
  migrateStatus,
  migrateWatch,
  migrateFollow,
  migrateCutover,
  migrateSwitchback,
  migrateReport,
  migrateSamples,
  migrateFinish,
  migrateAbort,
];

/** Every operation but `help`, in the order of the reference page. */
export const operations: readonly Operation[] = [
  ...moves,
  ...installation,
  ...databases,
  ...tables,
  ...sequences,
  ...relgroups,
  ...names,
  ...columns,
  ...filters,
  ...syncs,
  ...codes,
  ...data,
  set,
  show,
  ...daemonOperations,
  importOf(() => operations),
  importCheck,
  importRemove,
  serve,
  httpToken,
  check,
  listAlerts,
  alertTest,
];
