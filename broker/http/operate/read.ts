import type * as z from "zod"
import { BrokerError } from "../../core/errors.ts"
import { parseWith } from "../../core/parse-with.ts"

/**
 * A body or a query of an operator's call, in the form that its route takes.
 *
 * @throws {BrokerError} `request_malformed`, without text of the request
 */
export function read<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = parseWith(schema, value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const member = issue?.path.length ? issue.path.map(String).join(".") : "the request"
  const what = issue?.code === "unrecognized_keys" ? "has an unknown member" : issue?.message
  throw new BrokerError("request_malformed", `${member}: ${what}`)
}
