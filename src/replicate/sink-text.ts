import { quoteIdent } from "../postgres/quote.ts";
import { joinByKey, keyNames, pendingKeys } from "./fetch-text.ts";
import type { TableLink } from "./table-link.ts";
import type { TablePlan } from "./plan.ts";

/** Every pending key once, sorted. */
export function sinkKeysText(plan: TablePlan, link: TableLink): string {
  const keys = keyNames(link).join(", ");
  return `copy (select distinct ${keys} from (${pendingKeys(plan, link)}) x order by ${keys}) to stdout`;
}

/** The rows of the pending keys as far as they are there, in the order of the keys. */
export function sinkRowsText(plan: TablePlan, link: TableLink): string {
  const keys = keyNames(link);
  const columns = link.columns.filter(({ written }) => written).map(({ name }) => `t.${quoteIdent(name)}`);
  return `copy (
  select ${columns.join(", ")}
    from (select distinct ${keys.join(", ")} from (${pendingKeys(plan, link)}) x) d ${joinByKey(link)}
   order by ${keys.map((key) => `d.${key}`).join(", ")}
) to stdout`;
}
