import { isWhole } from "../../core/operator-scope.ts"
import type { Organisation } from "../../core/policy/model.ts"
import type { Broker } from "../../exchange/broker.ts"
import { followed } from "../../operate/followed.ts"
import { listKeys } from "../../operate/keys.ts"
import { recordScopeOf } from "../../operate/record-scope.ts"
import type { Health } from "../../ports/health.ts"
import { type Html, html, pathOf, type Shown, when } from "../html.ts"
import { may } from "../rights.ts"
import { faultNote, note, type PageLoader, type Part, part, sees, type View } from "../view.ts"
import { counted, span } from "../words.ts"
import { barsOf, CHART_HOURS, chart, sum } from "./chart.ts"
import { recordList } from "./record-list.ts"
import { stopsOf } from "./stops.ts"

const DAY_HOURS = 24
/** More units are counted by the metrics. */
const UNITS_COUNTED = 1000
const LATEST = 5

/** What happens now: exchanges and denials by hour, health, stops, and how old policies and keys are. */
export const nowPage: PageLoader = async (view) => {
  const { session, services } = view
  const { broker } = services
  const read = <Value>(allowed: boolean, what: string, load: () => Promise<Value>): Promise<Part<Value> | null> =>
    allowed ? part(what, load) : Promise.resolve(null)
  const [health, hours, latest, leases, stops, keys] = await Promise.all([
    part("The health", () => healthOf(broker)),
    read(may(session, "audit.read"), "The counts by hour", () => hoursOf(view)),
    read(may(session, "audit.read"), "The latest denials", () => latestDenials(view)),
    // A grant for some connections covers no unit as a whole, whose leases could be counted.
    read(may(session, "leases.read") && session.operator.scope.connections === undefined, "The open leases", () =>
      leasesOf(view),
    ),
    read(may(session, "stop", "audit.read", "leases.read", "policies.read"), "The stops", () => stopsOf(view)),
    read(may(session, "keys.rotate"), "The keys", () => keysOf(view)),
  ])
  const now = broker.clock.now().getTime()
  const bars = hours?.ok ? barsOf(hours.value.hours, now) : null
  const day = bars?.slice(-DAY_HOURS)
  const parts = health.ok ? health.value : []
  const bad = parts.filter(([, { state }]) => state !== "ok")
  const body = html`<h1>Now</h1>
<p class="lead">${isWhole(session.operator.scope) ? "All units of this broker." : "What the scope of your grant covers."}</p>
${bad.map(([name, one]) => healthNote(name, one, now))}
${[health, hours, latest, leases, stops, keys].map(faultNote)}
<ul class="tiles">
${when(health.ok, () => tile("Health", bad.length === 0 ? "Good" : `${counted(bad.length, "part")} to look at`, `${counted(parts.length, "part")} looked at: ${parts.map(([name]) => name).join(", ")}`))}
${day ? tile("Granted", sum(day, "granted").toLocaleString("en"), "in the last 24 hours") : null}
${day ? tile("Denied or failed", sum(day, "refused").toLocaleString("en"), "in the last 24 hours") : null}
${leases?.ok ? tile("Open leases", leases.value.open.toLocaleString("en"), `of ${counted(leases.value.units, "unit")}${leases.value.more ? " and more" : ""}`) : null}
${stops?.ok ? tile("Stops in force", `${stops.value.length}`, stops.value.length === 0 ? "nothing is stopped" : html`<a href="/console/stops">what is stopped, and why</a>`) : null}
${policyTile(view, now)}
${keys?.ok ? keys.value.map((one) => one) : null}
</ul>
${when(bars !== null, () => html`<h2>Exchanges by hour, last ${CHART_HOURS} hours</h2><div class="card">${hours?.ok && !hours.value.complete ? note("warn", "There are more records than one look counts. The oldest hours are missing.") : null}${chart(bars ?? [])}</div>`)}
${latest?.ok ? latestPart(latest.value) : null}`
  return { title: "Now", body }
}

const tile = (name: string, figure: string, more: Shown): Html =>
  html`<li class="tile"><h2>${name}</h2><p class="figure">${figure}</p><p>${more}</p></li>
`

async function healthOf(broker: Broker): Promise<readonly (readonly [string, Health])[]> {
  return await Promise.all(broker.health.map(async (check) => [check.part, await check.look()] as const))
}

const healthNote = (name: string, health: Health, now: number): Html | null =>
  health.state === "ok"
    ? null
    : note(
        health.state === "unavailable" ? "bad" : "warn",
        html`<strong>${name}: ${health.state}</strong> for ${span(now - Date.parse(health.since))}. ${health.reason}`,
      )

const organisationOf = async ({ services }: View): Promise<Organisation> =>
  (await services.broker.policySource.snapshot()).organisation

async function hoursOf(view: View) {
  const { index, broker } = view.services
  const until = broker.clock.now().getTime()
  const scope = recordScopeOf(view.session.operator.scope, await organisationOf(view))
  return await followed(index).hours({ since: until - CHART_HOURS * 3_600_000, until: until + 60_000, scope })
}

async function latestDenials(view: View) {
  const { index } = view.services
  const scope = recordScopeOf(view.session.operator.scope, await organisationOf(view))
  const { found } = await followed(index).search({ event: "exchange.denied", scope, limit: LATEST })
  return { found, organisation: await organisationOf(view) }
}

function latestPart({ found, organisation }: Awaited<ReturnType<typeof latestDenials>>): Html {
  const all = html`<p><a href="${pathOf("/console/search", { event: "exchange.denied" })}">All denials</a></p>`
  return html`<h2>Latest denials</h2>${
    found.length === 0
      ? html`<p class="soft">No denial is in the record.</p>`
      : html`${recordList(found, organisation)}${all}`
  }`
}

async function leasesOf(view: View) {
  const { directory } = view.services
  const organisation = await organisationOf(view)
  const { ledgers, next } = await followed(directory).list({ limit: UNITS_COUNTED })
  const seen = ledgers.filter((one) => one.openLeases > 0 && sees(view.session, one, organisation))
  const open = seen.reduce((all, { openLeases }) => all + openLeases, 0)
  return { open, units: seen.length, more: next !== null }
}

function policyTile({ session, services }: View, now: number): Html | null {
  if (!may(session, "policies.read")) return null
  const { policies, loaded_at: loadedAt, version, stale } = services.broker.policySource.status()
  const age = loadedAt === null ? "not loaded" : `loaded ${span(now - Date.parse(loadedAt))} ago`
  const old = stale === undefined ? "" : `, may be old since ${span(now - Date.parse(stale.since))}`
  return tile("Policies in force", `${policies}`, `${age}${old}, version ${version?.slice(0, 12) ?? "none"}`)
}

async function keysOf({ services }: View): Promise<readonly Html[]> {
  const { keys, rotate_every_seconds: every } = await listKeys(services.broker, services.keys)
  const now = services.broker.clock.now().getTime()
  return keys
    .filter(({ state }) => state === "active" || state === "next")
    .map(({ state, created_at: at, next, sealed_under: under }) => {
      const after =
        next === null
          ? every === null
            ? "not rotated by itself"
            : "on schedule"
          : `${next.state} at ${next.at.slice(0, 16).replace("T", " ")}`
      const kek = under === "current" ? "" : ", sealed under another KEK"
      return tile(
        state === "active" ? "Signing key" : "Next signing key",
        `${span(now - Date.parse(at))} old`,
        `${after}${kek}`,
      )
    })
}
