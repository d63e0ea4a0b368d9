import { setTimeout as sleep } from "node:timers/promises"
import { STOP_IN_FORCE_SECONDS, STOPS_PATH, type StopRequest, type StopTarget } from "../../broker/wire/stops.ts"
import { misused } from "../arguments.ts"
import type { Options } from "../exec/options.ts"
import { counted } from "../format.ts"
import { inertJson } from "../inert.ts"
import { type Arguments, type CliIo, EXIT } from "../io.ts"
import { asOperator } from "./as-operator.ts"
import type { OperatorClient } from "./client.ts"
import { endLeases } from "./end-leases.ts"
import { readStop, readStops, type Stop } from "./stop-answers.ts"
import { readTarget } from "./stop-target.ts"

/** `daypass stop`. */
export async function run(given: Arguments, io: CliIo): Promise<number> {
  const { options, positionals } = given
  if (positionals[0] === "list") {
    const extra =
      positionals.length > 1 || ["reason", "unit", "for", "revoke"].some((name) => options[name] !== undefined)
    if (extra) return misused("stop list takes --broker and --json only")
    return asOperator(options, io, (client) => list(client, options, io))
  }
  const target = readTarget(positionals, options)
  if (typeof target === "string") return misused(target)
  return asOperator(options, io, (client) => stop(client, target, options, io))
}

async function stop(client: OperatorClient, target: StopTarget, options: Options, io: CliIo): Promise<number> {
  const { reason, for: lasts, revoke } = options
  const json: StopRequest = { ...target, reason: String(reason), ...(typeof lasts === "string" && { for: lasts }) }
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
      `ended the credentials of ${counted(ended.ended, "lease", "leases")}${ended.left === 0 ? "" : `; ${ended.left} not over yet`}`,
    )
    if (leases > 0)
      io.out(
        `${counted(leases, "lease holds", "leases hold")} credentials that cannot be revoked, the last until ${until}`,
      )
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

const lineOf = ({ scope, reason, by, at, until }: Stop): string =>
  `${scope}, since ${at}${until === null ? "" : `, until ${until}`}, by ${by}: ${reason}`
