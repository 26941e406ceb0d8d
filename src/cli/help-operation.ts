import { z } from "zod";
import { findOperation, operationsOfVerb } from "../operations/find.ts";
import { words } from "../operations/input.ts";
import { defineOperation, type Operation } from "../operations/operation.ts";
import { operationHelp, overview, verbHelp, type DescribedOption } from "./help.ts";
import { unknownCommand } from "./unknown-command.ts";
import { wrap } from "./wrap.ts";

/** Of a terminal, but no wider than a person reads. */
export function helpWidth(columns: number | undefined): number {
  return Math.min(columns ?? 80, 120);
}

/** `help`: made from the other declarations, so it is given them. */
export function helpOperation(operations: readonly Operation[], options: readonly DescribedOption[]): Operation {
  const help: Operation = defineOperation({
    name: ["help"],
    summary: "Show the commands, or one of them in full",
    description: "",
    group: "help",
    effect: "reads",
    control: "none",
    input: z.object({ command: words({ about: "A verb, or a verb and a noun.", value: "COMMAND" }) }),
    output: z.object({ text: z.string() }),
    examples: [{ command: "bucardo help add sync", about: "Keys and examples of `add sync`." }],
    run: async ({ command }, { program }) => ({ text: helpText(command, program, [...operations, help], options) }),
    print: ({ text }, io) => io.out(wrap(text, helpWidth(io.width))),
  });
  return help;
}

function helpText(
  command: readonly string[],
  program: string,
  operations: readonly Operation[],
  options: readonly DescribedOption[],
): string {
  const [verb] = command;
  if (verb === undefined) return overview(program, operations, options);
  const found = findOperation(operations, command);
  if (found !== null && found.length >= Math.min(command.length, 2)) return operationHelp(program, found.operation);
  const siblings = operationsOfVerb(operations, verb);
  if (siblings.length > 0 && command.length === 1) return verbHelp(program, verb, siblings);
  throw unknownCommand(command, { program, operations });
}
