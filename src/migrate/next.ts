import type { Migration } from "./state.ts";

/** The command that comes next on a move on which nobody works. `decided`: the last turn was decided and broke off. Pure. */
export function nextVerb(
  { openSide, phase }: Pick<Migration, "openSide" | "phase">,
  decided: boolean,
): "start" | "cutover" | "switchback" | "finish" {
  if (decided) return openSide === "old" ? "cutover" : "switchback";
  if (openSide === "new") return "finish";
  return phase === "ready" ? "cutover" : "start";
}
