export const SPACE = 0x20
export const HASH = 0x23
const LINE_FEED = 0x0a

/** The indent after the last line: less than any other, so that every map and list ends there. */
const OVER = -1

/** A text, and the place in it up to which it was read. Stands at the first character of a line that is no comment. */
export class YamlLines {
  readonly text: string
  at = 0
  /** The column of the map or list that begins here. */
  indent = OVER
  #line = 0
  #start = 0

  constructor(text: string) {
    this.text = text
    this.#toContent(0)
  }

  isOver(): boolean {
    return this.indent === OVER
  }

  position(): { line: number; column: number } {
    return { line: this.#line, column: this.at - this.#start + 1 }
  }

  code(): number {
    return this.text.charCodeAt(this.at)
  }

  skipSpaces(): void {
    while (this.code() === SPACE) this.at += 1
  }

  /** What a sticky expression matches here, or null; goes behind it. */
  take(expression: RegExp): string | null {
    expression.lastIndex = this.at
    const [found = null] = expression.exec(this.text) ?? []
    if (found !== null) this.at += found.length
    return found
  }

  /** Goes behind the mark of a list's item, and takes what follows for a line of its own. */
  enterItem(): void {
    this.at += 1
    this.skipSpaces()
    this.indent = this.at - this.#start
  }

  /** Whether nothing but a comment follows in this line. */
  isEnd(): boolean {
    const before = this.at
    this.skipSpaces()
    const code = this.code()
    return Number.isNaN(code) || code === LINE_FEED || (code === HASH && this.at > before)
  }

  /** Goes to the next line with content. */
  next(): void {
    const feed = this.text.indexOf("\n", this.at)
    this.#toContent(feed === -1 ? this.text.length : feed + 1)
  }

  #toContent(start: number): void {
    for (let from = start; from < this.text.length; ) {
      this.#line += 1
      this.#start = from
      this.at = from
      this.skipSpaces()
      const code = this.code()
      if (code !== LINE_FEED && code !== HASH && !Number.isNaN(code)) {
        this.indent = this.at - from
        return
      }
      const feed = this.text.indexOf("\n", this.at)
      from = feed === -1 ? this.text.length : feed + 1
    }
    this.indent = OVER
  }
}
