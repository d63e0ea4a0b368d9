import { followed } from "../../operate/followed.ts"
import { outOfSight } from "../../operate/operator.ts"
import type { LedgerEntry } from "../../ports/directory.ts"
import { type Html, html, pathOf, when } from "../html.ts"
import { faultNote, issuerName, ledgerOf, type PageLoader, part, scroll, sees, type View } from "../view.ts"

const UNITS_PER_PAGE = 100

/** Verifies the record of one unit, in the browser. Without a script, it says how to do it on a command line. */
export const verifyPage: PageLoader = async (view) => {
  const { organisation } = await view.services.broker.policySource.snapshot()
  const ledger = await ledgerOf(view)
  if (ledger === null) return { title: "Verify", body: await choice(view) }
  if (!sees(view.session, ledger, organisation)) throw outOfSight("unit")
  const policy = await part("The checkpoints", async () => (await view.services.checkpoints?.policy()) ?? null)
  const body = html`<h1>Verify</h1>
<p class="lead">The record of <a href="${pathOf("/console/unit", { issuer: ledger.issuerUrl, id: ledger.unitId })}">${ledger.unit ?? ledger.unitId}</a>, ${issuerName(ledger.issuerUrl, organisation)}</p>
${faultNote(policy)}
<p>Your browser reads every record of this unit and computes its chain of hashes. Any edit, gap or reordering is found. A signed
checkpoint also shows that the record was not rewritten as a whole.</p>
${verifier(ledger, policy.ok ? policy.value : null)}
<h2>Without trust in this broker</h2>
<p>This page and its script come from the broker that is being verified. For an audit, run the same code from your own copy, with a
policy of signatures that you keep, as docs/checkpoints.md shows it:</p>
<p class="command"><code>daypass audit export --broker ${view.services.broker.url} --unit ${ledger.unit ?? "NAME"} --checkpoint proofs.txt --out record.jsonl</code></p>
<p class="command"><code>daypass audit verify record.jsonl --checkpoint proofs.txt --policy checkpoint-policy.txt</code></p>`
  return { title: "Verify", body }
}

function verifier({ issuerUrl, unitId }: LedgerEntry, policy: string | null): Html {
  const ids = { issuer: issuerUrl, id: unitId }
  return html`<div class="note warn" id="unscripted"><p>This page alone needs JavaScript. The commands below do the same.</p></div>
<div class="card">${
    policy === null
      ? html`<p class="soft">This broker has signed no checkpoint yet. The chain alone is verified.</p>`
      : html`<label for="policy">Whose signatures you accept. Paste your own policy (C2SP tlog-policy): this one is what the broker says of itself</label><textarea id="policy" spellcheck="false">${policy
          .split("\n")
          .map(
            (line) => html`${line}
`,
          )}</textarea>`
  }
<div class="acts"><button type="button" id="start" disabled data-exported="${pathOf("/console/verify/export", ids)}" data-proof="${pathOf("/console/verify/proof", ids)}">Verify</button></div>
<progress id="progress" aria-label="Reading the record" hidden></progress>
<div id="verdict" role="status"></div></div>`
}

async function choice(view: View): Promise<Html> {
  const read = await part("The directory", () => listUnits(view))
  return html`<h1>Verify</h1>
<p class="lead">Choose whose record to verify.</p>
${faultNote(read)}
${read.ok && read.value.seen.length === 0 ? html`<p class="soft">There is no unit in the scope of your grant on this page.</p>` : null}
${read.ok && read.value.seen.length > 0 ? units(read.value.seen, read.value.names) : null}
${when(read.ok && read.value.next !== null, () => html`<p><a class="button plain" href="${pathOf("/console/verify", { after: read.ok ? (read.value.next ?? "") : "" })}">More units</a></p>`)}`
}

async function listUnits({ services, session, query }: View) {
  const { directory, broker } = services
  const { organisation } = await broker.policySource.snapshot()
  const after = query.get("after") ?? ""
  const { ledgers, next } = await followed(directory).list({
    limit: UNITS_PER_PAGE,
    ...(after === "" ? {} : { after }),
  })
  const seen = ledgers.filter((one) => one.seq > 0 && sees(session, one, organisation))
  return { seen, next, names: (url: string) => issuerName(url, organisation) }
}

const units = (seen: readonly LedgerEntry[], names: (url: string) => string): Html =>
  scroll(
    "Units",
    html`<table><thead><tr><th scope="col">Unit</th><th scope="col">Issuer</th><th scope="col" class="number">Records</th></tr></thead><tbody>${seen.map(
      ({ issuerUrl, unitId, unit, seq }) =>
        html`<tr><th scope="row"><a href="${pathOf("/console/verify", { issuer: issuerUrl, id: unitId })}">${unit ?? unitId}</a></th><td>${names(issuerUrl)}</td><td class="number">${seq.toLocaleString("en")}</td></tr>
`,
    )}</tbody></table>`,
  )
