import { expect, test } from "vitest";
import { createAuthority } from "./certificate.ts";
import { createDatabase } from "./database.ts";
import { startServer } from "./server.ts";

test.for([10, 18] as const)("PostgreSQL %i speaks TLS and takes client certificates", async (major) => {
  const authority = createAuthority();
  const tls = { ...authority.issue({ commonName: "server", hosts: ["127.0.0.1", "localhost"] }), clientAuthority: authority.certificate };
  await using server = await startServer({
    major,
    tls,
    hba: ["hostssl all postgres 127.0.0.1/32 cert", "hostnossl all all 127.0.0.1/32 reject"],
  });
  await using database = await createDatabase(server);
  const person = authority.issue({ commonName: "postgres" });
  const client = await database.client({ ssl: { ca: authority.certificate, cert: person.certificate, key: person.key } });
  expect((await client.query("select ssl from pg_stat_ssl where pid = pg_backend_pid()")).rows).toEqual([{ ssl: true }]);
  await expect(
    database.client({ ssl: { ca: createAuthority().certificate, cert: person.certificate, key: person.key } }),
  ).rejects.toThrow();
  await expect(database.client()).rejects.toThrow(/pg_hba/);
});
