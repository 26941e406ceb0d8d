import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Lines of postgresql.conf. */
export function confLines(settings: Readonly<Record<string, string | number | boolean>>): string {
  const lines = Object.entries(settings).map(([name, value]) => {
    const text = typeof value === "boolean" ? (value ? "on" : "off") : String(value);
    return `${name} = '${text.replaceAll("'", "''")}'\n`;
  });
  return lines.join("");
}

/** The whole of pg_hba.conf: lines of the test's own, the socket, then TCP as told. */
export function hbaText(auth: string, first: readonly string[]): string {
  const ours = [
    "local all all trust",
    "local replication all trust",
    `host all all 127.0.0.1/32 ${auth}`,
    `host replication all 127.0.0.1/32 ${auth}`,
  ];
  return `${[...first, ...ours].join("\n")}\n`;
}

/** Certificate and key where the server looks for them. */
export async function writeTls(
  dataDir: string,
  tls: { readonly key: string; readonly certificate: string; readonly clientAuthority?: string },
): Promise<void> {
  await writeFile(join(dataDir, "server.crt"), tls.certificate);
  await writeFile(join(dataDir, "server.key"), tls.key);
  await chmod(join(dataDir, "server.key"), 0o600);
  if (tls.clientAuthority !== undefined) await writeFile(join(dataDir, "root.crt"), tls.clientAuthority);
}
