import type { Context, Hono } from "hono"
import { BrokerError } from "../core/errors.ts"
import type { OperatorRight } from "../core/operator-rights.ts"
import { scopeText } from "../core/stops.ts"
import { readForm } from "../http/body.ts"
import { incomingOf } from "../http/incoming.ts"
import { leaseOf } from "../http/request.ts"
import type { OperatorAct } from "../operate/act.ts"
import { NO_DIRECTORY } from "../operate/followed.ts"
import { revokeLease } from "../operate/leases.ts"
import { lacks } from "../operate/operator.ts"
import { stopScopeOf } from "../operate/stop-scope.ts"
import { liftStop, orderStop, readReason } from "../operate/stops.ts"
import { STOP_KINDS, type StopTarget } from "../wire/stops.ts"
import type { ConsoleEnv } from "./console-env.ts"
import { setCookie } from "./cookies.ts"
import { pathOf } from "./html.ts"
import { deskOf } from "./pages/lease.ts"
import { stopsOf } from "./pages/stops.ts"
import { may } from "./rights.ts"
import type { ConsoleServices } from "./view.ts"

/** Adds what a person can do here. Each act is recorded before it is done, by the function that does it. */
export function addActs(app: Hono<ConsoleEnv>, services: ConsoleServices): void {
  const { broker, documents, directory = NO_DIRECTORY } = services
  const office = { broker, documents }

  app.post("/console/sign-out", async (context) => {
    await formOf(context, broker.url)
    context.header("set-cookie", setCookie("session", "", 0, broker.url))
    return context.redirect("/console", 303)
  })

  app.post("/console/stops/order", async (context) => {
    const form = await formOf(context, broker.url)
    const act = actOf(context, "stop")
    const { organisation } = await broker.policySource.snapshot()
    const scope = await stopScopeOf(targetOf(form), act.operator.scope, { organisation, directory })
    const lasts = text(form, "for")
    await orderStop({ scope, reason: text(form, "reason"), ...(lasts === "" ? {} : { for: lasts }) }, act, office)
    return context.redirect(pathOf("/console/stops", { done: "ordered" }), 303)
  })

  app.post("/console/stops/lift", async (context) => {
    const form = await formOf(context, broker.url)
    const act = actOf(context, "stop")
    const stops = await stopsOf({ session: context.get("session"), services })
    // The scope in words tells the stops of a list apart, and nothing of it is taken from the browser but which one is meant.
    const stop = stops.find((one) => `${scopeText(one)} ${one.at}` === text(form, "stop"))
    if (!stop)
      throw new BrokerError(
        "not_allowed",
        "This stop is not in force any more, or it is outside of the scope of your grant.",
      )
    await liftStop(stop, text(form, "reason"), act, office)
    return context.redirect(pathOf("/console/stops", { done: "lifted" }), 303)
  })

  app.post("/console/lease/revoke", async (context) => {
    const form = await formOf(context, broker.url)
    const act = actOf(context, "leases.revoke")
    const lease = leaseOf(text(form, "lease"))
    await revokeLease(lease, readReason(text(form, "reason")), act, deskOf(services))
    return context.redirect(pathOf("/console/lease", { lease, done: "revoked" }), 303)
  })
}

/**
 * The form of a request that changes something. It must come from a page of this session: its text is in no page that another site
 * can read. Browsers also say which site sent a form, and that must be this one.
 *
 * @throws {BrokerError} `not_allowed`, `request_malformed`
 */
async function formOf(context: Context<ConsoleEnv>, url: string): Promise<URLSearchParams> {
  const { headers } = context.req.raw
  const site = headers.get("sec-fetch-site") ?? "same-origin"
  if (headers.get("origin") !== new URL(url).origin || site !== "same-origin") throw otherSite()
  const form = await readForm(incomingOf(context.req.raw))
  if (form.get("form") !== context.get("session").form) throw otherSite()
  return form
}

const otherSite = () =>
  new BrokerError(
    "not_allowed",
    "This form was not sent from a page of your session. Nothing was done. Open the page again.",
  )

/** @throws {BrokerError} `not_allowed` */
function actOf(context: Context<ConsoleEnv>, right: OperatorRight): OperatorAct {
  const session = context.get("session")
  if (!may(session, right)) throw lacks(right)
  const { event, client } = context.env
  return { operator: session.operator, requestId: event.request_id, clientAddress: client.clientAddress }
}

const text = (form: URLSearchParams, name: string): string => (form.get(name) ?? "").trim()

function targetOf(form: URLSearchParams): StopTarget {
  const [on, name, unit] = [text(form, "on"), text(form, "name"), text(form, "unit")]
  const kind = STOP_KINDS.find((one) => one === on)
  if (kind === undefined) throw new BrokerError("request_malformed", "Choose what to stop.")
  return { on: kind, ...(name === "" ? {} : { name }), ...(unit === "" ? {} : { unit }) }
}
