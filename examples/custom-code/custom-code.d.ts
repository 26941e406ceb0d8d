/** What custom code is given, and what it may set or return; docs/custom-code.md tells the rest. */
export type Handle = {
  readonly name: string;
  query<Row = Record<string, any>>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  one<Row = Record<string, any>>(text: string, values?: readonly unknown[]): Promise<Row | null>;
  execute(text: string, values?: readonly unknown[]): Promise<number>;
};

export type Input = Asks & {
  readonly syncname: string;
  readonly sourcename: string;
  readonly targetname: string;
  readonly version: string;
  readonly whenrun: string;
  /** Of the code. */
  readonly name: string;
  /** Rows written and deleted so far: rows.public.employee.upserted. */
  readonly rows: Record<string, Record<string, { upserted: number; deleted: number }>>;
  /** Kept between calls for as long as the process lives. */
  readonly shared: Record<string, any>;
  readonly dbh: Record<string, Handle>;
  readonly sourcedbh: Handle;
  readonly targetdbh: Handle;
  /** False: it was not sent, and the log says why. */
  sendmail(mail: { subject: string; body: string; to?: string; from?: string }): Promise<boolean>;
};

export type Asks = {
  message?: string;
  warning?: string;
  error?: string;
  skip?: boolean;
  lastcode?: boolean;
  endsync?: boolean;
  redo?: boolean;
  retry?: boolean;
};

/** whenrun=exception */
export type Failure = Input & {
  readonly schemaname: string;
  readonly tablename: string;
  /** The database that refused. */
  readonly dbname: string;
  /** What the server said. */
  readonly error_string: string;
  readonly sqlstate?: string;
  readonly detail?: string;
  readonly constraint?: string;
  readonly column?: string;
  /** 1 for the first failure of the table in this run. */
  readonly attempts: number;
  /** A view on the target: the rows that were to be written. */
  readonly incoming: string;
};

type Side = { readonly db: string; readonly at: string | null; readonly gone: boolean };

/** whenrun=conflict */
export type Conflicts = Input & {
  readonly schemaname: string;
  readonly tablename: string;
  readonly keycolumns: readonly string[];
  readonly sources: readonly string[];
  /** By key (several columns joined by "\0"): who has it. Put the name of a database in its place, or "skip". */
  readonly conflicts: Record<string, Record<string, 1> | string>;
  /** The same as a list, with more about each. */
  readonly details: readonly {
    readonly key: readonly string[];
    readonly kind: "row" | "unique" | "foreign_key";
    readonly incoming: Side;
    readonly local: Side;
  }[];
  /** Both rows of each, in the order of `details`; null: deleted. */
  images(): Promise<{ incoming: Record<string, any> | null; local: Record<string, any> | null }[]>;
  /** Winners by position in `details`. */
  winners?: Record<number, string>;
  tablewinner?: string | string[];
  tablewinner_always?: string | string[];
  syncwinner?: string | string[];
  syncwinner_always?: string | string[];
};
