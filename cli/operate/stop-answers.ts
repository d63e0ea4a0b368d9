import * as z from "zod"
import { ActionError } from "../../action/failure.ts"
import type { HttpReply } from "../../action/http.ts"
import { visible } from "../../broker/core/policy/faults.ts"
import type { EndLeasesAnswer, StopAnswer } from "../../broker/wire/stops.ts"

// Names in it were chosen by people. Every text is reduced to one visible line here.
const text = z.string().transform((value) => visible(value.slice(0, 1000)))
const time = z.iso.datetime()

export type Stop = StopAnswer

const stop: z.ZodType<Stop> = z.object({ scope: text, reason: text, by: text, at: time, until: time.nullable() })

const stops = z.object({ stops: z.array(stop).max(10_000) })

const count = z.int().min(0)

const ended: z.ZodType<EndLeasesAnswer> = z.object({
  ended: count,
  revoking: count,
  under_way: count,
  unreached: count,
  expiring: z.object({ leases: count, until: time.nullable() }),
  next: z.string().nullable(),
})

/** @throws {ActionError} `answer_unusable`, these three */
export const readStop = (reply: HttpReply): Stop => readAs(stop, reply)
export const readStops = (reply: HttpReply): readonly Stop[] => readAs(stops, reply).stops
export const readEnded = (reply: HttpReply): EndLeasesAnswer => readAs(ended, reply)

function readAs<Schema extends z.ZodType>(schema: Schema, { body }: HttpReply): z.output<Schema> {
  try {
    return schema.parse(JSON.parse(body.toString("utf8")))
  } catch {
    throw new ActionError("answer_unusable", "The broker's answer about stops is not one of this version's.")
  }
}
