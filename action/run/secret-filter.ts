import { runnersForms } from "../masks.ts"

/** What a secret becomes, as in the runner's own log. */
const HIDDEN = "***"
const MAX_GRAM = 4

interface Span {
  readonly start: number
  readonly end: number
}

/**
 * Replaces every text that is registered as a mask, and its forms that the runner derives, by `***`. Overlapping texts
 * become one `***`, so that no rest of a longer one stays.
 *
 * Texts here are bytes, one character each (`latin1`): so the output passes through unchanged, whatever its encoding.
 * `masks` is read again for each piece, because a mask can be added while the command runs.
 */
export class SecretFilter {
  readonly #masks: () => ReadonlySet<string>
  #builtFrom = 0
  /** Texts by their first characters. Each position of the output then needs one look-up, however many texts there are. */
  #texts = new Map<string, string[]>()
  #gram = MAX_GRAM
  #longest = 0

  constructor(masks: () => ReadonlySet<string>) {
    this.#masks = masks
  }

  /** Replaces in a text that ends where a line ends. `covered`: as below. */
  replace(text: string, covered = 0): string {
    return this.#hide(text, covered, text.length).shown
  }

  /**
   * Replaces in the beginning of a text that goes on. `covered`: this many of its first characters belong to a secret whose
   * beginning was shown as `***` already. Returns what can be shown, and what must wait for more.
   */
  replaceOpen(text: string, covered: number): { shown: string; rest: string; covered: number } {
    this.#rebuild()
    const limit = characterStart(text, Math.max(0, text.length - Math.max(0, this.#longest - 1)))
    const hidden = this.#hide(text, covered, limit)
    return { shown: hidden.shown, rest: text.slice(limit), covered: Math.max(0, hidden.end - limit) }
  }

  /** Shows `text` up to `limit`. A secret that starts before `limit` is complete in `text`; `end`: where the last one ends. */
  #hide(text: string, covered: number, limit: number): { shown: string; end: number } {
    this.#rebuild()
    let shown = ""
    let at = covered
    let last: Span = { start: 0, end: covered }
    for (const span of this.#spans(text, limit)) {
      if (span.start > last.end || (span.start === last.end && last.end === 0)) {
        shown += text.slice(at, span.start) + HIDDEN
      }
      last = { start: span.start, end: Math.max(last.end, span.end) }
      at = last.end
    }
    return { shown: shown + text.slice(at, Math.max(at, limit)), end: last.end }
  }

  *#spans(text: string, limit: number): Generator<Span> {
    if (this.#texts.size === 0) return
    for (let start = 0; start < limit; start++) {
      const texts = this.#texts.get(text.slice(start, start + this.#gram))
      // Longest first: one that starts at the same place and is shorter hides nothing more.
      const found = texts?.find((one) => text.startsWith(one, start))
      if (found !== undefined) yield { start, end: start + found.length }
    }
  }

  #rebuild(): void {
    const masks = this.#masks()
    if (masks.size === this.#builtFrom) return
    const texts = [...new Set([...masks].flatMap(textsOf))].map((text) => Buffer.from(text, "utf8").toString("latin1"))
    texts.sort((one, other) => other.length - one.length)
    this.#gram = Math.min(MAX_GRAM, ...texts.map(({ length }) => length))
    this.#texts = new Map()
    for (const text of texts) {
      const gram = text.slice(0, this.#gram)
      this.#texts.set(gram, [...(this.#texts.get(gram) ?? []), text])
    }
    this.#longest = texts[0]?.length ?? 0
    this.#builtFrom = masks.size
  }
}

/** A mask and the forms in which the runner hides it, too. PowerShell doubles quotes. */
function textsOf(mask: string): string[] {
  const text = mask.trim()
  return text === "" ? [] : [mask, text, ...runnersForms(text), text.replaceAll("'", "''")]
}

/** The nearest place at or before `at` where no character of UTF-8 is cut in two. */
function characterStart(text: string, at: number): number {
  const back = [0, 1, 2, 3].find((steps) => (text.charCodeAt(at - steps) & 0xc0) !== 0x80) ?? 0
  return Math.max(0, at - back)
}
