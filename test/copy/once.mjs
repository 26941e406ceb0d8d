// One call of copyTables from the built program, in a process that a test may kill. Its options come as JSON in COPY_OPTIONS.
import { pathToFileURL } from "node:url";

const { dist, from, to, ...options } = JSON.parse(process.env.COPY_OPTIONS);
const load = (path) => import(pathToFileURL(`${dist}/${path}`).href);
const { copyTables } = await load("copy/copy-tables.js");
const { connect } = await load("postgres/connect.js");
await copyTables({
  ...options,
  openSource: () => connect({ name: "source", ...from }),
  openTarget: () => connect({ name: "target", ...to }),
  signal: new AbortController().signal,
  onProgress: () => {},
});
