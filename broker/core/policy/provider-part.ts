import * as z from "zod"
import { parseWith } from "../parse-with.ts"
import { fail, ok, type Result } from "../result.ts"
import type { PolicyFault } from "./model.ts"
import { schemaFaults } from "./schema-faults.ts"
import type { YamlNode, YamlPath } from "./yaml.ts"

/** A connection or grant: the common keys belong to Daypass, the other keys to the provider. */
interface MixedMap {
  readonly file: string
  readonly root: YamlNode
  readonly path: YamlPath
  readonly value: Readonly<Record<string, unknown>>
  readonly commonKeys: readonly string[]
}

/**
 * Parses the part of a connection or a grant that its provider defines.
 *
 * Unknown keys are refused even if the provider forgot to make its schema strict: a misspelled `session_policy` must not
 * mean "no session policy".
 */
export function parseProviderPart(schema: z.ZodType, map: MixedMap): Result<unknown, PolicyFault[]> {
  const { file, root, path, commonKeys } = map
  const strict = strictly(schema)
  const rest = Object.fromEntries(Object.entries(map.value).filter(([key]) => !commonKeys.includes(key)))
  const parsed = parseWith(strict, rest)
  if (parsed.success) return ok(parsed.data)
  return fail(schemaFaults({ file, root, path, schema: strict, commonKeys }, parsed.error.issues))
}

/** The schema, made strict unless it says itself how to treat unknown keys. */
export function strictly(schema: z.ZodType): z.ZodType {
  const before = STRICT.get(schema)
  if (before) return before
  const strict = schema instanceof z.ZodObject && schema.def.catchall === undefined ? schema.strict() : schema
  STRICT.set(schema, strict)
  return strict
}

/** Strict schemas are kept: zod compiles a schema at its first parse, which takes longer than the parse itself. */
const STRICT = new WeakMap<z.ZodType, z.ZodType>()
