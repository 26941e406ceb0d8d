import { z } from "zod";
import { recentAlerts, toldOf } from "../../control/alert.ts";
import { integer, key } from "../input.ts";
import { defineOperation } from "../operation.ts";

const row = z.object({
  id: z.number(),
  kind: z.string(),
  grade: z.enum(["warning", "critical"]),
  sync: z.string().nullable(),
  target: z.string().nullable(),
  db: z.string().nullable(),
  what: z.string(),
  advice: z.string(),
  began: z.date(),
  /** Null while the problem is there. */
  over: z.date().nullable(),
  /** Per channel: raised, or over. */
  told: z.record(z.string(), z.enum(["raised", "over"])),
});

export const listAlerts = defineOperation({
  name: ["list", "alerts"],
  synonyms: [["list", "alert"]],
  summary: "Show what went wrong lately, and who was told",
  description:
    "The newest first. The daemon notes problems whether or not they are mailed or posted; docs/alerts.md tells how to switch that on.",
  group: "daemon",
  effect: "reads",
  control: "required",
  input: z.object({ limit: key(integer(1, 10_000).default(20), { about: "So many at most.", value: "N" }) }),
  output: z.object({ alerts: z.array(row) }),
  examples: [{ command: "bucardo list alerts", about: "The last twenty." }],
  async run({ limit }, context) {
    const alerts = await recentAlerts(await context.control(), limit);
    return { alerts: alerts.map((alert) => ({ ...toldOf(alert), told: alert.told })) };
  },
  print({ alerts }, io) {
    if (alerts.length === 0) io.out("There were no alerts");
    for (const { grade, what, advice, began, over, told } of alerts) {
      const channels = Object.keys(told);
      io.out(`${began.toISOString()} ${over === null ? grade : "over"}: ${what}`);
      if (io.verbose > 0) io.out(`    ${advice}`);
      if (io.verbose > 0)
        io.out(`    ${over === null ? "not over" : `over at ${over.toISOString()}`}; told: ${channels.join(", ") || "nobody"}`);
    }
  },
});
