import { policyTestJsonSchema } from "../analysis/policy-tests/schema.ts"
import { organisationJsonSchema, policyJsonSchema } from "../analysis/schemas/json-schema.ts"
import { PROVIDERS } from "../broker/providers/index.ts"
import { misused, readArguments } from "./arguments.ts"
import { FORMAT_OPTIONS, formatOf, printJson } from "./format.ts"
import { type CliIo, EXIT } from "./io.ts"

const USAGE = `Usage: daypass schema [policy|organisation|test] [--format text|json|github] [--json]

Prints the JSON Schema of a kind of file, for editors. Without a kind, prints an object with all schemas by kind. The
schemas are generated from the loader's own, for the providers of this version. The output is JSON in every format.
Exit codes: 0 printed, 2 the kind is unknown.`

const SCHEMAS: ReadonlyMap<string, () => object> = new Map([
  ["policy", () => policyJsonSchema(PROVIDERS)],
  ["organisation", () => organisationJsonSchema(PROVIDERS)],
  ["test", policyTestJsonSchema],
])

/** `daypass schema`. */
export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const read = readArguments(args, USAGE, FORMAT_OPTIONS, io)
  if (typeof read === "number") return read
  const format = formatOf(read.options, USAGE, io)
  if (typeof format === "number") return format
  const [kind, ...others] = read.positionals
  const schema = kind === undefined ? all : SCHEMAS.get(kind)
  if (schema === undefined || others.length > 0) {
    return misused(`schema takes one of ${[...SCHEMAS.keys()].join(", ")}, or nothing`, USAGE, io)
  }
  printJson(schema(), io)
  return EXIT.ok
}

const all = () => Object.fromEntries([...SCHEMAS].map(([kind, make]) => [kind, make()]))
