/**
 * Every error of ours, once: what it means, what to do, whether a run that met it is tried again, and the exit code.
 * `docs/errors.md` is generated from here. `retry`: never = the sync stops until something is changed; backoff = again
 * later, for ever; now = again at once (the run was void, nothing is wrong).
 */
export type CatalogueEntry = {
  readonly meaning: string;
  readonly advice: string;
  readonly retry: "never" | "backoff" | "now";
  readonly exit: number;
};

const usage = { retry: "never", exit: 1 } as const;
const stop = { retry: "never", exit: 1 } as const;
const later = { retry: "backoff", exit: 1 } as const;
const again = { retry: "now", exit: 1 } as const;

export const catalogue = {
  usage: { meaning: "The command line has a word or value that is not understood.", advice: "See `bucardo help COMMAND`.", ...usage },
  "bad-value": {
    meaning: "A value is outside what the setting or option takes.",
    advice: "Give a value of the form that the message names.",
    ...usage,
  },
  "bad-rc-file": {
    meaning: "The configuration file cannot be read or has a line that is not `name = value`.",
    advice: "Mend the line that the message names, or pass --no-bucardorc.",
    ...usage,
  },
  "unknown-object": {
    meaning: "A named database, group, sync, table or sequence is not registered.",
    advice: "`bucardo list all` shows what is.",
    ...usage,
  },
  "already-exists": { meaning: "The name is taken.", advice: "Choose another name, or `bucardo update` the existing one.", ...usage },
  declined: { meaning: "The question before a change was not answered with yes.", advice: "Nothing was changed.", ...usage },
  "in-use": { meaning: "Something else refers to the object.", advice: "Remove what refers to it first, or pass --force.", ...usage },
  "not-supported": {
    meaning: "The feature of an older version is not offered; the message names the alternative.",
    advice: "Use the alternative.",
    ...usage,
  },
  "not-equal": {
    meaning: "Source and target have different rows.",
    advice: "`bucardo compare` names the keys. Who writes to the target? Then repair, or begin again.",
    ...usage,
  },
  "target-not-empty": {
    meaning: "The new database of a move has objects or rows of somebody's.",
    advice: "Move into an empty database, or drop what is in the way.",
    ...usage,
  },
  "migration-missing": {
    meaning: "No move of this database has begun, or it was finished.",
    advice: "`bucardo migrate start --from URL --to URL` begins one.",
    ...usage,
  },
  "not-installed": { meaning: "The control database has no Bucardo schema.", advice: "Run `bucardo install`.", ...usage },
  "schema-older": { meaning: "The control schema was made by an older Bucardo.", advice: "Run `bucardo upgrade`.", ...usage },
  "schema-newer": {
    meaning: "The control schema was made by a newer Bucardo.",
    advice: "Use that version or a newer one; nothing was changed.",
    ...usage,
  },
  "connection-failed": {
    meaning: "No connection: host, port, password or server are not as told.",
    advice: "Check the server and the connection settings that the message names.",
    ...later,
  },
  "not-postgres": { meaning: "What answers at host and port does not speak PostgreSQL.", advice: "Check host and port.", ...later },
  "authentication-failed": {
    meaning: "The server refused the user or the password.",
    advice: "Check user, password source (pgpass, service, environment) and pg_hba.conf.",
    ...later,
  },
  "connection-lost": {
    meaning: "A connection ended in the middle of work.",
    advice: "Nothing to do: the run is repeated when the server answers.",
    ...later,
  },
  "server-not-ready": {
    meaning: "The server is starting, stopping or in recovery.",
    advice: "Nothing to do, unless it is a standby: register its primary.",
    ...later,
  },
  "too-many-connections": {
    meaning: "The server or our own cap has no connection left.",
    advice: "Raise max_connections there, or lower `max_connections` here.",
    ...later,
  },
  "permission-denied": { meaning: "Our user lacks a privilege.", advice: "Grant what the message names.", ...stop },
  "daemon-running": { meaning: "A daemon already owns this control database.", advice: "`bucardo stop` ends it.", ...usage },
  "daemon-not-running": { meaning: "No daemon is running for this control database.", advice: "`bucardo start` starts it.", ...usage },
  "daemon-failed": { meaning: "The daemon did not come up.", advice: "The message says why; its log has more.", ...usage },
  "alert-failed": {
    meaning: "An alert could not be delivered by mail or webhook.",
    advice: "It is tried again. Check the settings default_email_* and alert_*; `bucardo alert test` sends one now.",
    ...later,
  },
  timeout: { meaning: "Something did not end in the time given.", advice: "It goes on; look with `bucardo status`.", ...usage },
  "lock-timeout": {
    meaning: "A table is locked by another session; we do not queue the application behind us.",
    advice: "End or wait for the session that the message names, then repeat.",
    ...later,
  },
  "sync-invalid": {
    meaning: "The sync cannot run as declared; the problems are listed together.",
    advice: "Mend each problem, then `bucardo validate SYNC`.",
    ...stop,
  },
  "sync-inactive": { meaning: "The sync is not active.", advice: "`bucardo activate SYNC`.", ...usage },
  "run-void": {
    meaning: "A table was rewritten or a checkpoint moved while a run looked at it; nothing was written.",
    advice: "Nothing to do: the run is repeated at once.",
    ...again,
  },
  conflict: {
    meaning: "A row was changed on two sources, and nobody is to decide which change counts.",
    advice:
      "Make the rows equal on both databases, or let the strategy decide: `bucardo update sync SYNC conflict_strategy=bucardo_latest`. Nothing was written.",
    ...stop,
  },
  serialization: {
    meaning: "The server asked to repeat a transaction (serialization failure or deadlock).",
    advice: "Nothing to do: the run is repeated.",
    ...later,
  },
  "source-changed": {
    meaning: "The source is not the database, timeline or time that the checkpoint belongs to: failover, restore, clone or another server.",
    advice:
      "Compare source and target, then `bucardo accept SYNC` to go on from the checkpoint, or `bucardo update sync SYNC onetimecopy=1` to copy again.",
    ...stop,
  },
  "target-changed": {
    meaning: "The target is not the database or lost the run that the checkpoint counts on: failover, restore or another server.",
    advice:
      "Compare source and target, then `bucardo accept SYNC` to go on from the checkpoint, or `bucardo update sync SYNC onetimecopy=1` to copy again.",
    ...stop,
  },
  "checkpoint-missing": {
    meaning: "The source holds no checkpoint for this target: capture was removed or never installed.",
    advice: "`bucardo validate SYNC` installs it again; the target then needs a copy (onetimecopy=1).",
    ...stop,
  },
  "needs-copy": {
    meaning: "A table was rewritten without deltas, or the quota released it: the target needs a fresh copy.",
    advice: "`bucardo update sync SYNC onetimecopy=1`, then `bucardo kick SYNC`.",
    ...stop,
  },
  "data-rejected": {
    meaning:
      "The target refused a row. The SQLSTATE says why: a unique value that another row holds (23505), an exclusion constraint (23P01), a CHECK or no partition for it (23514), NULL (23502), a foreign key (23503), too long (22001), no value of the type (22...), an exception that a trigger raised (P0001).",
    advice:
      "Mend what the message names, or the row, whose key `bucardo status SYNC` shows; then `bucardo kick SYNC`, or wait. `on_error` of the sync says what else may happen to such rows.",
    ...stop,
  },
  "set-aside-full": {
    meaning: "So many rows of a table cannot be written on a target that it is no matter of single rows any more.",
    advice: "`bucardo list set-aside SYNC` shows them; mend the cause, then `bucardo replay SYNC all`, or `bucardo discard SYNC all`.",
    ...stop,
  },
  "schema-mismatch": {
    meaning: "Source and target differ in a way that rows cannot cross.",
    advice: "Make the columns that the message names equal on both sides, then `bucardo validate SYNC`.",
    ...stop,
  },
  encoding: {
    meaning: "A character of the source does not exist in the target's encoding, or bytes are not valid text.",
    advice: "Mend the value on the source, or use a target database in UTF8.",
    ...stop,
  },
  quota: {
    meaning: "The deltas waiting on a source use more disk than allowed.",
    advice: "Let the target catch up, raise `delta_quota`, or release the sync.",
    ...stop,
  },
  "disk-full": { meaning: "A server has no disk space left.", advice: "Free space on that server; the run repeats by itself.", ...later },
  "file-target": {
    meaning: "The directory of a target that is files cannot be read or written.",
    advice: "Mend what the message names on the daemon's host; the run repeats by itself.",
    ...later,
  },
  "gate-closed": {
    meaning: "A condition that must hold before a cutover does not; nothing was begun.",
    advice: "Mend what the message names, or let it pass with --override NAME.",
    ...usage,
  },
  "over-budget": {
    meaning: "The cutover took longer than it was allowed; everything was undone, and applications write where they did.",
    advice: "Look at the times of its steps, mend what took long, or raise --budget.",
    ...usage,
  },
  "cutover-unfinished": {
    meaning: "The cutover was decided, but the new side could not be opened.",
    advice: "Repeat the same command as soon as the new server answers: it does the rest.",
    ...usage,
  },
  "cutover-unknown": {
    meaning:
      "The old server was lost in the moment of the decision, and does not answer now: whether the cutover was decided is not known.",
    advice: "Repeat the same command when the server answers: it finds out, and finishes or undoes.",
    ...usage,
  },
  "pooler-failed": {
    meaning: "A connection pooler refused what a cutover needs of it.",
    advice: "Look at the pooler's log; its clients go on as before unless the message says otherwise.",
    ...usage,
  },
  "fence-expired": {
    meaning:
      "The time for which writers were to be kept off ended before the cutover was decided; they write again, and nothing was switched.",
    advice: "Repeat the command, with a larger --budget if it takes longer here.",
    ...usage,
  },
  "writers-left": {
    meaning: "A transaction that had written before the cutover began did not end in time; everything was undone.",
    advice: "End the transaction that the message names, or wait for it; then repeat the command.",
    ...usage,
  },
  "dump-failed": {
    meaning: "pg_dump could not read the structure of the old side.",
    advice: "Mend what the message says: usually a privilege that is missing, or a table that is locked.",
    ...usage,
  },
  "dump-too-old": {
    meaning: "The server is newer than the built-in pg_dump and than the one of this machine.",
    advice: "Install pg_dump of the server's version or newer (package postgresql-client), or give its path.",
    ...usage,
  },
  "restore-failed": {
    meaning: "Objects of the structure could not be made on the new side; each is named.",
    advice: "Mend the cause and repeat the command, or skip the object by its name.",
    ...usage,
  },
  "customcode-failed": {
    meaning:
      "Custom code threw, said error, or asked for something that is not allowed; nothing of the run stays, unless it was called after the run.",
    advice: "Mend the code and `bucardo update customcode NAME src_code=FILE`, or make it inactive. The sync goes on by itself then.",
    ...stop,
  },
  "customcode-killed": {
    meaning: "Custom code took more time or memory than it may; its process is gone, and nothing of the run stays.",
    advice: "Mend the code, or raise customcode_timeout or customcode_memory.",
    ...stop,
  },
  "http-token": {
    meaning: "The request needs the token, or came with a wrong one.",
    advice: "Send `Authorization: Bearer TOKEN`; `bucardo http token` prints it.",
    ...usage,
  },
  "http-origin": {
    meaning: "The request came from a page of another site, or under a name that this server does not know as its own.",
    advice: "Call it by address or localhost, or add the name to the setting http_hosts.",
    ...usage,
  },
  "http-unknown": { meaning: "There is nothing at this path.", advice: "/openapi.json lists what there is.", ...usage },
  "http-refused": {
    meaning: "The operation is not offered over HTTP, or not by this method or with this key.",
    advice: "Use the command line of the machine.",
    ...usage,
  },
  "http-body": {
    meaning: "The body of the request is no JSON object, or too large.",
    advice: "Send a JSON object as application/json.",
    ...usage,
  },
  "http-busy": { meaning: "Too many requests, or too many who listen.", advice: "Come again a little later.", ...later },
  interrupted: { meaning: "The work was told to stop.", advice: "Nothing to do: it goes on at the next start.", ...later },
  internal: { meaning: "A mistake in Bucardo.", advice: "Please report it with the log.", ...stop },
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof catalogue;
