import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { showHttpAddress } from "../config/http-address.ts";
import type { Settings } from "../config/setting.ts";

export type HttpSettings = Pick<Settings, "http" | "http_certificate" | "http_key" | "http_insecure" | "http_hosts">;

/** Where and how to serve; or why not. */
export type Decision =
  | { readonly kind: "off" }
  | { readonly kind: "refused"; readonly why: string }
  | {
      readonly kind: "serve";
      readonly host: string;
      readonly port: number;
      /** Files. */
      readonly tls: { readonly certificate: string; readonly key: string } | null;
      /** Whoever is not on this machine shows the token for everything but the page's own files. */
      readonly readsNeedToken: boolean;
      /** Names by which it may be called, besides localhost and addresses. */
      readonly names: readonly string[];
    };

/** Beyond this machine only with a certificate, or with the word that says that none is wanted. Pure. */
export function decideServing({ http, http_certificate, http_key, http_insecure, http_hosts }: HttpSettings): Decision {
  if (http === "off") return { kind: "off" };
  if ((http_certificate === "") !== (http_key === ""))
    return { kind: "refused", why: "http_certificate and http_key belong together: set both, or none" };
  const tls = http_certificate === "" ? null : { certificate: http_certificate, key: http_key };
  if (!http.loopback && tls === null && !http_insecure)
    return {
      kind: "refused",
      why:
        `http=${showHttpAddress(http)} can be reached from other machines, but there is no certificate: set http_certificate and http_key, ` +
        "or http_insecure=on if the way is safe",
    };
  const given = http_hosts.split(",").map((name) => name.trim().toLowerCase());
  const names = [hostname().toLowerCase(), http.host, ...given].filter((name) => name !== "");
  return { kind: "serve", host: http.host, port: http.port, tls, readsNeedToken: !http.loopback, names: [...new Set(names)] };
}

/** Errors: those of reading files. */
export function readCertificate({ certificate, key }: { readonly certificate: string; readonly key: string }): {
  cert: Buffer;
  key: Buffer;
} {
  return { cert: readFileSync(certificate), key: readFileSync(key) };
}
