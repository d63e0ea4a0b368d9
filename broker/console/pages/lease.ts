import type { Organisation } from "../../core/policy/model.ts"
import { leaseOf } from "../../http/request.ts"
import { followed } from "../../operate/followed.ts"
import { leaseFor } from "../../operate/leases.ts"
import { outOfSight } from "../../operate/operator.ts"
import { recordScopeOf } from "../../operate/record-scope.ts"
import type { LeaseCredential, OpenLease } from "../../ports/ledger.ts"
import { type Html, html, pathOf, when } from "../html.ts"
import { may } from "../rights.ts"
import type { Session } from "../session.ts"
import { type ConsoleServices, faultNote, note, type PageLoader, type Part, part, scroll, type View } from "../view.ts"
import { counted, span, time } from "../words.ts"
import { recordList } from "./record-list.ts"

const RECORDS_SHOWN = 50

/** One lease: what it holds, how each credential ends, its records, and the button that ends it. */
export const leasePage: PageLoader = async (view) => {
  const { session, services, query } = view
  if (!may(session, "audit.read", "leases.read", "leases.revoke")) throw outOfSight("lease")
  const id = leaseOf(query.get("lease") ?? "")
  const { organisation } = await services.broker.policySource.snapshot()
  const found = await part("The lease", () => leaseFor(id, session.operator, deskOf(services)))
  const records = may(session, "audit.read") ? await part("Its records", () => recordsOf(id, organisation, view)) : null
  const body = html`<h1>Lease</h1>
<p class="lead"><code>${id}</code>${found.ok ? owner(found.value) : null}</p>
${when(query.get("done") === "revoked", () => note("good", "Its credentials are being revoked. Those that only expire are not changed."))}
${faultNote(found)}${faultNote(records)}
${found.ok && may(session, "leases.read") ? holding(found.value.open, services.broker.clock.now().getTime()) : null}
${found.ok && found.value.open !== null && may(session, "leases.revoke") ? revokeForm(found.value.open, session) : null}
${records?.ok ? html`<h2>Its records</h2>${recordList(records.value, organisation)}` : null}`
  return { title: "Lease", body }
}

type Found = Extract<Part<Awaited<ReturnType<typeof leaseFor>>>, { ok: true }>["value"]

/** What reads and revokes leases. @throws {BrokerError} `configuration_invalid` without an index */
export const deskOf = (services: ConsoleServices) => ({ ...services, index: followed(services.index) })

const owner = ({ key, record }: Found): Html =>
  html` of <a href="${pathOf("/console/unit", { issuer: key.issuerUrl, id: key.unitId })}">${record.identity?.unit ?? key.unitId}</a>, run ${record.identity?.run_id || "unknown"}`

async function recordsOf(lease: string, organisation: Organisation, { session, services }: View) {
  const scope = recordScopeOf(session.operator.scope, organisation)
  return (await followed(services.index).search({ lease, scope, limit: RECORDS_SHOWN })).found
}

function holding(open: OpenLease | null, now: number): Html {
  if (open === null) return html`<h2>What it holds</h2><p>Nothing: it has ended.</p>`
  if (open.credentials.length === 0) return html`<h2>What it holds</h2><p>Nothing yet: its exchange is under way.</p>`
  return html`<h2>What it holds</h2>${scroll(
    "Credentials",
    html`<table><thead><tr><th scope="col">Grant</th><th scope="col">Connection</th><th scope="col">Provider</th><th scope="col">How it ends</th></tr></thead><tbody>${open.credentials.map(
      (one) =>
        html`<tr><th scope="row">${one.grant}</th><td>${one.connection}</td><td>${one.provider}</td><td>${endOf(one, now)}</td></tr>
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

function revokeForm({ lease, credentials }: OpenLease, { form }: Session): Html {
  const revocable = credentials.filter(({ revocation }) => revocation === "revocable").length
  if (revocable === 0) return html`<p class="soft">There is nothing to revoke.</p>`
  return html`<h2>Revoke it</h2><form class="card" method="post" action="/console/lease/revoke"><input type="hidden" name="form" value="${form}"><input type="hidden" name="lease" value="${lease}">
<label for="reason">Why. The record keeps it</label><input id="reason" name="reason" required maxlength="300" autocomplete="off">
<div class="acts"><button class="danger">Revoke ${counted(revocable, "credential")} now</button></div></form>`
}
