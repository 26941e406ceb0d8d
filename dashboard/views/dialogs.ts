import { h, type Child, type Node } from "../dom/node.ts";
import type { App } from "../state/app.ts";
import { modal } from "./modal.ts";
import { confirmTurn } from "./turn-dialog.ts";

/** What stands before everything else; null: nothing. */
export function dialog(app: App): Child {
  const { question } = app;
  if (question === null) return null;
  return question.kind === "token" ? tokenDialog(app, question.next) : confirmTurn(app, question.kind);
}

function tokenDialog(app: App, next: (() => void) | null): Node {
  const send = (event: SubmitEvent): void => {
    event.preventDefault();
    const typed = new FormData(event.target as HTMLFormElement).get("token");
    app.ask(null);
    app.useToken(typeof typed === "string" ? typed : "");
    next?.();
  };
  return modal(
    app,
    "token-title",
    h(
      "form",
      { on: { submit: send } },
      h("h2", { id: "token-title" }, "Token"),
      h(
        "p",
        {},
        "To change something, and to see rows of your tables, this server wants its token. ",
        h("code", {}, "bucardo http token"),
        " prints it, on the machine of the daemon.",
      ),
      h(
        "label",
        {},
        h("span", {}, "Token"),
        h("input", { name: "token", type: "password", autocomplete: "off", required: true, autofocus: true }),
      ),
      h("p", { class: "quiet" }, "It stays in this tab and goes when the tab is closed."),
      h(
        "div",
        { class: "buttons" },
        h("button", { type: "submit", class: "button main" }, "Use it"),
        h("button", { type: "button", class: "button", on: { click: () => app.ask(null) } }, "Cancel"),
      ),
    ),
  );
}
