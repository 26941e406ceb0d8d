/** What a view describes: an element with attributes, listeners and children. Data only; `patch.ts` makes the page so. */
export type Node = {
  readonly tag: string;
  readonly props: Props;
  readonly children: readonly (Node | string)[];
};

type Value = string | number | boolean | null | undefined;
export type Props = {
  /** Tells brothers apart, so that each keeps its element when the order changes. */
  readonly key?: string | number;
  readonly on?: Readonly<Record<string, (event: never) => void>>;
  /** Called with the element once it stands in the page; what it gives back is called when it goes. */
  readonly mounted?: (element: never) => (() => void) | void;
  /** Set by script, which the Content-Security-Policy allows. */
  readonly style?: Readonly<Record<string, string>>;
} & { readonly [attribute: string]: Value | object };

export type Child = Node | string | number | null | undefined | false | readonly Child[];

export function h(tag: string, props: Props, ...children: readonly Child[]): Node {
  return { tag, props, children: flat(children) };
}

function flat(children: readonly Child[]): (Node | string)[] {
  const all: (Node | string)[] = [];
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (isList(child)) all.push(...flat(child));
    else all.push(typeof child === "object" ? child : String(child));
  }
  return all;
}

function isList(child: Child): child is readonly Child[] {
  return Array.isArray(child);
}
