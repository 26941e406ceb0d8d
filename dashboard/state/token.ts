/** The token of this tab: from the link that `bucardo http token` prints, or typed. Never in an address, gone with the tab. */
const KEY = "bucardo-token";

/** Takes the token out of the address at once, before anything else looks at it. */
export function takeTokenFromAddress(): void {
  const found = /^#token=([^&]+)/.exec(location.hash);
  if (found === null) return;
  setToken(decodeURIComponent(found[1] ?? ""));
  history.replaceState(null, "", `${location.pathname}${location.search}#/`);
}

export function token(): string | null {
  return sessionStorage.getItem(KEY);
}

export function setToken(text: string | null): void {
  const clean = text?.trim() ?? "";
  if (clean === "") sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, clean);
}

export function tokenHeader(): Record<string, string> {
  const own = token();
  return own === null ? {} : { authorization: `Bearer ${own}` };
}
