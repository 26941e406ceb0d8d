import type { MigrationView, TurnView } from "../../src/http/page-types.ts";
import { h, type Child, type Node } from "../dom/node.ts";
import { badge, button, callout, mark, section } from "../parts/parts.ts";
import { post } from "../state/api.ts";
import type { App } from "../state/app.ts";
import type { Tone } from "../state/health.ts";
import { duration } from "../words.ts";

/** The cutover and the way back: what may be pressed now, the gates of the last attempt, and how long its steps took. */
export function turnSection(app: App, move: MigrationView): Node {
  const direction = move.openSide === "new" ? "switchback" : "cutover";
  const may = move.next === direction || move.decided;
  const title = direction === "cutover" ? "Cutover" : "Way back";
  return section(
    "turn-title",
    title,
    move.turn !== null && turnBadge(move.turn),
    h("p", { class: "quiet" }, explain(move, direction, may)),
    h(
      "div",
      { class: "buttons", role: "group", "aria-label": title },
      may && button("Rehearse", () => rehearse(app, direction), { busy: app.busy.has("turn") }),
      may &&
        button(direction === "cutover" ? "Cut over…" : "Switch back…", () => app.ask({ kind: direction }), {
          kind: "main",
          busy: app.busy.has("turn"),
        }),
    ),
    move.turn !== null && turnView(move.turn),
  );
}

function explain(move: MigrationView, direction: "cutover" | "switchback", may: boolean): string {
  if (move.working !== null) return `${move.working} is at work.`;
  if (!may) return direction === "cutover" ? "Comes when the move is ready." : "Not possible now.";
  return direction === "cutover"
    ? "Writers move to the new side, for some tenths of a second they wait. Until the point of no return everything can be undone."
    : "The new side is in use. Writers can go back to the old one, which follows.";
}

export async function doTurn(app: App, direction: "cutover" | "switchback", input: object): Promise<void> {
  await app.act("turn", async () => {
    const output = await post<{
      readonly outcome: string;
      readonly downtimeMs: number | null;
      readonly why: { readonly message: string; readonly advice: string } | null;
    }>(`migrate/${direction}`, input);
    const waited = output.downtimeMs === null ? "" : ` Writers waited ${duration(output.downtimeMs / 1000)}.`;
    if (output.outcome === "switched") return `Switched over.${waited}`;
    if (output.outcome === "rehearsed")
      return `Rehearsed, and undone.${output.downtimeMs === null ? "" : ` Writers would wait ${duration(output.downtimeMs / 1000)}.`}`;
    throw new Error(
      `${output.outcome === "refused" ? "Not begun" : "Undone, nothing is lost"}: ${output.why?.message ?? "see the gates"} ${output.why?.advice ?? ""}`,
    );
  });
}

function rehearse(app: App, direction: "cutover" | "switchback"): void {
  void doTurn(app, direction, { rehearse: true });
}

const OUTCOMES: Readonly<Record<string, readonly [Tone, string]>> = {
  switched: ["good", "Switched"],
  rehearsed: ["good", "Rehearsed"],
  refused: ["warn", "Refused by a gate"],
  undone: ["warn", "Undone"],
  failed: ["bad", "Failed"],
};

function turnBadge({ outcome, ended }: TurnView): Node {
  const [tone, word] = OUTCOMES[outcome ?? ""] ?? (ended === null ? ["busy", "Goes on"] : ["off", "Ended"]);
  return badge(tone, word);
}

function turnView(turn: TurnView): Child {
  return h(
    "div",
    { class: "turn" },
    turn.error !== null && callout("bad", turn.error.message, null, turn.error.advice),
    turn.downtimeMs !== null &&
      h(
        "p",
        { class: "downtime" },
        h("span", { class: "downtime-number" }, duration(turn.downtimeMs / 1000)),
        turn.rehearsal ? " writers would wait" : " writers waited",
      ),
    turn.gates.length > 0 && h("h3", {}, "Gates"),
    turn.gates.length > 0 && h("ul", { class: "gates" }, ...turn.gates.map(gate)),
    turn.timings.length > 0 && h("h3", {}, "Steps"),
    turn.timings.length > 0 && timings(turn),
    turn.lines.length > 0 &&
      h("details", {}, h("summary", {}, "In words"), h("pre", { tabindex: 0, "aria-label": "What was said" }, turn.lines.join("\n"))),
  );
}

function gate({ name, state, why, remedy }: TurnView["gates"][number]): Node {
  const [tone, word]: [Tone, string] = state === "ok" ? ["good", "open"] : state === "warn" ? ["warn", "warning"] : ["bad", "closed"];
  return h(
    "li",
    { key: name, class: state },
    mark(tone),
    h(
      "div",
      {},
      h("span", { class: "strong" }, name),
      h("span", { class: "unseen" }, ` ${word}`),
      h("span", { class: "under" }, why),
      remedy !== null && state !== "ok" && h("span", { class: "under advice" }, remedy),
    ),
  );
}

/** Each step where it stood in the window: a bar, and its milliseconds. */
function timings({ timings: steps }: TurnView): Node {
  const end = Math.max(1, ...steps.map(({ at, ms }) => at + ms));
  return h(
    "ol",
    { class: "timings" },
    ...steps.map(({ step, at, ms, detail }, index) =>
      h(
        "li",
        { key: index },
        h("span", { class: "timing-name" }, step, detail !== null && h("span", { class: "quiet" }, ` ${detail}`)),
        h("span", { class: "timing-ms" }, duration(ms / 1000)),
        h(
          "span",
          { class: "timing-track", "aria-hidden": "true" },
          h("span", {
            class: "timing-bar",
            style: { "margin-left": `${(at / end) * 100}%`, width: `${Math.max(0.6, (ms / end) * 100)}%` },
          }),
        ),
      ),
    ),
  );
}
