import { h, type Node } from "../dom/node.ts";
import type { App } from "../state/app.ts";
import { modal } from "./modal.ts";
import { doTurn } from "./turn.ts";

/** The question before the writers move: the name of the database that is left, typed by hand. */
export function confirmTurn(app: App, direction: "cutover" | "switchback"): Node | null {
  const move = app.seen?.migration ?? null;
  if (move === null) return null;
  const over = direction === "cutover";
  const name = over ? move.fromDatabase : move.toDatabase;
  const typed = app.ui("turn name", "");
  const right = typed === name;
  const send = (event: SubmitEvent): void => {
    event.preventDefault();
    const confirm = new FormData(event.target as HTMLFormElement).get("database");
    if (confirm !== name) return;
    app.ask(null);
    app.setUi("turn name", "");
    void doTurn(app, direction, { confirm });
  };
  const close = (): void => {
    app.setUi("turn name", "");
    app.ask(null);
  };
  return modal(
    app,
    "turn-question",
    h(
      "form",
      { on: { submit: send } },
      h("h2", { id: "turn-question" }, over ? "Cut over to the new side?" : "Switch back to the old side?"),
      h(
        "p",
        {},
        over ? `Writers leave ${move.from} and go to ${move.to}.` : `Writers leave ${move.to} and go back to ${move.from}.`,
        " They wait while it happens. Whatever fails before the point of no return is undone.",
      ),
      h(
        "label",
        {},
        h("span", {}, "Type the name of the database that is left: ", h("code", {}, name)),
        h("input", {
          name: "database",
          autocomplete: "off",
          spellcheck: "false",
          autocapitalize: "off",
          autofocus: true,
          value: typed,
          "aria-describedby": "turn-hint",
          on: { input: (event: Event) => app.setUi("turn name", (event.target as HTMLInputElement).value) },
        }),
      ),
      h("p", { id: "turn-hint", class: "quiet" }, right ? "That is it." : "The button works when the name is right."),
      h(
        "div",
        { class: "buttons" },
        h("button", { type: "submit", class: "button danger", "aria-disabled": right ? null : "true" }, over ? "Cut over" : "Switch back"),
        h("button", { type: "button", class: "button", on: { click: close } }, "Cancel"),
      ),
    ),
  );
}
