import { afterAll, beforeAll, expect, test } from "vitest";
import { planSyncs, readDefinitions } from "../../src/daemon/definitions.ts";
import { BucardoError } from "../../src/model/error.ts";
import type { Session } from "../../src/postgres/session.ts";
import { run } from "../../src/replicate/run.ts";
import type { Major } from "../harness/binaries.ts";
import { equalTables } from "../harness/equal-tables.ts";
import { openSession } from "../replicate/rig.ts";
import { ddlCases, PLAIN, type DdlCase, type DdlStep } from "./ddl-case.ts";
import { openSite, type Site } from "./site.ts";

type World = { readonly site: Site; readonly control: Session };

/** One sync with its connections, which stay open all the time: nothing is restarted. */
type Subject = { readonly world: World; readonly name: string; readonly source: Session; readonly target: Session };

/** Every case that servers of this version can do, both sides of that version. To be called where a file declares its tests. */
export function testDdlOn(major: Major): void {
  let world: World;
  beforeAll(async () => {
    const site = await openSite({ majors: [major, major] });
    await site.ok("add db A $A");
    await site.ok("add db B $B");
    world = { site, control: await openSession(site.control, "control") };
  });
  afterAll(async () => {
    await world.control.close();
    await world.site[Symbol.asyncDispose]();
  });

  test.each(ddlCases.filter(({ since = 0 }) => since <= major).map((of, index) => ({ ...of, name: `t${index}` })))("$what", async (of) => {
    await using subject = await prepare(world, of.name, of);
    for (const step of of.steps) await play(subject, step);
  });
}

async function prepare(world: World, name: string, { schema = PLAIN }: DdlCase): Promise<Subject & AsyncDisposable> {
  const [a, b] = world.site.databases as [Site["databases"][0], Site["databases"][0]];
  for (const database of [a, b]) await database.query(schema.replaceAll("%", name));
  await world.site.ok(`add sync ${name} tables=${name} dbs=A:source,B:target autokick=off`);
  await a.query(`insert into ${name} values (1, 'one', 1), (2, 'two', 2), (3, 'three', 1)`);
  const source = await openSession(a, "A");
  const target = await openSession(b, "B");
  const subject = { world, name, source, target };
  await runOnce(subject);
  expect(await equalTables(a, b, [name])).toEqual([]);
  return {
    ...subject,
    async [Symbol.asyncDispose]() {
      await source.close();
      await target.close();
    },
  };
}

/** As the daemon does, with the definition of now; a void run is repeated at once. */
async function runOnce({ world, name, source, target }: Subject): Promise<void> {
  const plan = planSyncs(await readDefinitions(world.control)).find((sync) => sync.name === name);
  const definition = plan!.jobs[0]!.definition;
  for (let attempt = 1; ; attempt++) {
    try {
      await run({ definition, source, target, signal: new AbortController().signal, onProgress: () => undefined, remembered: null });
      return;
    } catch (error) {
      if (attempt >= 5 || !(error instanceof BucardoError) || error.code !== "run-void") throw error;
    }
  }
}

async function play(subject: Subject, step: DdlStep): Promise<void> {
  const { name, world } = subject;
  const fill = (text: string): string => text.replaceAll("%", name);
  const [a, b] = world.site.databases as [Site["databases"][0], Site["databases"][0]];
  const [, where = "", ddl = ""] = /^([AB]+|CLI): (.*)$/s.exec(fill(step.ddl))!;
  if (where === "CLI") await world.site.ok(ddl);
  else for (const place of where) await (place === "A" ? a : b).query(ddl);
  const written = await a.query(fill(step.write)).then(
    () => "written",
    (error: unknown) => (step.breaks ? "refused" : error),
  );
  expect(written).toBe(step.breaks ? "refused" : "written");
  if (step.code === undefined) await runOnce(subject);
  else await expectRefusal(subject, step, fill);
  if (step.breaks) {
    await a.query(fill(step.write));
    await runOnce(subject);
  }
  expect(step.differs ? [] : await equalTables(a, b, [await nameOnSource(a, name)])).toEqual([]);
}

async function expectRefusal(subject: Subject, step: DdlStep, fill: (text: string) => string): Promise<void> {
  const { world } = subject;
  const error = await runOnce(subject).then(
    () => null,
    (failure: unknown) => failure as BucardoError,
  );
  expect({ code: error?.code, message: error?.message }).toMatchObject({
    code: step.code,
    message: expect.stringContaining(fill(step.names ?? "")) as string,
  });
  const [a, b] = world.site.databases as [Site["databases"][0], Site["databases"][0]];
  for (const remedy of (step.remedy ?? []).map(fill)) {
    const [, place, text = remedy] = /^([AB]): (.*)$/s.exec(remedy) ?? [];
    expect(error?.advice).toContain(place === undefined ? `\`${text}\`` : `On ${place}: ${text}`);
    if (place === undefined) await world.site.ok(text.replace(/^bucardo /, ""));
    else await (place === "A" ? a : b).query(statementOf(error?.advice ?? "", `On ${place}: ${text}`));
  }
  if (step.remedy !== undefined) await runOnce(subject);
}

/** The whole statement that begins like this: a person would copy it up to its semicolon. */
function statementOf(advice: string, beginning: string): string {
  const rest = advice.slice(advice.indexOf(beginning) + "On A: ".length);
  return rest.slice(0, rest.indexOf(";") + 1);
}

async function nameOnSource(a: Site["databases"][0], name: string): Promise<string> {
  const rows = await a.query("select to_regclass($1) is not null as there", [`public.${name}`]);
  return rows[0]?.["there"] ? name : `away.${name}`;
}
