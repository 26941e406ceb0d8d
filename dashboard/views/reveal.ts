import { h, type Node } from "../dom/node.ts";
import { button } from "../parts/parts.ts";
import type { App } from "../state/app.ts";
import { token } from "../state/token.ts";

/** Shows something that needs the token. */
export function reveal(app: App, key: string, label: string): Node {
  const show = (): void => {
    if (token() === null) app.ask({ kind: "token", next: () => app.setUi(key, true) });
    else app.setUi(key, true);
  };
  return h("p", {}, button(label, show), h("span", { class: "quiet beside" }, "These are values of your tables."));
}
