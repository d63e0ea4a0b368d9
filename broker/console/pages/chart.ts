import type { HourCount } from "../../ports/record-index.ts"
import { type Html, html } from "../html.ts"
import { scroll } from "../view.ts"

const HOUR_MS = 3_600_000
export const CHART_HOURS = 48

const [WIDTH, HEIGHT, LEFT, BOTTOM] = [960, 200, 44, 24]
const STEP = (WIDTH - LEFT) / CHART_HOURS
const TOP = 10

interface Bar {
  /** Unix milliseconds. */
  readonly hour: number
  readonly granted: number
  readonly refused: number
}

/** The bars of the last hours, oldest first. An hour without records has an empty one. */
export function barsOf(hours: readonly HourCount[], now: number): readonly Bar[] {
  const last = Math.floor(now / HOUR_MS) * HOUR_MS
  const known = new Map(hours.map((one) => [one.hour, one.events]))
  return Array.from({ length: CHART_HOURS }, (_, index) => {
    const hour = last - (CHART_HOURS - 1 - index) * HOUR_MS
    const events = known.get(hour) ?? {}
    const refused = (events["exchange.denied"] ?? 0) + (events["exchange.failed"] ?? 0)
    return { hour, granted: events["exchange.minted"] ?? 0, refused }
  })
}

/** Exchanges by hour: what was granted, and on top of it what was not. The table says the same for those who see no picture. */
export function chart(bars: readonly Bar[]): Html {
  const most = Math.max(4, ...bars.map(({ granted, refused }) => granted + refused))
  const top = roundUp(most)
  const height = (count: number) => ((HEIGHT - BOTTOM - TOP) * count) / top
  const base = HEIGHT - BOTTOM
  const lines = [0, top / 2, top].map((count) => {
    const y = round(base - height(count))
    return html`<line class="axis" x1="${LEFT}" x2="${WIDTH}" y1="${y}" y2="${y}"/><text x="${LEFT - 8}" y="${y + 4}" text-anchor="end">${count.toLocaleString("en")}</text>`
  })
  const columns = bars.map(({ hour, granted, refused }, index) => {
    const x = round(LEFT + index * STEP + 2)
    const [low, high] = [height(granted), height(refused)]
    const clock = new Date(hour).toISOString().slice(11, 16)
    const label = clock === "00:00" ? dayOf(hour) : clock
    const isLabelled = new Date(hour).getUTCHours() % 6 === 0
    return html`${bar("good", x, base - low, low)}${bar("bad", x, base - low - high, high)}${
      isLabelled
        ? html`<text x="${round(x + STEP / 2 - 2)}" y="${HEIGHT - 6}" text-anchor="middle">${label}</text>`
        : null
    }`
  })
  const busy = bars.filter(({ granted, refused }) => granted + refused > 0).reverse()
  return html`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="chart-title chart-text">
<title id="chart-title">Exchanges by hour</title>
<desc id="chart-text">The last ${CHART_HOURS} hours: ${sum(bars, "granted")} granted, ${sum(bars, "refused")} denied or failed. The table below has all numbers.</desc>
${lines}${columns}</svg>
<p class="legend"><span>granted</span><span>denied or failed</span></p>
<details><summary>As a table</summary>${scroll(
    "Exchanges by hour",
    html`<table><thead><tr><th scope="col">Hour</th><th scope="col" class="number">Granted</th><th scope="col" class="number">Denied or failed</th></tr></thead>
<tbody>${busy.map(
      ({ hour, granted, refused }) =>
        html`<tr><td class="when">${dayOf(hour)}, ${new Date(hour).toISOString().slice(11, 16)}</td><td class="number">${granted}</td><td class="number">${refused}</td></tr>`,
    )}</tbody></table>`,
  )}</details>`
}

const bar = (tone: "good" | "bad", x: number, y: number, height: number): Html | null =>
  height === 0
    ? null
    : html`<rect class="${tone}" x="${x}" y="${round(y)}" width="${round(STEP - 4)}" height="${round(height)}"/>`

export const sum = (bars: readonly Bar[], of: "granted" | "refused"): number =>
  bars.reduce((all, bar) => all + bar[of], 0)

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

const dayOf = (at: number): string => `${new Date(at).getUTCDate()} ${MONTHS[new Date(at).getUTCMonth()]}`

const round = (value: number) => Math.round(value * 10) / 10

/** The next number that is even and has one digit before its zeros. */
function roundUp(count: number): number {
  const digit = 10 ** Math.floor(Math.log10(count))
  return Math.max(
    2,
    ...[2, 4, 6, 8, 10]
      .filter((step) => step * digit >= count)
      .slice(0, 1)
      .map((step) => step * digit),
  )
}
