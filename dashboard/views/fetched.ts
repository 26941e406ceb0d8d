import { h, type Node } from "../dom/node.ts";
import { button } from "../parts/parts.ts";
import type { App } from "../state/app.ts";
import type { Resource } from "../state/resources.ts";

/** A list that needs the token: `show`s what has come, or says why it was refused, that it is on its way, or that it is empty. */
export function fetched<Row>(app: App, { data, refused }: Resource<readonly Row[]>, show: (rows: readonly Row[]) => Node): Node {
  if (refused !== null)
    return h(
      "div",
      {},
      h("p", {}, refused.error.message),
      refused.status === 401 && button("Enter another token", () => app.ask({ kind: "token", next: null })),
    );
  if (data === null) return h("p", { class: "quiet" }, "Loading…");
  return data.length === 0 ? h("p", { class: "quiet" }, "None.") : show(data);
}
