import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { pagePolicy } from "./headers.ts";
import { plain, type Reply } from "./request.ts";

/** What the build of dashboard/ leaves; the same place from src/ and from dist/. */
const FOLDER = fileURLToPath(new URL("../../dist/dashboard/", import.meta.url));

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".json": "application/json; charset=utf-8",
  ".webmanifest": "application/manifest+json",
  ".txt": "text/plain; charset=utf-8",
};

/** A path of the page: `/`, or a file of few, plain names. Everything else is none, so that nothing leads out of the folder. */
export function isPagePath(path: string): boolean {
  return path === "/" || (/^(\/[a-z0-9_-][a-z0-9_.-]*)+$/i.test(path) && extname(path) in TYPES);
}

/** A file of the page; null: there is none. A browser asks again each time and is told that nothing changed. */
export async function pageFile(path: string, etagSeen: string | undefined, folder: string = FOLDER): Promise<Reply | null> {
  if (!isPagePath(path)) return null;
  const name = path === "/" ? "index.html" : path.slice(1);
  let body: Buffer;
  try {
    body = await readFile(`${folder}${name}`);
  } catch {
    return path === "/" ? plain(200, "The page was not built with this program; /openapi.json tells what there is to ask.\n") : null;
  }
  const etag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;
  const headers = { etag, "cache-control": "no-cache", "content-security-policy": pagePolicy };
  const type = TYPES[extname(name)] ?? "application/octet-stream";
  return etagSeen === etag ? { status: 304, type, body: "", headers } : { status: 200, type, body, headers };
}
