// @ts-check
// oxlint-disable unicorn/require-post-message-target-origin -- that is for windows of a browser
// A thread of its own for pg_dump in WebAssembly, whose reads and writes are synchronous: it stands still here until the server has answered.
// Plain JavaScript, because a Worker is loaded by Node itself, from src/ too.
import { pgDump } from "@electric-sql/pglite-tools/pg_dump";
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";

/**
 * `port`: bytes of the server come in (null: no more), bytes for it go out. `counter` goes up with every message to us, so that we can wait for one.
 * @type {{ port: import("node:worker_threads").MessagePort, counter: Int32Array, greeting: Uint8Array, args: string[] }}
 */
const { port, counter, greeting, args } = workerData;

const answered = new Set(["Q", "S", "F"].map((type) => type.charCodeAt(0)));
const TERMINATE = "X".charCodeAt(0);
const READY = "Z".charCodeAt(0);

/** @returns {Uint8Array | null} the next bytes of the server, null at its end */
function receive() {
  for (;;) {
    const seen = Atomics.load(counter, 0);
    const next = receiveMessageOnPort(port);
    if (next) return next.message;
    Atomics.wait(counter, 0, seen);
  }
}

/**
 * Gives the whole messages of a stream that is cut anywhere.
 * @param {number} typeLength 1, or 0 for the very first message of a client, which has no type
 */
function messages(typeLength) {
  let rest = Buffer.alloc(0);
  return (/** @type {Uint8Array} */ bytes) => {
    rest = Buffer.concat([rest, bytes]);
    const whole = [];
    while (rest.length >= typeLength + 4) {
      const length = typeLength + rest.readUInt32BE(typeLength);
      if (rest.length < length) break;
      whole.push(rest.subarray(0, length));
      rest = rest.subarray(length);
    }
    return whole;
  };
}

const fromServer = messages(1);

/** Everything that the server says until it is ready `times` times; less only when the connection ends. @param {number} times */
function answer(times) {
  const parts = [];
  for (let ready = 0; ready < times;) {
    const bytes = receive();
    if (bytes === null) break;
    for (const message of fromServer(bytes)) {
      parts.push(message);
      if (message[0] === READY) ready++;
    }
  }
  return Buffer.concat(parts);
}

let started = false;
const startup = messages(0);
const fromClient = messages(1);

/** What pg_dump's libpq takes for its connection. It has to have the whole answer at once: nothing to read means the end to it. */
const connection = {
  query: async () => ({ rows: [{ search_path: "" }] }),
  exec: async () => undefined,
  /** @param {Uint8Array} bytes @param {{ onRawData: (bytes: Uint8Array) => void }} options */
  execProtocolRawStream(bytes, { onRawData }) {
    if (!started) {
      started = startup(bytes).length > 0;
      if (started) onRawData(greeting);
      return;
    }
    // A long query comes in several writes.
    const whole = fromClient(bytes).filter((message) => message[0] !== TERMINATE);
    for (const message of whole) port.postMessage(new Uint8Array(message));
    const expected = whole.filter((message) => answered.has(message[0] ?? 0)).length;
    if (expected > 0) onRawData(answer(expected));
  },
};

// The name under which it complains; it would take that of the main program.
process.argv[1] = "pg_dump";

try {
  const file = await pgDump({ pg: /** @type {any} */ (connection), args });
  parentPort?.postMessage({ text: await file.text() });
} catch (error) {
  parentPort?.postMessage({ error: error instanceof Error ? error.message : String(error) });
}
