// A cutover in a process of its own, by the built program: something that can be killed. The context comes as JSON, the outcome goes out as JSON.
import { cutover } from "../../dist/migrate/cutover.js";
import { connect } from "../../dist/postgres/connect.js";

const { from, to, ...context } = JSON.parse(process.argv[2] ?? "");
const side = ({ name, place, ...options }) => ({ name, place, open: () => connect({ name, ...options }) });
const report = await cutover({
  ...context,
  from: side(from),
  to: side(to),
  signal: new AbortController().signal,
  onEvent: () => undefined,
});
process.stdout.write(JSON.stringify({ outcome: report.outcome, why: report.why?.message }));
