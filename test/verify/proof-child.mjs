// A proof in a process of its own, by the built program: something that can be killed. The job comes as JSON.
import { connect } from "../../dist/postgres/connect.js";
import { run } from "../../dist/replicate/run.js";
import { Proof } from "../../dist/verify/proof.js";

const { source: from, target: to, definition, ...job } = JSON.parse(process.argv[2] ?? "");
const open = async () => ({ source: await connect(from), target: await connect(to) });
const runs = await open();
const signal = new AbortController().signal;
const advance = () => run({ definition, ...runs, signal, onProgress: () => undefined, remembered: null });
const proof = await Proof.open({ ...(await open()), definition, advance, open, ...job });
await proof.bulk();
