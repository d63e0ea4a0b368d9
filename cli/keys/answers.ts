import * as z from "zod"
import { ActionError } from "../../action/failure.ts"
import type { HttpReply } from "../../action/http.ts"
import type { HandlesPage, KeysReport, ResealPage, RotationReport } from "../../broker/wire/keys.ts"

const state = z.enum(["next", "active", "retiring", "gone"])
const sealedUnder = z.enum(["current", "previous", "other"])
const time = z.iso.datetime()

export const keysReport: z.ZodType<KeysReport> = z.object({
  keys: z.array(
    z.object({
      kid: z.string(),
      state,
      created_at: time,
      activated_at: time.nullable(),
      retired_at: time.nullable(),
      next: z.object({ state, at: time }).nullable(),
      sealed_under: sealedUnder,
    }),
  ),
  log_key_sealed_under: sealedUnder.nullable(),
  rotate_every_seconds: z.int().nullable(),
  publishes_next_at: time.nullable(),
  has_previous_kek: z.boolean(),
  settings: z.array(z.object({ name: z.string(), sealed_under: sealedUnder })),
  verifiers: z.array(
    z.object({
      connection: z.string(),
      provider: z.string(),
      cache: z.enum(["none", "minutes", "until-unknown", "untold"]),
    }),
  ),
})

export const rotationReport: z.ZodType<RotationReport> = z.object({
  outcome: z.enum(["published", "promoted", "waiting", "replaced"]),
  kid: z.string(),
  signs_from: time,
})

const page = {
  handles: z.object({ current: z.int(), previous: z.int(), other: z.int() }),
  resealed: z.int(),
  ledgers: z.int(),
  next: z.string().nullable(),
}
export const handlesPage: z.ZodType<HandlesPage> = z.object(page)
export const resealPage: z.ZodType<ResealPage> = z.object({ ...page, own_keys: z.int() })

/** @throws {ActionError} `answer_unusable` */
export function readAnswer<Answer>({ body }: HttpReply, form: z.ZodType<Answer>): Answer {
  let value: unknown
  try {
    value = JSON.parse(body.toString("utf8"))
  } catch {
    value = undefined
  }
  const parsed = form.safeParse(value)
  if (parsed.success) return parsed.data
  throw new ActionError("answer_unusable", "The broker's answer is not one about keys.", {
    change: "Use a command line of the broker's version.",
  })
}
