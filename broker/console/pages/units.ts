import type { Organisation } from "../../core/policy/model.ts"
import { followed } from "../../operate/followed.ts"
import { recordScopeOf } from "../../operate/record-scope.ts"
import type { LedgerEntry } from "../../ports/directory.ts"
import { type Html, html, pathOf, when } from "../html.ts"
import { may } from "../rights.ts"
import { faultNote, issuerName, note, type PageLoader, part, scroll, sees, type View } from "../view.ts"
import { time } from "../words.ts"

const UNITS_PER_PAGE = 100

/** The units that the broker has served, and the connections that they get credentials from. */
export const unitsPage: PageLoader = async (view) => {
  const { services, session, query } = view
  const name = query.get("name")?.trim() ?? ""
  const [units, named, organisation] = await Promise.all([
    part("The directory", () => listUnits(view)),
    name === "" ? null : part("The search", () => namedUnits(name, view)),
    part("The policies", async () => (await services.broker.policySource.snapshot()).organisation),
  ])
  const connections =
    organisation.ok && may(session, "policies.read")
      ? [...organisation.value.connections.values()].filter(
          (one) => session.operator.scope.connections?.includes(one.name) ?? true,
        )
      : []
  const body = html`<h1>Units</h1>
<p class="lead">Repositories, projects, people and all else that has asked this broker for something.</p>
<form class="card" method="get" action="/console/units"><div class="acts low"><div><label for="name">Name or id of a unit</label><input id="name" name="name" value="${name}" autocomplete="off" spellcheck="false"></div><button>Find</button></div></form>
${faultNote(units)}${faultNote(named)}${faultNote(organisation)}
${named?.ok && organisation.ok ? found(name, named.value, organisation.value) : null}
${units.ok && organisation.ok ? table(units.value.seen, organisation.value) : null}
${units.ok && units.value.next !== null ? html`<p><a class="button plain" href="${pathOf("/console/units", { after: units.value.next })}">More units</a></p>` : null}
${when(
  connections.length > 0,
  () =>
    html`<h2>Connections</h2>${scroll(
      "Connections",
      html`<table><thead><tr><th scope="col">Connection</th><th scope="col">Provider</th><th scope="col">For</th></tr></thead><tbody>${connections.map(
        ({ name: connection, provider, people }) =>
          html`<tr><th scope="row"><a href="${pathOf("/console/connection", { name: connection })}">${connection}</a></th><td>${provider}</td><td>${people === true ? "jobs and people" : "jobs"}</td></tr>
`,
      )}</tbody></table>`,
    )}`,
)}`
  return { title: "Units", body }
}

async function listUnits({ services, session, query }: View) {
  const { directory, broker } = services
  const { organisation } = await broker.policySource.snapshot()
  const after = query.get("after") ?? ""
  const { ledgers, next } = await followed(directory).list({
    limit: UNITS_PER_PAGE,
    ...(after === "" ? {} : { after }),
  })
  return { seen: ledgers.filter((one) => one.seq > 0 && sees(session, one, organisation)), next }
}

/** Units with this name or id in a record. The same name can have belonged to several. */
async function namedUnits(name: string, { services, session }: View) {
  const { index, broker } = services
  const { organisation } = await broker.policySource.snapshot()
  const scope = recordScopeOf(session.operator.scope, organisation)
  const found = await Promise.all(
    [{ unit: name }, { unitId: name }].map((term) => followed(index).search({ ...term, scope, limit: 50 })),
  )
  const units = new Map(
    found
      .flatMap((one) => one.found)
      .map(({ issuerUrl, unitId, record }) => [
        JSON.stringify([issuerUrl, unitId]),
        { issuerUrl, unitId, unit: record.identity?.unit ?? unitId },
      ]),
  )
  return [...units.values()]
}

function found(name: string, units: Awaited<ReturnType<typeof namedUnits>>, organisation: Organisation): Html {
  if (units.length === 0)
    return note("warn", html`No record is of a unit with the name or id “${name}”. Names are compared as a whole.`)
  return html`<ul>${units.map(({ issuerUrl, unitId, unit }) => html`<li><a href="${pathOf("/console/unit", { issuer: issuerUrl, id: unitId })}">${unit}</a> (${issuerName(issuerUrl, organisation)}, id ${unitId})</li>`)}</ul>`
}

function table(units: readonly LedgerEntry[], organisation: Organisation): Html {
  if (units.length === 0) return html`<p class="soft">There is no unit in the scope of your grant on this page.</p>`
  return scroll(
    "Units",
    html`<table><thead><tr><th scope="col">Unit</th><th scope="col">Issuer</th><th scope="col">Last record</th><th scope="col" class="number">Records</th><th scope="col" class="number">Open leases</th></tr></thead>
<tbody>${units.map(
      ({ issuerUrl, unitId, unit, latestAt, seq, openLeases }) =>
        html`<tr><th scope="row"><a href="${pathOf("/console/unit", { issuer: issuerUrl, id: unitId })}">${unit ?? unitId}</a></th><td>${issuerName(issuerUrl, organisation)}</td><td class="when">${latestAt === 0 ? "unknown" : time(latestAt)}</td><td class="number">${seq.toLocaleString("en")}</td><td class="number">${openLeases.toLocaleString("en")}</td></tr>
`,
    )}</tbody></table>`,
  )
}
