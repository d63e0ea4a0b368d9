import type { Organisation } from "../../core/policy/model.ts"
import { openLease } from "../../operate/end-lease.ts"
import { outOfSight } from "../../operate/operator.ts"
import { recordScopeOf } from "../../operate/record-scope.ts"
import type { LedgerKey } from "../../ports/directory.ts"
import type { LeaseCredential, OpenLease } from "../../ports/ledger.ts"
import { type Html, html, pathOf, when } from "../html.ts"
import { may } from "../rights.ts"
import type { Session } from "../session.ts"
import { faultNote, ledgerOf, note, type PageLoader, part, scroll, sees, unfollowed, type View } from "../view.ts"
import { counted, span, time } from "../words.ts"
import { recordList } from "./record-list.ts"

const RECORDS_SHOWN = 50

/** One lease: what it holds, how each credential ends, its records, and the button that ends it. */
export const leasePage: PageLoader = async (view) => {
  const { session, services, query } = view
  const lease = query.get("lease") ?? ""
  const { organisation } = await services.broker.policySource.snapshot()
  const records = may(session, "audit.read")
    ? await part("Its records", () => recordsOf(lease, organisation, view))
    : null
  const first = records?.ok ? records.value[0] : undefined
  // Without an index, the address says whose lease it is.
  const named = first && new URLSearchParams({ issuer: first.issuerUrl, id: first.unitId })
  const ledger = await ledgerOf({ ...view, query: named ?? query })
  if (ledger === null) throw outOfSight("lease")
  const open = may(session, "leases.read", "leases.revoke")
    ? await part("What it holds", () => openLease(services.broker.ledgers.of(ledger.issuerUrl, ledger.unitId), lease))
    : null
  const held = open?.ok ? open.value : null
  const connections = held?.credentials.map(({ connection }) => connection) ?? []
  const isSeen = sees(session, ledger, organisation, connections.length === 0 ? undefined : connections)
  // Its records were found within the scope: they may be shown where the lease itself is not.
  if (!isSeen && first === undefined) throw outOfSight("lease")
  const body = html`<h1>Lease</h1>
<p class="lead"><code>${lease}</code> of <a href="${pathOf("/console/unit", { issuer: ledger.issuerUrl, id: ledger.unitId })}">${first?.record.identity?.unit ?? ledger.unit ?? ledger.unitId}</a></p>
${when(query.get("done") === "ended", () => note("good", "Its credentials are being revoked. Those that only expire are not changed."))}
${faultNote(open)}${faultNote(records)}
${open?.ok && isSeen ? holding(held, services.broker.clock.now().getTime()) : null}
${held !== null && isSeen && may(session, "leases.revoke") ? endForm(held, ledger, session) : null}
${records?.ok ? html`<h2>Its records</h2>${records.value.length === 0 ? html`<p class="soft">No record is found.</p>` : recordList(records.value, organisation)}` : null}`
  return { title: "Lease", body }
}

async function recordsOf(lease: string, organisation: Organisation, { session, services }: View) {
  if (!services.index) throw unfollowed()
  if (lease === "") return []
  const scope = recordScopeOf(session.operator.scope, organisation)
  return (await services.index.search({ lease, scope, limit: RECORDS_SHOWN })).found
}

function holding(open: OpenLease | null, now: number): Html {
  if (open === null) return html`<h2>What it holds</h2><p>Nothing: it has ended, or it never was.</p>`
  if (open.credentials.length === 0) return html`<h2>What it holds</h2><p>Nothing yet: its exchange is under way.</p>`
  return html`<h2>What it holds</h2>${scroll(
    "Credentials",
    html`<table><thead><tr><th scope="col">Grant</th><th scope="col">Connection</th><th scope="col">Provider</th><th scope="col">How it ends</th></tr></thead><tbody>${open.credentials.map(
      (one) =>
        html`<tr><th scope="row">${one.grant}</th><td><a href="${pathOf("/console/connection", { name: one.connection })}">${one.connection}</a></td><td>${one.provider}</td><td>${endOf(one, now)}</td></tr>
`,
    )}</tbody></table>`,
  )}`
}

function endOf({ revocation, expiresAt, grantedUntil }: LeaseCredential, now: number): Html {
  const left = (at: number) => (at > now ? ` (in ${span(at - now)})` : "")
  if (revocation === "expires-only")
    return html`Only expires${expiresAt === null ? null : html`, at ${time(expiresAt)}${left(expiresAt)}`}: nobody can revoke it`
  return html`The broker revokes it${grantedUntil === null ? " with the lease" : html` at ${time(grantedUntil)}${left(grantedUntil)}, or with the lease`}`
}

function endForm({ lease, credentials }: OpenLease, { issuerUrl, unitId }: LedgerKey, { form }: Session): Html {
  const revocable = credentials.filter(({ revocation }) => revocation === "revocable").length
  if (revocable === 0) return html`<p class="soft">There is nothing to revoke.</p>`
  const hidden = { form, lease, issuer: issuerUrl, id: unitId }
  return html`<h2>Revoke it</h2><form class="card" method="post" action="/console/lease/end">${Object.entries(hidden).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
<label for="reason">Why. The record keeps it</label><input id="reason" name="reason" required maxlength="300" autocomplete="off">
<div class="acts"><button class="danger">Revoke ${counted(revocable, "credential")} now</button></div></form>`
}
