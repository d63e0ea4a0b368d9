import type { AuditEvent } from "../../core/audit-record.ts"
import { BrokerError } from "../../core/errors.ts"
import type { Organisation } from "../../core/policy/model.ts"
import { followed } from "../../operate/followed.ts"
import { recordScopeOf } from "../../operate/record-scope.ts"
import type { FoundRecord, RecordTerms } from "../../ports/record-index.ts"
import { SEARCH_TERMS } from "../../wire/record.ts"
import { decideAgain } from "../decide-again.ts"
import { type Html, html, pathOf, when } from "../html.ts"
import { faultNote, note, type PageLoader, part, type View } from "../view.ts"
import { NAMED_EVENTS } from "../words.ts"
import { type Recalled, recordList } from "./record-list.ts"

const RECORDS_PER_PAGE = 25

/** The terms of a search, as labels of the form; those in the first row are asked for most. */
const FIRST: readonly Term[] = ["unit", "actor", "grant", "connection"]
const FURTHER: readonly Term[] = [
  "resource",
  "code",
  "lease",
  "run",
  "fingerprint",
  "unit_id",
  "actor_id",
  "owner",
  "request_id",
]

type Term = keyof typeof SEARCH_TERMS

const LABELS: Readonly<Partial<Record<Term, string>>> = {
  unit_id: "Unit id",
  actor_id: "Actor id",
  request_id: "Request id",
  run: "Run id",
  fingerprint: "Fingerprint or public id",
}

/** The record: a form of plain GET, so that a search has an address. */
export const searchPage: PageLoader = async (view) => {
  const asked = readTerms(view.query)
  const found = asked.ok ? await part("The search", () => search(asked.terms, view)) : null
  const body = html`<h1>Search</h1>
<p class="lead">Every field compares the whole text. The newest records come first.</p>
${form(view.query)}
${asked.ok ? null : note("warn", asked.fault)}
${faultNote(found)}
${found?.ok ? results(found.value, view.query) : null}`
  return { title: "Search", body }
}

type Asked =
  | {
      readonly ok: true
      readonly terms: RecordTerms & { readonly since?: number; readonly until?: number; readonly cursor?: string }
    }
  | { readonly ok: false; readonly fault: string }

function readTerms(query: URLSearchParams): Asked {
  const terms: Record<string, string> = {}
  for (const [name, term] of Object.entries(SEARCH_TERMS)) {
    const value = query.get(name)?.trim() ?? ""
    if (value !== "") terms[term] = value
  }
  const times: Record<string, number> = {}
  for (const name of ["since", "until"]) {
    const value = query.get(name) ?? ""
    // Browsers send the time of a clock without its zone.
    const at = Date.parse(/^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?$/.test(value) ? `${value}Z` : value)
    if (value === "") continue
    if (Number.isNaN(at)) return { ok: false, fault: `“${name}” must be a time in UTC, such as 2026-11-29T18:30.` }
    times[name] = at
  }
  const cursor = query.get("cursor") ?? ""
  return { ok: true, terms: { ...terms, ...times, ...(cursor === "" ? {} : { cursor }) } }
}

interface Found {
  readonly found: readonly FoundRecord[]
  readonly next: string | null
  readonly organisation: Organisation
  readonly again: ReadonlyMap<FoundRecord, Recalled>
}

async function search(terms: RecordTerms, { session, services }: View): Promise<Found> {
  const { index, broker } = services
  const snapshot = await broker.policySource.snapshot()
  const { organisation } = snapshot
  const scope = recordScopeOf(session.operator.scope, organisation)
  const page = await followed(index)
    .search({ ...terms, scope, limit: RECORDS_PER_PAGE })
    .catch((error: unknown) => {
      if (error instanceof BrokerError && error.code === "request_malformed")
        throw new BrokerError("request_malformed", "the address has a page that does not exist any more. Search again.")
      throw error
    })
  return { ...page, organisation, again: await decideAgain(page.found, snapshot, services) }
}

function results({ found, next, organisation, again }: Found, query: URLSearchParams): Html {
  const older = { ...Object.fromEntries(query), cursor: next ?? "" }
  const more = when(
    next !== null,
    () => html`<p><a class="button plain" href="${pathOf("/console/search", older)}">Older records</a></p>`,
  )
  if (found.length === 0) {
    const text = next === null ? "No record fits." : "No record of this part of the index fits."
    return html`<h2>Records</h2><p>${text}</p>${more}`
  }
  return html`<h2>Records</h2>${recordList(found, organisation, again)}${more}`
}

function form(query: URLSearchParams): Html {
  const isFurther = FURTHER.some((name) => (query.get(name) ?? "") !== "")
  const event = (query.get("event") ?? "") as AuditEvent | ""
  return html`<form class="card" method="get" action="/console/search" role="search">
<div class="fields">${FIRST.map((name) => field(name, query))}
<div><label for="event">What happened</label><select id="event" name="event"><option value="">anything</option>${NAMED_EVENTS.map(
    ([name, words]) => html`<option value="${name}"${name === event ? SELECTED : null}>${words}</option>`,
  )}</select></div>
${["since", "until"].map(
  (name) =>
    html`<div><label for="${name}">${name === "since" ? "Since" : "Until"} (UTC)</label><input id="${name}" name="${name}" type="datetime-local" value="${query.get(name) ?? ""}"></div>`,
)}</div>
<details${isFurther ? OPEN : null}><summary>More fields</summary><div class="fields">${FURTHER.map((name) => field(name, query))}</div></details>
<div class="acts"><button>Search</button><a href="/console/search">Clear</a></div>
</form>`
}

const SELECTED = html` selected`
const OPEN = html` open`

const field = (name: Term, query: URLSearchParams): Html =>
  html`<div><label for="${name}">${LABELS[name] ?? name.charAt(0).toUpperCase() + name.slice(1)}</label><input id="${name}" name="${name}" value="${query.get(name) ?? ""}" autocomplete="off" spellcheck="false"></div>
`
