/** Where in the page we are; stands in the address after #, so that a place can be kept and sent. */
export type Route =
  | { readonly page: "overview" }
  | { readonly page: "sync"; readonly sync: string }
  | { readonly page: "move" }
  | { readonly page: "settings" };

export function routeOf(hash: string): Route {
  const [page = "", name = ""] = hash.replace(/^#\/?/, "").split("/");
  if (page === "syncs" && name !== "") return { page: "sync", sync: decode(name) };
  if (page === "move" || page === "settings") return { page };
  return { page: "overview" };
}

export function hrefOf(route: Route): string {
  if (route.page === "sync") return `#/syncs/${encodeURIComponent(route.sync)}`;
  return route.page === "overview" ? "#/" : `#/${route.page}`;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
