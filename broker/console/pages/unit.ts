import { UNITS } from "../../core/families/units.ts"
import type { Organisation } from "../../core/policy/model.ts"
import { concernsGrant, concernsUnit, type Stop, scopeText } from "../../core/stops.ts"
import { followed } from "../../operate/followed.ts"
import { outOfSight } from "../../operate/operator.ts"
import type { LedgerEntry } from "../../ports/directory.ts"
import type { OpenLease } from "../../ports/ledger.ts"
import type { LastUse } from "../../ports/record-index.ts"
import type { CanRow, WhoCanAnswer } from "../analysis.ts"
import { policiesOfUnit } from "../decide-again.ts"
import { type Html, html, pathOf, when } from "../html.ts"
import { may } from "../rights.ts"
import { faultNote, issuerName, ledgerOf, note, type PageLoader, part, scroll, sees } from "../view.ts"
import { time } from "../words.ts"
import { canTable, environmentWords } from "./can-table.ts"
import { picture } from "./picture.ts"
import { stopsOf } from "./stops.ts"

const LEASES_SHOWN = 50

/** One unit: what its policies give it, and when that was last used; what it holds now; what stops it. */
export const unitPage: PageLoader = async (view) => {
  const { session, services } = view
  const { broker } = services
  const snapshot = await broker.policySource.snapshot()
  const { organisation } = snapshot
  const ledger = await ledgerOf(view)
  if (ledger === null || !sees(session, ledger, organisation)) throw outOfSight("unit")
  const read = async <Value>(allowed: boolean, what: string, load: () => Promise<Value>) =>
    allowed ? await part(what, load) : null
  const [can, uses, leases, stops] = await Promise.all([
    read(may(session, "policies.read"), "The policies", async (): Promise<WhoCanAnswer> => {
      const set = await policiesOfUnit(ledger, snapshot)
      return set === null
        ? { rows: [], unknown: [] }
        : services.analysis.whoCan(set, ledger.unit === null ? {} : { unit: ledger.unit })
    }),
    read(may(session, "audit.read"), "The last use", async () => {
      return await followed(services.index).lastUse(ledger)
    }),
    read(may(session, "leases.read"), "The open leases", async () =>
      broker.ledgers.of(ledger.issuerUrl, ledger.unitId).openLeases("", LEASES_SHOWN),
    ),
    part("The stops", () => stopsOf(view)),
  ])
  const name = ledger.unit ?? ledger.unitId
  const rows = can?.ok ? can.value.rows : []
  const stopped = stops.ok ? stops.value.filter((stop) => concerns(stop, ledger, rows)) : []
  const ids = { issuer: ledger.issuerUrl, id: ledger.unitId }
  const body = html`<h1>${name}</h1>
<p class="lead">${kindOf(ledger, organisation)}${ledger.owner === null ? "" : `, of ${ledger.owner} (${ledger.ownerId})`}</p>
${stopped.map(stopNote)}${[can, uses, leases, stops].map(faultNote)}
<p class="acts">${when(may(session, "audit.read"), () => html`<a class="button plain" href="${pathOf("/console/search", { unit_id: ledger.unitId })}">Its records</a><a class="button plain" href="${pathOf("/console/verify", ids)}">Verify its record</a>`)}</p>
${can?.ok ? policies(name, can.value, uses?.ok ? uses.value : null) : null}
${leases?.ok ? leasePart(leases.value) : null}`
  return { title: name, body }
}

function kindOf({ issuerUrl, unitId, unitKind }: LedgerEntry, organisation: Organisation): string {
  const kind = Object.entries(UNITS).find(([name]) => name === unitKind)?.[1].one ?? "unit"
  return `${kind.charAt(0).toUpperCase()}${kind.slice(1)} of ${issuerName(issuerUrl, organisation)}, id ${unitId}`
}

/** Whether a stop keeps the unit from something: all of it, or what it could get through a connection or by a grant. */
const concerns = (stop: Stop, ledger: LedgerEntry, rows: readonly CanRow[]): boolean =>
  concernsUnit(stop, { ...ledger, ownerId: ledger.ownerId ?? "" }) &&
  ((stop.on !== "connection" && stop.on !== "grant") ||
    rows.some(({ grant, connection }) => concernsGrant(stop, grant ?? "", connection)))

const stopNote = (stop: Stop): Html =>
  note(
    "bad",
    html`<strong>Stopped</strong> (${scopeText(stop)}) by ${stop.by}: “${stop.reason}”. <a href="/console/stops">Stops</a>`,
  )

function policies(name: string, can: WhoCanAnswer, uses: readonly LastUse[] | null): Html {
  const used = (grant: string | null) => {
    const at = uses?.find((use) => use.kind === "grant" && use.name === grant)?.at
    return uses === null ? "unknown" : at === undefined ? html`<span class="tag warn">never</span>` : time(at)
  }
  const ways = can.rows.map((row) => [
    environmentWords(row) === "none" ? name : `${name} (${environmentWords(row)})`,
    row.grant ?? "a policy of its own",
    row.connection,
    row.resource,
  ])
  return html`<h2>What it can get</h2>
${when(ways.length > 0, () => picture(`What ${name} can get`, ["Unit (environment)", "Grant", "Connection", "Resource"], ways, 0))}
${canTable(can, { unit: false, used: ({ grant }) => used(grant) })}`
}

function leasePart(leases: readonly OpenLease[]): Html {
  const table = html`<table><thead><tr><th scope="col">Lease</th><th scope="col">Holds</th><th scope="col">Last expiry</th></tr></thead><tbody>${leases.map(
    ({ lease, credentials }) => {
      const ends = credentials.map(({ expiresAt }) => expiresAt)
      const last = ends.some((end) => end === null) ? "never by itself" : time(Math.max(...(ends as number[])))
      return html`<tr><th scope="row"><a class="mono" href="${pathOf("/console/lease", { lease })}">${lease}</a></th><td>${credentials.map(({ grant, connection }) => `${grant} (${connection})`).join(", ")}</td><td class="when">${ends.length === 0 ? "under way" : last}</td></tr>
`
    },
  )}</tbody></table>`
  const more = when(
    leases.length === LEASES_SHOWN,
    () => html`<p class="soft">These are the first ${LEASES_SHOWN}.</p>`,
  )
  return html`<h2>What it holds now</h2>${leases.length === 0 ? html`<p class="soft">No lease is open.</p>` : scroll("Open leases", table)}${more}`
}
