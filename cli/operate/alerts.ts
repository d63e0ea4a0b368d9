import * as z from "zod"
import { ActionError } from "../../action/failure.ts"
import type { HttpReply } from "../../action/http.ts"
import { ALERTS_PATH, testPath } from "../../broker/wire/alerts.ts"
import { misused } from "../arguments.ts"
import { inert, inertJson } from "../inert.ts"
import { type CliIo, type Command, EXIT } from "../io.ts"
import { asOperator } from "./as-operator.ts"
import type { OperatorClient } from "./client.ts"

const orNull = z.string().nullable()
const failing = { failing_since: orNull, last_failure: orNull }
const alertsAnswer = z.object({
  alerts: z.array(
    z.object({
      name: z.string(),
      url: z.string(),
      waiting: z.int(),
      off_since: orNull,
      delivered_at: orNull,
      ...failing,
    }),
  ),
  exports: z.array(z.object({ name: z.string(), kind: z.string(), ...failing })),
})
const testAnswer = z.object({ delivered: z.boolean(), failure: orNull })

/** `daypass alerts list`. */
export const runList: Command = ({ options }, io) =>
  asOperator(options, io, (client) => list(client, options["json"] === true, io))

/** `daypass alerts test`. */
export const runTest: Command = async ({ options, positionals }, io) => {
  const [name = ""] = positionals
  if (!/^[a-z][a-z0-9-]{0,63}$/.test(name))
    return misused("NAME must be the name of an endpoint in the organisation file")
  return await asOperator(options, io, (client) => test(client, name, io))
}

async function list(client: OperatorClient, asJson: boolean, io: CliIo): Promise<number> {
  const answer = parsed(alertsAnswer, await client.call({ method: "GET", path: ALERTS_PATH }))
  const { alerts, exports } = answer
  if (asJson) io.out(inertJson(answer))
  else {
    for (const {
      name,
      url,
      waiting,
      off_since: off,
      failing_since: since,
      last_failure: why,
      delivered_at: at,
    } of alerts) {
      const state =
        off !== null
          ? `off since ${off}: it answered 410`
          : since !== null
            ? `fails since ${since}: ${why}`
            : at === null
              ? "nothing sent yet"
              : `ok, last delivered ${at}`
      io.out(inert(`alerts ${name} ${url}: ${state}; ${waiting} waiting`))
    }
    for (const { name, kind, failing_since: since, last_failure: why } of exports) {
      io.out(inert(`export ${name} (${kind}): ${since === null ? "ok" : `fails since ${since}: ${why}`}`))
    }
    if (alerts.length + exports.length === 0) io.err("the organisation file names neither alerts nor exports")
  }
  const isWell = [...alerts, ...exports].every(
    (one) => one.failing_since === null && !("off_since" in one && one.off_since),
  )
  return isWell ? EXIT.ok : EXIT.no
}

async function test(client: OperatorClient, name: string, io: CliIo): Promise<number> {
  const { delivered, failure } = parsed(testAnswer, await client.call({ method: "POST", path: testPath(name) }))
  io.out(inert(delivered ? `delivered to ${name}` : `not delivered to ${name}: ${failure}`))
  return delivered ? EXIT.ok : EXIT.no
}

function parsed<Schema extends z.ZodType>(schema: Schema, { body }: HttpReply): z.output<Schema> {
  try {
    return schema.parse(JSON.parse(body.toString("utf8")))
  } catch {
    throw new ActionError(
      "answer_unusable",
      "The broker's answer has another form. Use the command line of the broker's version.",
    )
  }
}
