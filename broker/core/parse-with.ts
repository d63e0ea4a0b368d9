import type * as z from "zod"

/**
 * Holds a value against a schema, as `safeParse` does, with a message of our own for a wrong type.
 *
 * Zod's own reads the value's `constructor.name` when the value has no prototype, as what we parse of YAML and JSON has
 * none: a document with a key of that name could write into the message, or make it throw.
 */
export function parseWith<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
): z.ZodSafeParseResult<z.output<Schema>> {
  return schema.safeParse(value, { error: messageOf })
}

const messageOf = (issue: z.core.$ZodRawIssue): string | undefined =>
  issue.code === "invalid_type" ? `expected ${String(issue.expected)}` : undefined
