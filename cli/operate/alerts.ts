import * as z from "zod"
import { ActionError } from "../../action/failure.ts"
import type { HttpReply } from "../../action/http.ts"
import { ALERTS_PATH, testPath } from "../../broker/wire/alerts.ts"
import { misused, readArguments } from "../arguments.ts"
import { inert, inertJson } from "../inert.ts"
import { type CliIo, EXIT } from "../io.ts"
import type { OperatorClient } from "./client.ts"
import { OPERATOR_OPTIONS, OPERATOR_USAGE } from "./options.ts"
import { asOperator } from "./stop-target.ts"

const USAGE = `Usage: daypass alerts list --broker URL [--json]
       daypass alerts test NAME --broker URL

list shows the endpoints of alerts and the exports that the organisation file names, and which of them fail. test sends one
message to an endpoint now, and switches an endpoint on again that had answered 410. Both need the right policies.read.

  --json                 prints the answer as JSON
${OPERATOR_USAGE}

Exit codes: 0 everything arrives, 1 something does not, or the broker refused, 2 the arguments are wrong.`

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

/** `daypass alerts`. */
export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const read = readArguments(args, USAGE, { ...OPERATOR_OPTIONS, json: { type: "boolean" } } as const, io)
  if (typeof read === "number") return read
  const [verb, name, ...more] = read.positionals
  if (verb === "list" && name === undefined) {
    return asOperator(read.options, io, (client) => list(client, read.options["json"] === true, io))
  }
  if (verb === "test" && name !== undefined && /^[a-z][a-z0-9-]{0,63}$/.test(name) && more.length === 0) {
    return asOperator(read.options, io, (client) => test(client, name, io))
  }
  return misused("alerts takes list, or test and the name of an endpoint", USAGE, io)
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
