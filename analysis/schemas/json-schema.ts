import * as z from "zod"
import { strictly } from "../../broker/core/policy/provider-part.ts"
import type { ProviderSchemaTable } from "../../broker/core/policy/provider-schemas.ts"
import { connectionBase, grantBase, organisationSchema, policySchema } from "../../broker/core/policy/schema.ts"

type JsonSchema = z.core.JSONSchema.BaseSchema

/** JSON Schema (draft 2020-12) of the organisation file, for editors; generated from the loader's own schema. */
export function organisationJsonSchema(providers: ProviderSchemaTable): object {
  const forms = [...providers].map(([name, provider]) =>
    formOf(name, connectionBase, provider.connection, { provider: { const: name } }),
  )
  return fileSchema(organisationSchema, "Daypass organisation file", "connections", forms)
}

/**
 * JSON Schema (draft 2020-12) of a policy file. A grant may fit any provider, because its connection names the provider.
 */
export function policyJsonSchema(providers: ProviderSchemaTable): object {
  const forms = [...providers].map(([name, provider]) => formOf(name, grantBase, provider.grant, {}))
  return fileSchema(policySchema, "Daypass policy file", "grants", forms)
}

/** One way to write a member of a section, with the definitions that it refers to. */
interface Form {
  readonly schema: JsonSchema
  readonly definitions: Readonly<Record<string, JsonSchema>>
}

/** The file's schema, where each member of one section has one of the `forms`. */
function fileSchema(schema: z.ZodType, title: string, section: string, forms: readonly Form[]): object {
  const { $schema, $defs: own, ...file } = jsonSchema(schema)
  const part = file.properties?.[section]
  if (typeof part !== "object") throw new TypeError(`the schema has no section ${section}`)
  const anyOf = forms.map((form) => form.schema)
  const properties = { ...file.properties, [section]: { ...part, additionalProperties: { anyOf } } }
  const definitions: Record<string, JsonSchema> = Object.assign({}, own, ...forms.map((form) => form.definitions))
  const $defs = Object.keys(definitions).length === 0 ? {} : { $defs: definitions }
  return { $schema, title, ...file, properties, ...$defs }
}

/** One strict map with the common keys and the provider's keys. */
function formOf(
  provider: string,
  base: z.ZodType,
  schema: z.ZodType,
  fixed: Readonly<Record<string, JsonSchema>>,
): Form {
  const common = jsonSchema(base)
  const { $schema: _, $defs, ...own } = withDefinitionsOf(provider, jsonSchema(strictly(schema)))
  return {
    schema: {
      ...own,
      properties: { ...common.properties, ...fixed, ...own.properties },
      required: [...(common.required ?? []), ...(own.required ?? [])],
      additionalProperties: false,
    },
    definitions: $defs ?? {},
  }
}

/** Prefixes each definition with its provider's name: references point to the file's root, which all providers share. */
function withDefinitionsOf(provider: string, schema: JsonSchema): JsonSchema {
  const definitions = Object.entries(schema.$defs ?? {}).map(([name, value]) => [`${provider}.${name}`, value])
  const named = { ...schema, ...(definitions.length === 0 ? {} : { $defs: Object.fromEntries(definitions) }) }
  return JSON.parse(JSON.stringify(named), (key, value) =>
    key === "$ref" && typeof value === "string" ? value.replace("#/$defs/", `#/$defs/${provider}.`) : value,
  )
}

/** Describes the input text, not the parsed result. Checks that JSON Schema cannot express stay with the loader. */
function jsonSchema(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, { io: "input", unrepresentable: "any" })
}
