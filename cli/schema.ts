import { policyTestJsonSchema } from "../analysis/policy-tests/schema.ts"
import { organisationJsonSchema, policyJsonSchema } from "../analysis/schemas/json-schema.ts"
import { PROVIDERS } from "../broker/providers/index.ts"
import { misused } from "./arguments.ts"
import { formatOf, printJson } from "./format.ts"
import { type Arguments, type CliIo, EXIT } from "./io.ts"

const SCHEMAS: ReadonlyMap<string, () => object> = new Map([
  ["policy", () => policyJsonSchema(PROVIDERS)],
  ["organisation", () => organisationJsonSchema(PROVIDERS)],
  ["test", policyTestJsonSchema],
])

/** `daypass schema`. */
export async function run(given: Arguments, io: CliIo): Promise<number> {
  formatOf(given.options)
  const [kind] = given.positionals
  const schema = kind === undefined ? all : SCHEMAS.get(kind)
  if (schema === undefined) return misused("there is no such kind")
  printJson(schema(), io)
  return EXIT.ok
}

const all = () => Object.fromEntries([...SCHEMAS].map(([kind, make]) => [kind, make()]))
