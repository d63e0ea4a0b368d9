import { setTimeout as sleep } from "node:timers/promises"
import { ActionError } from "../../action/failure.ts"
import { STOP_IN_FORCE_SECONDS, STOP_KINDS, STOPS_PATH, type StopTarget } from "../../broker/wire/stops.ts"
import { misused, readArguments } from "../arguments.ts"
import { report } from "../exec/report.ts"
import { inert, inertJson } from "../inert.ts"
import { type CliIo, EXIT } from "../io.ts"
import { type OperatorClient, openOperator } from "./client.ts"
import { endLeases } from "./end-leases.ts"
import { OPERATOR_OPTIONS, OPERATOR_USAGE } from "./options.ts"
import { readStop, readStops, type Stop } from "./stop-answers.ts"

const TARGETS = `all | issuer NAME | owner ISSUER:NAME | unit ISSUER:NAME | connection NAME | grant NAME [--unit ISSUER:NAME]`

const USAGE = `Usage: daypass stop ${TARGETS}
         --broker URL --reason TEXT [--for 2h] [--revoke] [--json]
       daypass stop list --broker URL [--json]

Orders the broker to give nothing to a scope, in force everywhere within ${STOP_IN_FORCE_SECONDS} seconds. Jobs are refused with the code stopped
and read the reason. An owner and a unit can also be named by their ids, as ISSUER:ID. Whoever may stop is never stopped.

  --reason TEXT          told to every job that is refused, and recorded
  --for 2h               the stop ends by itself; left out: with daypass resume
  --revoke               also ends what open leases of the scope hold, and waits for it (needs the right leases.revoke)
  --unit ISSUER:NAME     stops the grant for this unit only
  --json                 prints the answer as JSON
${OPERATOR_USAGE}

Exit codes: 0 stopped (with --revoke: and everything that can be revoked is), 1 refused, or not everything is revoked yet,
2 the arguments are wrong.`

const RESUME_USAGE = `Usage: daypass resume ${TARGETS}
         --broker URL --reason TEXT

Lifts the stop that was ordered with the same words. daypass stop list shows the stops in force.

  --reason TEXT          recorded
  --unit ISSUER:NAME     as the stop names it
${OPERATOR_USAGE}

Exit codes: 0 lifted, 1 refused, or there is no such stop, 2 the arguments are wrong.`

const OPTIONS = { ...OPERATOR_OPTIONS, reason: { type: "string" }, unit: { type: "string" } } as const

type Options = Readonly<Record<string, string | boolean | undefined>>

/** `daypass stop`. */
export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const own = { ...OPTIONS, for: { type: "string" }, revoke: { type: "boolean" }, json: { type: "boolean" } } as const
  const read = readArguments(args, USAGE, own, io)
  if (typeof read === "number") return read
  const { options, positionals } = read
  if (positionals[0] === "list") {
    const extra =
      positionals.length > 1 || ["reason", "unit", "for", "revoke"].some((name) => options[name] !== undefined)
    if (extra) return misused("stop list takes --broker and --json only", USAGE, io)
    return asOperator(options, io, (client) => list(client, options, io))
  }
  const target = readTarget(positionals, options)
  if (typeof target === "string") return misused(target, USAGE, io)
  return asOperator(options, io, (client) => stop(client, target, options, io))
}

/** `daypass resume`. */
export async function resume(args: readonly string[], io: CliIo): Promise<number> {
  const read = readArguments(args, RESUME_USAGE, OPTIONS, io)
  if (typeof read === "number") return read
  const target = readTarget(read.positionals, read.options)
  if (typeof target === "string") return misused(target, RESUME_USAGE, io)
  return asOperator(read.options, io, async (client) => {
    const reason = String(read.options["reason"])
    await client.call({ method: "DELETE", path: STOPS_PATH, query: { ...target, reason } })
    io.out(`resumed: ${inert(wordsOf(target))}`)
    return EXIT.ok
  })
}

async function stop(client: OperatorClient, target: StopTarget, options: Options, io: CliIo): Promise<number> {
  const { reason, for: lasts, revoke } = options
  const json = { ...target, reason, ...(lasts === undefined ? {} : { for: lasts }) }
  const ordered = readStop(await client.call({ method: "POST", path: STOPS_PATH, json }))
  const isForced = sleep((STOP_IN_FORCE_SECONDS + 1) * 1000, undefined, { ref: revoke === true })
  if (revoke !== true) {
    io.out(options["json"] === true ? inertJson(ordered) : `stopped: ${lineOf(ordered)}`)
    return EXIT.ok
  }
  io.err(`stopped: ${lineOf(ordered)}`)
  const ended = await endLeases(client, { target, reason: ordered.reason, since: ordered.at, isForced }, io)
  const { leases, until } = ended.expiring
  if (options["json"] === true) io.out(inertJson({ ...ordered, leases: ended }))
  else {
    io.out(
      `ended the credentials of ${ended.ended} leases${ended.left === 0 ? "" : `; ${ended.left} are not over yet`}`,
    )
    if (leases > 0) io.out(`${leases} leases hold credentials that cannot be revoked, the last until ${until}`)
  }
  return ended.left === 0 ? EXIT.ok : EXIT.no
}

async function list(client: OperatorClient, options: Options, io: CliIo): Promise<number> {
  const stops = readStops(await client.call({ method: "GET", path: STOPS_PATH }))
  if (options["json"] === true) io.out(inertJson({ stops }))
  else for (const one of stops) io.out(lineOf(one))
  if (stops.length === 0 && options["json"] !== true) io.err("nothing is stopped")
  return EXIT.ok
}

/** What to stop, or what is wrong with the words. The broker knows which names exist. */
function readTarget([on = "", name, ...more]: readonly string[], options: Options): StopTarget | string {
  const kind = STOP_KINDS.find((known) => known === on)
  const { reason, unit } = options
  if (kind === undefined) return `name one of ${STOP_KINDS.join(", ")}`
  if (more.length > 0 || (kind === "all" && name !== undefined)) return "there are too many names"
  if (kind !== "all" && (name === undefined || name === "")) return `name the ${kind}`
  if (unit !== undefined && kind !== "grant") return "--unit goes with grant only"
  if (typeof reason !== "string" || reason.trim() === "") return "--reason is required: jobs and auditors read it"
  return { on: kind, ...(name === undefined ? {} : { name }), ...(typeof unit === "string" ? { unit } : {}) }
}

const wordsOf = ({ on, name, unit }: StopTarget): string =>
  [on, name, unit === undefined ? undefined : `of ${unit}`].filter((word) => word !== undefined).join(" ")

const lineOf = ({ scope, reason, by, at, until }: Stop): string =>
  `${scope}, since ${at}${until === null ? "" : `, until ${until}`}, by ${by}: ${reason}`

async function asOperator(
  options: Options,
  io: CliIo,
  act: (client: OperatorClient) => Promise<number>,
): Promise<number> {
  try {
    return await act(await openOperator(options, io))
  } catch (thrown) {
    report(thrown)
    return thrown instanceof ActionError && thrown.code === "input_invalid" ? EXIT.usage : EXIT.no
  }
}
