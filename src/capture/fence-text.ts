import { quoteLiteral } from "../postgres/quote.ts";

/** SQLSTATE of what a fenced database answers to writers; a class of its own, so that no driver takes it for something that it knows. */
export const FENCED = "BU001";

/** Value of bucardo.fence_until for ever, as text: no JavaScript number holds it. */
export const FOR_GOOD = "9223372036854775807";

/** This moment by the server's clock as bucardo.fence_until counts. */
export const NOW_MICROSECONDS =
  "(pg_catalog.date_part('epoch', pg_catalog.clock_timestamp()) operator(pg_catalog.*) 1000000)::pg_catalog.int8";

/**
 * What an armed trigger function does before anything else. Once the moment has passed it captures as before, so that a dead tool leaves no database
 * closed (hazard 20). Whoever it refuses learns why at once instead of waiting.
 */
const CHECK = `  -- fence
  if (select f.last_value from bucardo.fence_until f) operator(pg_catalog.>) ${NOW_MICROSECONDS} then
    raise exception using errcode = '${FENCED}',
      message = pg_catalog.format('%I.%I takes no writes: this database is being moved to another server', tg_table_schema, tg_table_name),
      hint = (select c.fence_hint from bucardo.capture c);
  end if;
  -- end of fence
`;

/** Only of tables that nobody captures: they have no function of ours that could be armed. */
export const GUARD_FUNCTION = `create or replace function bucardo.fence_guard() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $bucardo$
begin
${CHECK}  return null;
end
$bucardo$;
revoke execute on function bucardo.fence_guard() from public;`;

export const GUARD_TRIGGER = "bucardo_fence";

/** The first line of the body, also of one with declarations. */
const BEGIN = "\nbegin\n";

const ARMED = "(p.prosrc like E'%\\n  -- fence\\n%')";

/** Functions of these captured tables that see every statement: the one for changed keys stands beside another, the guard changes nothing. */
function functionsOf(captured: readonly number[]): string {
  return `select p.oid from pg_catalog.pg_proc p
      where p.pronamespace = 'bucardo'::pg_catalog.regnamespace and p.proname ~ '^capture_[0-9]+_' and p.proname !~ '_(key|guard)$'
        and pg_catalog.split_part(p.proname, '_', 2)::pg_catalog.int4 = any (${quoteLiteral(`{${captured.join(",")}}`)}::pg_catalog.int4[])`;
}

/**
 * All functions in one round trip, each from its own text: whatever it did before it does again after \`disarmText\`, to the letter. Replacing a function
 * keeps its owner and rights. Neither locks a table.
 */
export function armText(captured: readonly number[]): string {
  const place = quoteLiteral(BEGIN);
  return `do $arm$
declare
  f record;
  def text;
begin
  for f in ${functionsOf(captured)} and not ${ARMED} loop
    def := pg_catalog.pg_get_functiondef(f.oid);
    execute pg_catalog.overlay(def, ${place} || ${quoteLiteral(CHECK)}, pg_catalog.strpos(def, ${place}), ${BEGIN.length});
  end loop;
end $arm$`;
}

export function disarmText(): string {
  return `do $disarm$
declare
  f record;
begin
  for f in select p.oid from pg_catalog.pg_proc p where p.pronamespace = 'bucardo'::pg_catalog.regnamespace and p.proname ~ '^capture_[0-9]+_' and ${ARMED} loop
    execute pg_catalog.regexp_replace(pg_catalog.pg_get_functiondef(f.oid), E'  -- fence\\n.*  -- end of fence\\n', '');
  end loop;
end $disarm$`;
}

/** Functions that should be armed and are not. */
export function unarmedText(captured: readonly number[]): string {
  return `${functionsOf(captured)} and not ${ARMED}`;
}
