import * as z from "zod"
import { duration, nonEmpty } from "./schema-words.ts"

// What the broker stops by itself, from what the record says.

const stop = z.literal("unit").meta({ description: "The unit whose record raises the alarm, and nothing else." })

const lasts = duration.optional().meta({ description: "The stop ends by itself after this time. Left out: by resume." })

const revoke = z.boolean().optional().meta({ description: "Also ends what the unit's open leases hold." })

const alarm = z.strictObject({ stop, for: lasts, revoke })

const MOST_IN_A_ROW = 1000

/** Less would let one mistake in a workflow stop its unit. */
const inARow = (least: number) =>
  alarm.extend({
    count: z
      .int()
      .min(least, `at least ${least}`)
      .max(MOST_IN_A_ROW, `at most ${MOST_IN_A_ROW}`)
      .meta({ description: "How many in a row, within an hour." }),
  })

/** `alarms:` of the organisation file. */
export const alarmsSection = nonEmpty(
  z.strictObject({
    token_replayed: alarm.optional().meta({ description: "A used token was sent again." }),
    token_unbound: alarm
      .optional()
      .meta({ description: "A key-bound token was sent without its key, as a thief does." }),
    leak_reported: alarm.optional().meta({ description: "A value that the unit was given was found in public." }),
    denials_in_a_row: inARow(3).optional().meta({ description: "Jobs were denied, with no success in between." }),
    lease_not_closed: inARow(1).optional().meta({ description: "Jobs ended without ending their leases." }),
  }),
)
  .meta({ minProperties: 1 })
  .optional()
  .meta({ description: "What the broker stops by itself, until an operator resumes it." })

/** What the broker stops by itself. */
export type Alarms = NonNullable<z.output<typeof alarmsSection>>
export type AlarmKind = keyof Alarms
export type Alarm = z.output<typeof alarm> & { readonly count?: number }
