import { h, type Node } from "../dom/node.ts";

export type Image = { readonly name: string; readonly values: Readonly<Record<string, unknown>> | null };

/** Rows side by side, column under column; what differs is marked. */
export function image(images: readonly Image[]): Node {
  const columns = [...new Set(images.flatMap(({ values }) => Object.keys(values ?? {})))];
  const differs = (column: string): boolean => new Set(images.map(({ values }) => JSON.stringify(values?.[column]))).size > 1;
  return h(
    "div",
    { class: "table-box low", tabindex: 0, role: "group", "aria-label": "Values of the row" },
    h(
      "table",
      { class: "image" },
      h(
        "thead",
        {},
        h("tr", {}, h("th", { scope: "col" }, "Column"), ...images.map(({ name }) => h("th", { scope: "col", key: name }, name))),
      ),
      h(
        "tbody",
        {},
        ...columns.map((column) =>
          h(
            "tr",
            { key: column, class: images.length > 1 && differs(column) ? "differs" : null },
            h("th", { scope: "row" }, column, images.length > 1 && differs(column) && h("span", { class: "unseen" }, " (differs)")),
            ...images.map(({ name, values }) => h("td", { key: name }, valueNode(values === null ? undefined : values[column]))),
          ),
        ),
      ),
    ),
  );
}

function valueNode(value: unknown): Node {
  if (value === undefined) return h("span", { class: "quiet" }, "(no row)");
  if (value === null) return h("span", { class: "quiet" }, "NULL");
  return h("code", {}, typeof value === "string" ? value : JSON.stringify(value));
}
