import * as z from "zod"
import { visible } from "../../broker/core/policy/faults.ts"
import { name as grantName } from "../../broker/core/policy/schema-words.ts"
import type { ExplainAnswer, LimitsAnswer, Problem } from "../../broker/wire/exchange.ts"
import type { Trace } from "../../broker/wire/trace.ts"

// A broker's answer is untrusted text: its operator, or a proxy in front of it, wrote it. Every string is reduced here to
// one visible line of limited length, so that later code need not do it. Unknown members are ignored: a broker may be newer.

const MAX_TEXT_CHARACTERS = 4000
const text = z.string().transform((value) => visible(value.slice(0, MAX_TEXT_CHARACTERS)))
const texts = z.array(text).max(1000)
const code = z.string().regex(/^[a-z][a-z0-9_]{0,63}$/)
const line = z.number().int().min(0)
const outcome = z.enum(["allow", "deny"])

const conditions = z
  .array(z.object({ claim: text, expected: text, actual: text.nullable(), matched: z.boolean() }))
  .max(1000)

const rule = z.object({ kind: outcome, name: text, file: text, line, matched: z.boolean(), conditions })

const boundary = z.object({
  name: text,
  file: text,
  line,
  matched: z.boolean(),
  allows: z.boolean(),
  conditions,
  required: conditions,
  fields: z.array(z.object({ field: text, expected: text, actual: text.nullable() })).max(1000),
  environment: texts,
})

const grant = z.object({
  name: text,
  outcome,
  reason: text,
  ttl_seconds: z.number().int().positive().exactOptional(),
  rules: z.array(rule).max(1000),
  boundaries: z.array(boundary).max(1000).exactOptional(),
})

const trace: z.ZodType<Trace> = z.object({
  subject: z.object({ issuer: text, unit_kind: text, unit: text, unit_id: text, environment: text.nullable() }),
  policies: texts,
  notes: texts,
  grants: z.array(grant).max(1000),
})

const count = z.number().int().min(0)

const limit = z.object({ max: count, used: count, resets_in_seconds: count.exactOptional(), source: text })

const limits: z.ZodType<LimitsAnswer> = z.object({
  exchanges_per_minute: limit,
  open_leases: limit,
  denials_per_hour: limit.extend({ counted: count }),
  max_open_leases: z.record(grantName, limit.pick({ max: true, source: true })).exactOptional(),
})

const answer = z.object({
  decision: outcome,
  code,
  grants: texts,
  policy_version: text.exactOptional(),
  trace: trace.exactOptional(),
  limits: limits.exactOptional(),
  notes: texts.exactOptional(),
})

const problem = z.object({
  code,
  title: text,
  detail: text,
  request_id: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,128}$/)
    .exactOptional(),
})

/** A broker's decision. Older brokers do not send the version of the policies. */
export type ReadAnswer = Omit<ExplainAnswer, "policy_version"> & Partial<Pick<ExplainAnswer, "policy_version">>

/** Reads the answer of `POST /v1/explain` for these grants; null if it is not a valid answer to them. */
export function readExplainAnswer(value: unknown, grants: readonly string[]): ReadAnswer | null {
  const read = answer.safeParse(value)
  if (!read.success) return null
  const { decision, code, grants: answered } = read.data
  const same = answered.length === grants.length && grants.every((name) => answered.includes(name))
  return same && (decision === "allow") === (code === "allowed") ? read.data : null
}

export type ReadProblem = Pick<Problem, "code" | "title" | "detail"> & Partial<Pick<Problem, "request_id">>

/** Reads a problem document; null if it is not valid. */
export function readProblem(value: unknown): ReadProblem | null {
  const read = problem.safeParse(value)
  return read.success ? read.data : null
}
