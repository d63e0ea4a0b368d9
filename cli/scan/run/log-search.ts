import type { Place, Searcher } from "../../../action/sweep/reader.ts"
import { textsIn, valuesIn } from "./candidates.ts"
import type { Fingerprints, Issued } from "./fingerprints.ts"

/** A value in one log. `line`: 1-based, its first one. `form`: how it is written there; empty for as it is. */
export interface FoundInLog {
  readonly issued: Issued
  readonly line: number
  readonly form: string
}

/** GitHub's own limit for a line is lower. Of a longer line the beginning is searched. */
const MAX_LINE_CHARACTERS = 1024 * 1024
/** A token or a text in base64 that is broken into lines, such as those of `base64` and of PEM files. */
const WRAPPED = /^[A-Za-z0-9+/_.=-]{40,128}$/
const WRAPPED_END = /^[A-Za-z0-9+/_.=-]{1,128}$/
const MAX_WRAPPED_CHARACTERS = 64 * 1024
/** The time that GitHub writes before each line. */
const TIME = /^\ufeff?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z /
// biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control sequences.
const COLOUR = /\u001b\[[0-9;?]*[ -/]*[@-~]/g

/** Looks for the values of a run in its logs. Holds one line, or the lines of one broken text. */
export class LogSearch implements Searcher<FoundInLog> {
  readonly #fingerprints: Fingerprints
  #decoder = new TextDecoder()
  #place: Place | null = null
  #line = 0
  #rest = ""
  #wrapped: { readonly lines: string[]; readonly from: number; size: number } | null = null
  #found = new Map<string, FoundInLog>()
  #lines = 0
  #cut = 0

  constructor(fingerprints: Fingerprints) {
    this.#fingerprints = fingerprints
  }

  /** Of all logs. `cut`: how many were too long to be searched to their ends. */
  get lines(): { readonly searched: number; readonly cut: number } {
    return { searched: this.#lines, cut: this.#cut }
  }

  begin(place: Place): void {
    this.#place = place
    this.#decoder = new TextDecoder()
    this.#line = 0
    this.#rest = ""
    this.#wrapped = null
    this.#found = new Map()
  }

  /** @throws {Unread} `time` */
  push(chunk: Uint8Array): void {
    this.#place?.budget.check()
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split("\n")
    this.#rest = lines.pop() ?? ""
    for (const line of lines) this.#search(line)
    // The rest of such a line is passed over, but for as much as arrives with one chunk.
    if (this.#rest.length > 2 * MAX_LINE_CHARACTERS) this.#rest = this.#rest.slice(0, MAX_LINE_CHARACTERS + 1)
  }

  end(): readonly FoundInLog[] {
    if (this.#rest !== "") this.#search(this.#rest)
    this.#rest = ""
    this.#endWrapped()
    return [...this.#found.values()]
  }

  soFar(): readonly FoundInLog[] {
    return this.end()
  }

  #search(written: string): void {
    this.#line++
    this.#lines++
    if (written.length > MAX_LINE_CHARACTERS) this.#cut++
    const line = written.slice(0, MAX_LINE_CHARACTERS).replace(TIME, "").replace(COLOUR, "").trimEnd()
    this.#look(line, this.#line, "")
    this.#wrap(line.trim())
  }

  /** Puts lines together that look like one text, and looks at the whole when it ends. */
  #wrap(line: string): void {
    const [first] = this.#wrapped?.lines ?? []
    if (this.#wrapped !== null && first !== undefined && this.#wrapped.size < MAX_WRAPPED_CHARACTERS) {
      const isSame = line.length === first.length && WRAPPED.test(line)
      if (isSame || (line.length < first.length && WRAPPED_END.test(line))) {
        this.#wrapped.lines.push(line)
        this.#wrapped.size += line.length
        if (!isSame) this.#endWrapped()
        return
      }
    }
    this.#endWrapped()
    if (WRAPPED.test(line)) this.#wrapped = { lines: [line], from: this.#line, size: line.length }
  }

  #endWrapped(): void {
    const wrapped = this.#wrapped
    this.#wrapped = null
    if (wrapped !== null && wrapped.lines.length > 1)
      this.#look(wrapped.lines.join(""), wrapped.from, "broken into lines")
  }

  #look(line: string, at: number, how: string): void {
    for (const { text, form } of textsIn(line, how)) {
      for (const issued of this.#fingerprints.idsIn(text)) this.#note(issued, at, form)
      for (const value of valuesIn(text)) {
        for (const issued of this.#fingerprints.whole(value)) this.#note(issued, at, form)
      }
    }
  }

  /** The first place of each value in a log. */
  #note(issued: Issued, line: number, form: string): void {
    const key = `${issued.lease}\n${issued.grant}\n${issued.name}`
    if (!this.#found.has(key)) this.#found.set(key, { issued, line, form })
  }
}
