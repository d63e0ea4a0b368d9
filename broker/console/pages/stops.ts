import { type Stop, scopeText } from "../../core/stops.ts"
import { NO_DIRECTORY } from "../../operate/followed.ts"
import { stopsSeen } from "../../operate/stop-scope.ts"
import { storedStops } from "../../operate/stops.ts"
import { STOP_IN_FORCE_SECONDS, STOP_KINDS } from "../../wire/stops.ts"
import { type Html, html } from "../html.ts"
import { may } from "../rights.ts"
import type { Session } from "../session.ts"
import { faultNote, note, type PageLoader, part, type View } from "../view.ts"
import { time } from "../words.ts"

const DONE: Readonly<Record<string, string>> = {
  ordered: `The stop is ordered. It is in force everywhere within ${STOP_IN_FORCE_SECONDS} seconds.`,
  lifted: `The stop is lifted. Jobs get what they ask for again within ${STOP_IN_FORCE_SECONDS} seconds.`,
}

/** What is stopped, the form that stops more, and a form beside each stop that lifts it. */
export const stopsPage: PageLoader = async (view) => {
  const { session, query } = view
  const read = await part("The stops", () => stopsOf(view))
  const done = query.get("done") ?? ""
  const mayStop = may(session, "stop")
  const body = html`<h1>Stops</h1>
<p class="lead">A stop refuses exchanges for a part of the deployment until somebody lifts it. Jobs read the reason.</p>
${Object.hasOwn(DONE, done) ? note("good", DONE[done] ?? "") : null}${faultNote(read)}
${read.ok && read.value.length === 0 ? html`<p>Nothing is stopped.</p>` : null}
${read.ok ? read.value.map((stop, at) => card(stop, at, mayStop ? session : null)) : null}
${mayStop ? orderForm(session) : null}`
  return { title: "Stops", body }
}

/** The stops in force that the session's scope covers. */
export async function stopsOf({ session, services }: Pick<View, "session" | "services">): Promise<readonly Stop[]> {
  const { broker, directory = NO_DIRECTORY } = services
  const { organisation } = await broker.policySource.snapshot()
  return await stopsSeen(await storedStops(services), session.operator.scope, { organisation, directory })
}

const card = (stop: Stop, at: number, session: Session | null): Html =>
  html`<section class="card"><h2>${scopeText(stop)}</h2><dl><dt>reason</dt><dd>${stop.reason}</dd><dt>ordered</dt><dd>${time(stop.at)} by ${stop.by}</dd><dt>ends</dt><dd>${stop.until === null ? "when somebody lifts it" : time(stop.until)}</dd></dl>
${session === null ? null : html`<form method="post" action="/console/stops/lift"><input type="hidden" name="form" value="${session.form}"><input type="hidden" name="stop" value="${scopeText(stop)} ${stop.at}"><div class="acts low"><div><label for="why-${at}">Why it is over</label><input id="why-${at}" name="reason" required maxlength="300" autocomplete="off"></div><button class="plain">Lift this stop</button></div></form>`}</section>
`

const KIND_WORDS: Readonly<Record<(typeof STOP_KINDS)[number], string>> = {
  all: "everything",
  issuer: "an issuer",
  owner: "an owner",
  unit: "a unit",
  connection: "a connection",
  grant: "a grant",
}

const orderForm = ({ form }: Session): Html => html`<h2>Stop something</h2>
<form class="card" method="post" action="/console/stops/order"><input type="hidden" name="form" value="${form}">
<div class="fields"><div><label for="on">What</label><select id="on" name="on" required><option value="">Choose</option>${[
  ...STOP_KINDS,
]
  .reverse()
  .map((kind) => html`<option value="${kind}">${KIND_WORDS[kind]}</option>`)}</select></div>
<div><label for="name">Its name</label><input id="name" name="name" maxlength="300" autocomplete="off" spellcheck="false" aria-describedby="name-help"></div>
<div><label for="unit">Of a grant: only for the unit</label><input id="unit" name="unit" maxlength="300" autocomplete="off" spellcheck="false"></div>
<div><label for="for">For how long</label><input id="for" name="for" maxlength="20" placeholder="2h, or until it is lifted" autocomplete="off"></div>
<div class="wide"><label for="reason">Why. Every job that is refused reads it</label><input id="reason" name="reason" required maxlength="300" autocomplete="off"></div></div>
<p class="soft" id="name-help">Connections, grants and issuers by their name; owners and units as <code>ISSUER:ID</code> or <code>ISSUER:NAME</code>, such as <code>github:acme/shop</code>. Everything needs no name.</p>
<div class="acts"><button class="danger">Stop it</button><span class="soft">What jobs hold already stays with them: end it on the page of its lease, or all of it with <code>daypass stop … --revoke</code>.</span></div></form>`
