/** What a control database of the Perl program holds, version 4 or 5; rows as they are there, by column. */
export type PerlRow = Readonly<Record<string, unknown>>;

export type PerlInstallation = {
  readonly version: 4 | 5;
  /** As it calls itself, 5.6.0; null: it does not. */
  readonly release: string | null;
  readonly settings: readonly PerlRow[];
  readonly databases: readonly PerlRow[];
  readonly dbgroups: readonly PerlRow[];
  readonly dbmap: readonly PerlRow[];
  readonly goats: readonly PerlRow[];
  readonly herds: readonly PerlRow[];
  readonly herdmap: readonly PerlRow[];
  readonly syncs: readonly PerlRow[];
  readonly customcodes: readonly PerlRow[];
  readonly customcodeMap: readonly PerlRow[];
  readonly customnames: readonly PerlRow[];
  readonly customcols: readonly PerlRow[];
};
