import { h, type Child } from "../dom/node.ts";

/** Text of ours with commands between backticks, which stand as such. */
export function rich(text: string): Child {
  return text.split("`").map((part, index) => (index % 2 === 1 ? h("code", { key: index }, part) : part));
}
