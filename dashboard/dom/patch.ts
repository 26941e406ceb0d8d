import type { Node as Description, Props } from "./node.ts";

type Drawn = { description: Description | string; dom: ChildNode; children: Drawn[]; gone: (() => void) | null };

const SVG = "http://www.w3.org/2000/svg";
const PROPERTIES = new Set(["value", "checked", "open"]);

/** Makes what stands in `root` what the descriptions say, changing as little as can be: focus, selection and scroll places stay. */
export class Patcher {
  readonly #root: Element;
  #drawn: Drawn[] = [];
  #mounts: (() => void)[] = [];

  constructor(root: Element) {
    this.#root = root;
  }

  draw(descriptions: readonly (Description | string)[]): void {
    if (this.#drawn.length === 0) this.#root.replaceChildren();
    this.#drawn = this.#children(this.#root, this.#drawn, descriptions);
    for (const mount of this.#mounts.splice(0)) mount();
  }

  #children(parent: Element, before: readonly Drawn[], wanted: readonly (Description | string)[]): Drawn[] {
    const left = new Map<string, Drawn>();
    for (const [index, drawn] of before.entries()) left.set(nameOf(drawn.description, index), drawn);
    const after = wanted.map((description, index) => {
      const name = nameOf(description, index);
      const old = left.get(name);
      if (old === undefined) return this.#make(parent, description);
      left.delete(name);
      this.#update(old, description);
      return old;
    });
    for (const drawn of left.values()) {
      leave(drawn);
      drawn.dom.remove();
    }
    for (const [index, { dom }] of after.entries()) {
      const there = parent.childNodes[index] ?? null;
      if (there !== dom) parent.insertBefore(dom, there);
    }
    return after;
  }

  #make(parent: Element, description: Description | string): Drawn {
    if (typeof description === "string") return { description, dom: document.createTextNode(description), children: [], gone: null };
    const { tag, props } = description;
    const svg = tag === "svg" || (parent.namespaceURI === SVG && parent.tagName !== "foreignObject");
    const element = svg ? document.createElementNS(SVG, tag) : document.createElement(tag);
    const drawn: Drawn = { description, dom: element, children: [], gone: null };
    setProps(element, {}, props);
    drawn.children = this.#children(element, [], description.children);
    setLate(element, {}, props);
    const { mounted } = props;
    if (mounted !== undefined) this.#mounts.push(() => (drawn.gone = mounted(element as never) ?? null));
    return drawn;
  }

  #update(drawn: Drawn, wanted: Description | string): void {
    const before = drawn.description;
    drawn.description = wanted;
    if (typeof wanted === "string" || typeof before === "string") {
      if (before !== wanted) drawn.dom.textContent = wanted as string;
      return;
    }
    const element = drawn.dom as Element;
    setProps(element, before.props, wanted.props);
    drawn.children = this.#children(element, drawn.children, wanted.children);
    setLate(element, before.props, wanted.props);
  }
}

/** What is the same from one drawing to the next: by key, else by place; and always of one kind. */
function nameOf(description: Description | string, index: number): string {
  if (typeof description === "string") return `text ${index}`;
  return `${description.tag} ${description.props.key === undefined ? `at ${index}` : `key ${description.props.key}`}`;
}

function leave(drawn: Drawn): void {
  drawn.gone?.();
  for (const child of drawn.children) leave(child);
}

function setProps(element: Element, before: Props, after: Props): void {
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (name === "key" || name === "mounted" || PROPERTIES.has(name)) continue;
    if (name === "on") listen(element, before.on ?? {}, after.on ?? {});
    else if (name === "style") setStyle(element as HTMLElement, before.style ?? {}, after.style ?? {});
    else if (before[name] !== after[name]) setAttribute(element, name, after[name]);
  }
}

/** What is set after the children: a select has its options then. What a person typed is not written over while nothing else is wanted. */
function setLate(element: Element, before: Props, after: Props): void {
  for (const name of PROPERTIES) {
    if (!(name in after) || before[name] === after[name]) continue;
    (element as unknown as Record<string, unknown>)[name] = after[name];
  }
}

function setAttribute(element: Element, name: string, value: Props[string]): void {
  if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else element.setAttribute(name, value === true ? "" : `${value as string | number}`);
}

function setStyle(element: HTMLElement, before: Readonly<Record<string, string>>, after: Readonly<Record<string, string>>): void {
  for (const name of Object.keys(before)) if (!(name in after)) element.style.removeProperty(name);
  for (const [name, value] of Object.entries(after)) if (before[name] !== value) element.style.setProperty(name, value);
}

type Listener = (event: never) => void;
const listeners = new WeakMap<Element, Map<string, { now: Listener }>>();

/** One listener per event, which calls what is wanted now. */
function listen(element: Element, before: Readonly<Record<string, Listener>>, after: Readonly<Record<string, Listener>>): void {
  const own = listeners.get(element) ?? new Map<string, { now: Listener }>();
  listeners.set(element, own);
  for (const name of Object.keys(before)) if (!(name in after)) own.set(name, { now: () => undefined });
  for (const [name, now] of Object.entries(after)) {
    const known = own.get(name);
    if (known !== undefined) known.now = now;
    else {
      const box = { now };
      own.set(name, box);
      element.addEventListener(name, (event) => box.now(event as never));
    }
  }
}
