import { z } from "zod";
import { codeRows, listCustomCodes, printCodes } from "../customcode/list.ts";
import { defineOperation } from "../operation.ts";
import { databaseRows, listDatabases, printDatabases } from "./databases.ts";
import { dbgroupRows, listDbgroups, listRelgroups, printDbgroups, printRelgroups, relgroupRows } from "./groups.ts";
import { listSequences, listTables, printRelations, relationRows } from "./relations.ts";
import { listSyncs, printSyncs, syncRows } from "./syncs.ts";

export const listAll = defineOperation({
  name: ["list", "all"],
  summary: "Show everything that is registered",
  description: "",
  group: "syncs",
  effect: "reads",
  control: "required",
  input: z.object({}),
  output: z.object({
    databases: listDatabases.output.shape.databases,
    dbgroups: listDbgroups.output.shape.dbgroups,
    relgroups: listRelgroups.output.shape.relgroups,
    syncs: listSyncs.output.shape.syncs,
    tables: listTables.output.shape.relations,
    sequences: listSequences.output.shape.relations,
    customcodes: listCustomCodes.output.shape.customcodes,
  }),
  examples: [{ command: "bucardo list all -v", about: "With members." }],
  async run(_input, context) {
    const control = await context.control();
    return {
      databases: await databaseRows(control, []),
      dbgroups: await dbgroupRows(control, []),
      relgroups: await relgroupRows(control, []),
      syncs: await syncRows(control, []),
      tables: await relationRows(context, "table", []),
      sequences: await relationRows(context, "sequence", []),
      customcodes: await codeRows(control, []),
    };
  },
  print({ databases, dbgroups, relgroups, syncs, tables, sequences, customcodes }, io) {
    io.out("-- dbs:");
    printDatabases(databases, false, io);
    io.out("-- dbgroups:");
    printDbgroups(dbgroups, false, io);
    io.out("-- relgroups:");
    printRelgroups(relgroups, false, io);
    io.out("-- syncs:");
    printSyncs(syncs, false, io);
    io.out("-- tables:");
    printRelations(tables, "table", false, io);
    io.out("-- sequences:");
    printRelations(sequences, "sequence", false, io);
    io.out("-- customcodes:");
    printCodes(customcodes, false, io);
  },
});
