import * as z from "zod"
import { BrokerError } from "../../core/errors.ts"
import { parseWith } from "../../core/parse-with.ts"
import { type Stop, scopeText } from "../../core/stops.ts"
import { recordAct } from "../../operate/act.ts"
import { endLeases } from "../../operate/end-leases.ts"
import { mayReach, stopScopeOf } from "../../operate/stop-scope.ts"
import { liftStop, orderStop, readReason, storedStops } from "../../operate/stops.ts"
import type { Directory } from "../../ports/directory.ts"
import {
  END_LEASES_PATH,
  type EndLeasesAnswer,
  STOP_KINDS,
  STOPS_PATH,
  type StopAnswer,
  type StopsAnswer,
} from "../../wire/stops.ts"
import { readJson } from "../body.ts"
import { incomingOf } from "../incoming.ts"
import type { OperateRoutes } from "./routing.ts"

const word = z.string().min(1).max(300)
const target = { on: z.enum(STOP_KINDS), name: word.exactOptional(), unit: word.exactOptional() }
// How long it may be is said by the code that makes it fit for a log.
const reason = z.string().max(4000)
const order = z.strictObject({ ...target, reason, for: word.exactOptional() })
const lifting = z.strictObject({ ...target, reason })
const ending = z.strictObject({
  ...target,
  reason,
  since: z.iso.datetime(),
  after: z.string().max(2000).exactOptional(),
})

/**
 * The stops. `GET /v1/operate/stops`: any right to read. `POST`, `DELETE`: the right `stop`. `POST /v1/operate/leases/end`:
 * `leases.revoke`. Each within the operator's scope.
 */
export const stopRoutes: OperateRoutes = ({ app, act, broker, documents, directory = NO_DIRECTORY, sweepSoon }) => {
  const office = { broker, documents }
  const names = async () => ({ organisation: (await broker.policySource.snapshot()).organisation, directory })

  app.get(STOPS_PATH, async (context) => {
    const { operator } = await act(context, "stop", "audit.read", "leases.read", "policies.read")
    const { organisation } = await names()
    const stops = await storedStops(office)
    const seen = await Promise.all(
      stops.map(async (stop) => {
        const { issuer, id, on } = stop
        const ofUnit = issuer !== undefined && id !== undefined && on !== "owner"
        const unit = ofUnit ? await directory.entry({ issuerUrl: issuer, unitId: id }) : null
        return mayReach({ scope: stop, ownerId: unit?.ownerId ?? null }, operator.scope, organisation)
      }),
    )
    const answer: StopsAnswer = { stops: stops.filter((_, index) => seen[index]).map(answerOf) }
    return Response.json(answer)
  })

  app.post(STOPS_PATH, async (context) => {
    const by = await act(context, "stop")
    const { reason: why, for: lasts, ...words } = read(order, await readJson(incomingOf(context.req.raw)))
    const scope = await stopScopeOf(words, by.operator.scope, await names())
    const stop = await orderStop({ scope, reason: why, ...(lasts !== undefined && { for: lasts }) }, by, office)
    return Response.json(answerOf(stop))
  })

  app.delete(STOPS_PATH, async (context) => {
    const by = await act(context, "stop")
    const { reason: why, ...words } = read(lifting, context.req.query())
    const scope = await stopScopeOf(words, by.operator.scope, await names(), "lift")
    await liftStop(scope, why, by, office)
    return Response.json({ scope: scopeText(scope) })
  })

  app.post(END_LEASES_PATH, async (context) => {
    const by = await act(context, "leases.revoke")
    const { reason: why, since, after = null, ...words } = read(ending, await readJson(incomingOf(context.req.raw)))
    const scope = await stopScopeOf(words, by.operator.scope, await names())
    const wanted = { scope, reason: readReason(why), requestId: by.requestId, since: Date.parse(since), after }
    // Also for a further page: only the caller says that there was a first one.
    await recordAct(by, `end leases: ${scopeText(scope)}: ${wanted.reason}`, broker)
    const answer: EndLeasesAnswer = await endLeases(wanted, { broker, directory, ...(sweepSoon && { sweepSoon }) })
    return Response.json(answer)
  })
}

/** Units are then known by their ids alone. */
const NO_DIRECTORY: Directory = {
  async list() {
    throw new BrokerError("ledger_unavailable", "This broker has no directory of its ledgers. Name a unit by its id.")
  },
  entry: async () => null,
}

const answerOf = (stop: Stop): StopAnswer => {
  const { reason: why, by, at, until } = stop
  return { scope: scopeText(stop), reason: why, by, at, until }
}

/** @throws {BrokerError} `request_malformed`, without text of the request */
function read<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = parseWith(schema, value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const member = issue?.path.length ? issue.path.map(String).join(".") : "the request"
  const what = issue?.code === "unrecognized_keys" ? "has an unknown member" : issue?.message
  throw new BrokerError("request_malformed", `${member}: ${what}`)
}
