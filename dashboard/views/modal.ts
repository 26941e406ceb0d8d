import { h, type Child, type Node } from "../dom/node.ts";
import type { App } from "../state/app.ts";

/** A window of its own: the page behind cannot be reached, Escape closes it, and the focus goes back to where it was. */
export function modal(app: App, titleId: string, ...content: readonly Child[]): Node {
  return h(
    "dialog",
    {
      "aria-labelledby": titleId,
      mounted: (element: HTMLDialogElement) => {
        const before = document.activeElement as HTMLElement | null;
        element.showModal();
        return () => before?.isConnected && before.focus();
      },
      on: {
        cancel: (event: Event) => {
          event.preventDefault();
          app.ask(null);
        },
      },
    },
    ...content,
  );
}
