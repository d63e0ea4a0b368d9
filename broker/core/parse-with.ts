import type * as z from "zod"

/**
 * Parses a value with a schema, as `safeParse` does, but with our own message for a wrong type.
 *
 * Our YAML and JSON parsers make objects without a prototype. For such a value, zod's own message reads the value's
 * `constructor.name`, so a document with a key of that name could put text into the message, or make it throw.
 */
export function parseWith<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
): z.ZodSafeParseResult<z.output<Schema>> {
  return schema.safeParse(value, { error: messageOf })
}

const messageOf = (issue: z.core.$ZodRawIssue): string | undefined =>
  issue.code === "invalid_type" ? `expected ${String(issue.expected)}` : undefined
