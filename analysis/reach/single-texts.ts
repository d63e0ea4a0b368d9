import * as z from "zod"
import type { Connection } from "../../broker/core/policy/model.ts"
import type { ProviderSchemaTable } from "../../broker/core/policy/provider-schemas.ts"

/** The fields of a connection's grants that hold exactly one string, by the provider's schema. */
export function singleTexts(connection: Connection | undefined, providers: ProviderSchemaTable): ReadonlySet<string> {
  const schema = connection && providers.get(connection.provider)?.grant
  if (!(schema instanceof z.ZodObject)) return new Set()
  return new Set(
    Object.entries(schema.shape).flatMap(([name, field]) => (isText(field) || isOneText(name) ? [name] : [])),
  )
}

function isText(schema: z.core.$ZodType): boolean {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return isText(schema.unwrap())
  return schema instanceof z.ZodString || schema instanceof z.ZodEnum || schema instanceof z.ZodLiteral
}

/** Of an item that is read as a whole, boundaries see one text. */
const isOneText = (name: string) => name === "read_all"
