/** What a reader does with a page, and how long it takes. */
export interface Pace {
  readonly wordsPerMinute: number
  readonly charactersPerMinute: number
}

/** Slow for both: a second language is read at 200 words a minute, and commands are typed at 150 characters, not pasted. */
export const PACE: Pace = { wordsPerMinute: 200, charactersPerMinute: 150 }

export interface Leg {
  readonly what: string
  readonly words: number
  readonly characters: number
  readonly waitSeconds: number
}

export const secondsOf = ({ words, characters, waitSeconds }: Leg, pace: Pace = PACE): number =>
  (words / pace.wordsPerMinute + characters / pace.charactersPerMinute) * 60 + waitSeconds

/** A page's prose, tables and lists: without code, and without the targets of links. */
export const wordsOf = (markdown: string): number =>
  (
    markdown
      .replace(/^```[\s\S]*?^```$/gm, "")
      .replace(/\]\([^)]*\)/g, "]")
      .match(/[\p{L}\p{N}][\p{L}\p{N}'./:@-]*/gu) ?? []
  ).length

/** All lines that must add up, as a table. */
export function tableOf(legs: readonly Leg[]): string {
  const total: Leg = {
    what: "together",
    words: sum(legs, ({ words }) => words),
    characters: sum(legs, ({ characters }) => characters),
    waitSeconds: sum(legs, ({ waitSeconds }) => waitSeconds),
  }
  const rows = [...legs, total].map((leg) => [
    leg.what.padEnd(44),
    String(leg.words).padStart(6),
    String(leg.characters).padStart(6),
    String(Math.round(leg.waitSeconds)).padStart(6),
    clock(secondsOf(leg)).padStart(7),
  ])
  const head = ["what".padEnd(44), " words", "  typed".slice(1), "wait s".padStart(6), "min:s".padStart(7)]
  return [head, ...rows].map((cells) => cells.join(" ")).join("\n")
}

const sum = <Item>(items: readonly Item[], of: (item: Item) => number) => items.reduce((all, item) => all + of(item), 0)

const clock = (seconds: number) => `${Math.floor(seconds / 60)}:${String(Math.round(seconds) % 60).padStart(2, "0")}`
