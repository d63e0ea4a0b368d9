import type { Policy } from "../../core/policy/model.ts"
import { policySet } from "../../core/policy/policy-set.ts"
import { followed } from "../../operate/followed.ts"
import { outOfSight } from "../../operate/operator.ts"
import type { WhoCanAnswer } from "../analysis.ts"
import { policiesOfUnit } from "../decide-again.ts"
import { html, pathOf, when } from "../html.ts"
import { may } from "../rights.ts"
import { faultNote, type PageLoader, part, sees, type View } from "../view.ts"
import { counted } from "../words.ts"
import { canTable, environmentWords, unitWords } from "./can-table.ts"
import { picture } from "./picture.ts"

/** Units of one page. At the edge, the policies of each are a read of their own. 150 policies of such units take half a second. */
const UNITS_PER_PAGE = 25

/** The other direction: who reaches this connection. By the policies of the units that the broker has served, page by page. */
export const connectionPage: PageLoader = async (view) => {
  const { session, services, query } = view
  const { organisation } = await services.broker.policySource.snapshot()
  const name = query.get("name") ?? ""
  const connection = organisation.connections.get(name)
  const isSeen = may(session, "policies.read") && (session.operator.scope.connections?.includes(name) ?? true)
  if (connection === undefined || !isSeen) throw outOfSight("connection")
  const read = await part("Who reaches it", () => whoReaches(name, view))
  const rows = read.ok ? read.value.can.rows : []
  const ways = rows.map((row) => [
    environmentWords(row) === "none" ? unitWords(row) : `${unitWords(row)} (${environmentWords(row)})`,
    row.grant ?? "a policy of its own",
    row.resource,
    name,
  ])
  const body = html`<h1>${name}</h1>
<p class="lead">Connection to the provider ${connection.provider}, for ${connection.people === true ? "jobs and people" : "jobs"}.</p>
<p class="acts"><a class="button plain" href="${pathOf("/console/search", { connection: name })}">Records through it</a></p>
${faultNote(read)}
<h2>Who can reach it</h2>
${read.ok ? html`<p class="soft">By the policies of ${counted(read.value.units, "unit")} that ${read.value.units === 1 ? "has" : "have"} asked this broker for something, and by those for many units. <code>daypass who-can</code> reads the folder of policies, with units that were never here.</p>` : null}
${when(ways.length > 0, () => picture(`Who can reach ${name}`, ["Unit (environment)", "Grant", "Resource", "Connection"], ways, 3))}
${read.ok ? canTable(read.value.can, { unit: true }) : null}
${read.ok && read.value.next !== null ? html`<p><a class="button plain" href="${pathOf("/console/connection", { name, after: read.value.next })}">Further units</a></p>` : null}`
  return { title: name, body }
}

async function whoReaches(
  connection: string,
  { session, services, query }: View,
): Promise<{ readonly can: WhoCanAnswer; readonly units: number; readonly next: string | null }> {
  const { directory, broker, analysis } = services
  const snapshot = await broker.policySource.snapshot()
  const { organisation, version } = snapshot
  const after = query.get("after") ?? ""
  const { ledgers, next } = await followed(directory).list({
    limit: UNITS_PER_PAGE,
    ...(after === "" ? {} : { after }),
  })
  const seen = ledgers.filter((one) => sees(session, one, organisation, [connection]))
  const sets = await Promise.all(seen.map((one) => policiesOfUnit(one, snapshot)))
  // A policy for many units covers several of them, and is there once.
  const policies = new Map<string, Policy>()
  for (const policy of sets.flatMap((set) => set?.policies ?? [])) {
    if ([...policy.grants.values()].some((grant) => grant.connection.name === connection))
      policies.set(`${policy.origin} ${policy.issuer} ${policy.file}`, policy)
  }
  const can = analysis.whoCan(policySet(version, organisation, [...policies.values()]), { connection })
  return { can, units: seen.length, next }
}
