import { formatDuration } from "../../core/duration.ts"
import type { CanRow, WhoCanAnswer } from "../analysis.ts"
import { type Html, html, pathOf, type Shown } from "../html.ts"
import { note, scroll } from "../view.ts"

/** Jobs of a row, in words: `acme/shop`, `any of acme/*`. */
export const unitWords = ({ subject, only }: CanRow): string =>
  only ?? subject.unit ?? subject.unitId ?? `any unit of ${subject.issuer}`

export const environmentWords = ({ subject: { environment } }: CanRow): string =>
  environment === undefined ? "any or none" : (environment ?? "none")

/** Who can get what, in words, as `daypass who-can` prints it. */
export function canTable(
  { rows, unknown }: WhoCanAnswer,
  columns: { readonly unit: boolean; readonly used?: (row: CanRow) => Shown },
): Html {
  const table = html`<table><thead><tr>${columns.unit ? html`<th scope="col">Unit</th>` : null}<th scope="col">Grant</th><th scope="col">Environment</th><th scope="col">Gives</th><th scope="col">If</th>${columns.used ? html`<th scope="col">Last used</th>` : null}</tr></thead>
<tbody>${rows.map(
    (row) =>
      html`<tr>${columns.unit ? html`<th scope="row">${unitWords(row)}</th>` : null}<th scope="row">${row.grant ?? "a policy of its own"}<br><span class="soft">${row.ttlSeconds === null ? "" : `for ${formatDuration(row.ttlSeconds)}`}</span></th><td>${environmentWords(row)}</td><td><code>${row.resource}</code><br><span class="soft">through <a href="${pathOf("/console/connection", { name: row.connection })}">${row.connection}</a></span></td><td>${conditions(row.conditions)}${demands(row)}<br><span class="soft">“${row.place.name}”, ${row.place.file}:${row.place.line}</span></td>${columns.used ? html`<td>${columns.used(row)}</td>` : null}</tr>
`,
  )}</tbody></table>`
  return html`${unknown.map(({ grant, reason }) => note("warn", `Some jobs may get ${grant ?? "more"}: it is unknown, because ${reason}`))}${
    rows.length === 0 ? html`<p class="soft">No job can get anything.</p>` : scroll("Who can get what", table)
  }`
}

/** What else must be so: no deny matches, the boundaries' requirements are met, the environment is protected. */
const demands = ({ unless, within, protectedEnvironment }: CanRow): readonly Html[] => [
  ...unless.map((one) => html`<br>unless ${one.conditions.length === 0 ? "always" : conditions(one.conditions)}`),
  ...within
    .filter(({ require }) => require.length > 0)
    .map(({ name, require }) => html`<br>and ${conditions(require)} <span class="soft">(boundary “${name}”)</span>`),
  ...[...protectedEnvironment, ...within.flatMap((one) => one.protectedEnvironment ?? [])].map(
    (demand) => html`<br>and the environment has ${demand}`,
  ),
]

const conditions = (of: CanRow["conditions"]): Shown =>
  of.length === 0
    ? "no condition"
    : of.map(({ claim, expected }, at) => html`${at > 0 ? "; " : ""}${claim}: <code>${expected}</code>`)
