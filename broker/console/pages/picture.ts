import { type Html, html, when } from "../html.ts"
import { cut } from "../words.ts"

/** One way from a unit to a resource: a text for each column. */
export type Way = readonly string[]

const [COLUMN, BOX, ROW, HEAD, TALL] = [240, 190, 38, 30, 26]
const MOST_WAYS = 40
/** That fit into a box. */
const CHARACTERS = 22

/**
 * Draws who reaches what, from left to right: one column for each step. What several ways share is one box. The table beside it says
 * the same in words.
 *
 * @param key the column whose boxes the page is about
 */
export function picture(title: string, heads: readonly string[], ways: readonly Way[], key: number): Html {
  const shown = ways.slice(0, MOST_WAYS)
  const columns = heads.map((_, at) => [...new Set(shown.map((way) => way[at] ?? ""))])
  const rows = Math.max(1, ...columns.map(({ length }) => length))
  const height = HEAD + rows * ROW + 4
  const width = COLUMN * (heads.length - 1) + BOX + 4
  /** The middle of a box. Short columns stand in the middle of long ones. */
  const yOf = (column: number, name: string): number => {
    const names = columns[column] ?? []
    const above = ((rows - names.length) * ROW) / 2
    return HEAD + above + names.indexOf(name) * ROW + TALL / 2
  }
  const edges = new Map<string, Html>()
  for (const way of shown) {
    for (let at = 0; at < heads.length - 1; at++) {
      const [from = "", to = ""] = [way[at], way[at + 1]]
      const [y1, y2] = [yOf(at, from), yOf(at + 1, to)]
      const [x1, x2] = [at * COLUMN + BOX + 2, (at + 1) * COLUMN + 2]
      const middle = (x1 + x2) / 2
      edges.set(
        `${at} ${from}\n${to}`,
        html`<path class="edge" d="M${x1} ${y1} C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}"/>`,
      )
    }
  }
  const boxes = columns.map((names, at) =>
    names.map((name) => {
      const y = yOf(at, name) - TALL / 2
      return html`<g><title>${name}</title><rect class="box ${at === key ? "key" : ""}" x="${at * COLUMN + 2}" y="${y}" width="${BOX}" height="${TALL}" rx="5"/><text class="label" x="${at * COLUMN + 12}" y="${y + 17}">${short(name)}</text></g>`
    }),
  )
  const more = when(
    ways.length > MOST_WAYS,
    () => html`<p class="soft">The picture shows ${MOST_WAYS} of ${ways.length} ways. The table has all.</p>`,
  )
  return html`<div class="scroll" role="region" aria-label="Picture: ${title}" tabindex="0"><div class="picture"><svg viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="picture-title picture-text">
<title id="picture-title">${title}</title><desc id="picture-text">${ways.length} ways, each from ${heads.join(" to ")}. The table below has them in words.</desc>
${heads.map((head, at) => html`<text class="head" x="${at * COLUMN + 4}" y="14">${head}</text>`)}${[...edges.values()]}${boxes}</svg></div></div>${more}`
}

/** The end of a resource tells more than its beginning: all roles of an account begin alike. */
const short = (text: string): string =>
  text.length > CHARACTERS && /^\S*[:/]\S*$/.test(text) ? `…${text.slice(-(CHARACTERS - 1))}` : cut(text, CHARACTERS)
