import { formatDuration } from "../../core/duration.ts"
import type { CanRow, WhoCanAnswer } from "../analysis.ts"
import { type Html, html, pathOf, type Shown } from "../html.ts"
import { note, scroll } from "../view.ts"

/** Jobs of a row, in words: `acme/shop`, `any of acme/*`. */
export const unitWords = ({ subject, only }: CanRow): string =>
  only ?? subject.unit ?? subject.unitId ?? `any unit of ${subject.issuer}`

export const environmentWords = ({ subject: { environment } }: CanRow): string =>
  environment === undefined ? "any or none" : (environment ?? "none")

/** Who can get what, in words, as `daypass who-can` prints it. `further` adds cells to the end of each row. */
export function canTable(
  { rows, unknown }: WhoCanAnswer,
  first: { readonly head: string; of(row: CanRow): Shown },
  last?: { readonly head: string; of(row: CanRow): Shown },
): Html {
  const table = html`<table><thead><tr><th scope="col">${first.head}</th><th scope="col">Environment</th><th scope="col">Grant</th><th scope="col">Gives</th><th scope="col">If</th>${last ? html`<th scope="col">${last.head}</th>` : null}</tr></thead>
<tbody>${rows.map(
    (row) =>
      html`<tr><th scope="row">${first.of(row)}</th><td>${environmentWords(row)}</td><td>${row.grant ?? "a policy of its own"}<br><span class="soft">${row.ttlSeconds === null ? "" : formatDuration(row.ttlSeconds)}</span></td><td><code>${row.resource}</code><br><span class="soft">through <a href="${pathOf("/console/connection", { name: row.connection })}">${row.connection}</a></span></td><td>${conditions(row.conditions)}${row.unless.map((one) => html`<br>unless ${one.conditions.length === 0 ? "always" : conditions(one.conditions)}`)}<br><span class="soft">“${row.place.name}”, ${row.place.file}:${row.place.line}</span></td>${last ? html`<td>${last.of(row)}</td>` : null}</tr>
`,
  )}</tbody></table>`
  return html`${unknown.map(({ grant, reason }) => note("warn", `Some jobs may get ${grant ?? "more"}: it is unknown, because ${reason}`))}${
    rows.length === 0 ? html`<p class="soft">No job can get anything.</p>` : scroll("Who can get what", table)
  }`
}

const conditions = (of: CanRow["conditions"]): Shown =>
  of.length === 0
    ? "no condition"
    : of.map(({ claim, expected }, at) => html`${at > 0 ? "; " : ""}${claim}: <code>${expected}</code>`)
