import { h, type Child, type Node } from "../dom/node.ts";
import type { App } from "../state/app.ts";

export type Column<Row> = {
  readonly name: string;
  readonly head: string;
  readonly cell: (row: Row) => Child;
  /** By what it is sorted; without it the column cannot be. */
  readonly order?: (row: Row) => number | string;
  readonly number?: boolean;
  /** Hidden where the window is narrow: what it says stands elsewhere, too. */
  readonly wide?: boolean;
};

export type TableOptions<Row> = {
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  /** Name of the column; `-name`: the other way round. "": as they come. */
  readonly order?: string;
  /** All rows have this height in pixels: only those to be seen are drawn, so that there may be ten thousand. */
  readonly rowHeight?: number;
};

/** As many rows as this are simply drawn. */
const WINDOWED_FROM = 150;
const WINDOW_HEIGHT = 480;
/** With more rows than this a table scrolls by itself, under its heads. */
const TALL = 14;

export function table<Row>(app: App, key: string, options: TableOptions<Row>): Node {
  const order = app.ui(`${key} order`, options.order ?? "");
  const rows = sorted(options.rows, options.columns, order);
  const windowed = options.rowHeight !== undefined && rows.length > WINDOWED_FROM;
  const height = options.rowHeight ?? 0;
  const top = windowed ? Math.min(app.ui(`${key} top`, 0), Math.max(0, rows.length * height - WINDOW_HEIGHT)) : 0;
  const first = windowed ? Math.max(0, Math.floor(top / height) - 8) : 0;
  const last = windowed ? Math.min(rows.length, Math.ceil((top + WINDOW_HEIGHT) / height) + 8) : rows.length;
  const gap = (name: string, count: number): Child =>
    windowed &&
    h(
      "tr",
      { key: name, class: "gap", "aria-hidden": "true" },
      h("td", { colspan: options.columns.length, style: { height: `${count * height}px` } }),
    );
  return h(
    "div",
    {
      class: `table-box ${windowed ? "windowed" : rows.length > TALL ? "tall" : ""}`,
      // What scrolls must be reached by keyboard.
      tabindex: 0,
      role: "group",
      "aria-label": options.label,
      on: windowed ? { scroll: (event: Event) => scrolled(app, `${key} top`, event, height) } : {},
    },
    h(
      "table",
      { "aria-rowcount": windowed ? rows.length + 1 : null },
      h("thead", {}, h("tr", {}, ...options.columns.map((column) => headCell(app, key, column, order)))),
      h(
        "tbody",
        {},
        gap("gap above", first),
        ...rows.slice(first, last).map((row, index) =>
          h(
            "tr",
            {
              key: options.keyOf(row),
              "aria-rowindex": windowed ? first + index + 2 : null,
              style: windowed ? { height: `${height}px` } : {},
            },
            ...options.columns.map((column) => h("td", { class: classOf(column) }, column.cell(row))),
          ),
        ),
        gap("gap below", rows.length - last),
      ),
    ),
  );
}

function scrolled(app: App, key: string, event: Event, height: number): void {
  const { scrollTop } = event.currentTarget as HTMLElement;
  // Some rows are there in advance.
  if (Math.abs(app.ui(key, 0) - scrollTop) > height * 3) app.setUi(key, scrollTop);
}

function headCell<Row>(app: App, key: string, column: Column<Row>, order: string): Node {
  const direction = order === column.name ? "ascending" : order === `-${column.name}` ? "descending" : null;
  if (column.order === undefined) return h("th", { scope: "col", class: classOf(column) }, column.head);
  const next =
    direction === "descending"
      ? column.name
      : direction === "ascending"
        ? `-${column.name}`
        : column.number
          ? `-${column.name}`
          : column.name;
  return h(
    "th",
    { scope: "col", class: classOf(column), "aria-sort": direction },
    h(
      "button",
      { type: "button", class: "sort", on: { click: () => app.setUi(`${key} order`, next) } },
      // On the side where it does not move the head away from its numbers.
      ...(column.number ? [arrow(direction), column.head] : [column.head, arrow(direction)]),
    ),
  );
}

function arrow(direction: string | null): Node {
  return h("span", { "aria-hidden": "true", class: "arrow" }, direction === "ascending" ? "↑" : direction === "descending" ? "↓" : "");
}

function classOf<Row>(column: Column<Row>): string {
  return [`col-${column.name}`, ...(column.number ? ["number"] : []), ...(column.wide ? ["wide"] : [])].join(" ");
}

function sorted<Row>(rows: readonly Row[], columns: readonly Column<Row>[], order: string): readonly Row[] {
  const column = columns.find(({ name }) => name === order.replace(/^-/, ""));
  const value = column?.order;
  if (value === undefined) return rows;
  const way = order.startsWith("-") ? -1 : 1;
  const compare = (a: number | string, b: number | string): number =>
    typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
  return rows
    .map((row) => ({ row, by: value(row) }))
    .toSorted((a, b) => compare(a.by, b.by) * way)
    .map(({ row }) => row);
}
