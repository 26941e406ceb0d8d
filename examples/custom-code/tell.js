// Tells somebody that rows arrived; whenrun=after_sync.
export default async function tell({ syncname, targetname, rows }) {
  const tables = Object.entries(rows).flatMap(([schema, of]) => Object.keys(of).map((table) => `${schema}.${table}`));
  if (tables.length === 0) return { skip: true };
  await fetch("http://localhost:8080/arrived", { method: "POST", body: JSON.stringify({ syncname, targetname, tables }) });
}
