// Runs custom code in a process of its own: plain JavaScript, because Node starts it by itself, from src/ too. It has no environment, may read no files
// and start no programs (--permission), and knows databases only by asking the daemon. It ends with the daemon, and the daemon ends it when it hangs.
import { Worker } from "node:worker_threads";

// The daemon may be killed while somebody's code loops for ever, and then nothing in this thread would ever notice.
const watch = `setInterval(() => { if (process.ppid !== ${process.ppid}) process.kill(process.pid, "SIGKILL"); }, 1000);`;
new Worker(watch, { eval: true }).unref();

const modules = new Map();
/** Kept between the calls for as long as this process lives. */
const shared = {};
const waiting = new Map();
let requests = 0;

process.on("disconnect", () => process.exit(0));
process.on("message", (message) => {
  if (message.kind === "call") void answer(message);
  else settle(message);
});
process.on("uncaughtException", (error) => void process.stderr.write(`${error?.stack ?? error}\n`));
process.on("unhandledRejection", (error) => void process.stderr.write(`${error?.stack ?? error}\n`));
process.send({ kind: "ready" });

async function answer({ call, code, input, databases }) {
  try {
    const run = await load(code);
    const asks = { sendmail: "mail", ...("details" in input && { images: "images" }) };
    const given = { ...input, shared };
    for (const [name, what] of Object.entries(asks)) given[name] = (argument) => ask({ kind: "ask", call, what, argument });
    if (databases.length > 0) giveHandles(given, call, databases);
    const returned = await run(given);
    process.send({ kind: "done", call, output: plain({ ...given, ...(typeof returned === "object" ? returned : {}) }) });
  } catch (error) {
    process.send({ kind: "failed", call, error: failureOf(error) });
  }
}

async function load({ name, checksum, text }) {
  const key = `${name} ${checksum}`;
  if (!modules.has(key)) {
    const source = Buffer.from(`${text}\n//# sourceURL=${encodeURI(name)}`).toString("base64");
    const loaded = await import(`data:text/javascript;charset=utf-8;base64,${source}`);
    const run = loaded.default;
    if (typeof run !== "function") throw new Error("the module has no default export that is a function");
    modules.set(key, run);
  }
  return modules.get(key);
}

function giveHandles(input, call, databases) {
  input.dbh = Object.fromEntries(databases.map((db) => [db, handle(call, db)]));
  if (input.sourcename in input.dbh) input.sourcedbh = input.dbh[input.sourcename];
  if (input.targetname in input.dbh) input.targetdbh = input.dbh[input.targetname];
}

function handle(call, db) {
  const send = (text, values) => ask({ kind: "query", call, db, text: String(text), values: [...(values ?? [])] });
  return {
    name: db,
    /** Rows as objects. */
    query: async (text, values) => (await send(text, values)).rows,
    /** The first row; null when there is none. */
    one: async (text, values) => (await send(text, values)).rows[0] ?? null,
    /** Number of rows read or changed. */
    execute: async (text, values) => (await send(text, values)).count,
  };
}

function ask(message) {
  const request = ++requests;
  return new Promise((resolve, reject) => {
    waiting.set(request, { resolve, reject });
    process.send({ ...message, request });
  });
}

function settle({ request, value, error }) {
  const { resolve, reject } = waiting.get(request);
  waiting.delete(request);
  if (error === undefined) resolve(value);
  else reject(Object.assign(new Error(error.message), error));
}

/** What is asked for, of the input as it is now; all else stays here. */
function plain(output) {
  const names = [
    "message",
    "warning",
    "error",
    "skip",
    "nextcode",
    "lastcode",
    "endsync",
    "redo",
    "retry",
    "tablewinner",
    "tablewinner_always",
    "syncwinner",
    "syncwinner_always",
    "conflicts",
    "winners",
  ];
  return Object.fromEntries(names.filter((name) => name in output && output[name] !== undefined).map((name) => [name, output[name]]));
}

function failureOf(error) {
  if (!(error instanceof Error)) return { message: String(error) };
  const { message, stack, code } = error;
  return { message, stack, ...(typeof code === "string" ? { code } : {}) };
}
