import { commandsStoppedWith, registeredMasks, writeToLog } from "../runner.ts"
import { ChildCommands, mayHoldCommand } from "./child-commands.ts"
import { SecretFilter } from "./secret-filter.ts"

/** A longer line is shown in pieces: a program that never ends its line must not fill the memory. */
const MAX_LINE_BYTES = 1024 * 1024
const CONTINUED = "[...] "

type Write = (bytes: Uint8Array) => Promise<void>

/** Where the command's output goes. */
export interface OutputTo {
  readonly stdout: Write
  readonly stderr: Write
  /** False where nothing reads GitHub's workflow commands: their lines are then lines like any other. */
  readonly hasCommands: boolean
}

/**
 * A step's: both streams of the command become one, because the runner reads both alike, and their order decides what a stop
 * of commands covers.
 */
const TO_LOG: OutputTo = { stdout: writeToLog, stderr: writeToLog, hasCommands: true }

/**
 * Passes the command's output on, in whole lines and with every secret replaced. Works on bytes, one character each, so that a
 * write that ends inside of a character changes nothing.
 */
export class ChildOutput {
  readonly #filter = new SecretFilter(registeredMasks)
  readonly #commands = new ChildCommands()
  readonly #to: OutputTo

  constructor(to: OutputTo = TO_LOG) {
    this.#to = to
  }

  /** A new stream of the command. */
  stream(name: "stdout" | "stderr"): ChildStream {
    const write = (text: string) => writeWith(this.#to[name], text)
    return new ChildStream(this.#filter, (text) => this.#writeLines(text, write), write)
  }

  /** Ends a stop of commands that the command left behind, so that the runner takes this step's masks again. */
  async end(): Promise<void> {
    const { stopToken } = this.#commands
    if (stopToken === null) return
    commandsStoppedWith(null)
    await writeWith(this.#to.stderr, `::${stopToken}::\n`)
  }

  #writeLines(text: string, write: (text: string) => Promise<void>): Promise<void> {
    if (!this.#to.hasCommands || !mayHoldCommand(text)) return write(this.#filter.replace(text))
    const lines = text.match(/[^\r\n]*(?:\r\n|\r|\n)/g) ?? []
    const written = lines.map((line) => {
      const shown = this.#filter.replace(line)
      const use = this.#commands.read(line, shown)
      commandsStoppedWith(this.#commands.stopToken)
      if (use === "mask") return line
      return use === "text" ? shown : `${use.instead}\n`
    })
    return write(written.join(""))
  }
}

/** Cuts one stream into lines. */
class ChildStream {
  readonly #filter: SecretFilter
  readonly #writeLines: (text: string) => Promise<void>
  readonly #write: (text: string) => Promise<void>
  #held = ""
  #endsWithCr = false
  #covered = 0
  #isContinued = false
  /** The rest of a workflow command that was longer than a line may be. In pieces, it would be logged as text. */
  #isDropping = false

  constructor(
    filter: SecretFilter,
    writeLines: (text: string) => Promise<void>,
    writePiece: (text: string) => Promise<void>,
  ) {
    this.#filter = filter
    this.#writeLines = writeLines
    this.#write = writePiece
  }

  /** Takes what the command wrote. Resolves when more can be taken. */
  async push(chunk: Buffer): Promise<void> {
    const text = chunk.toString("latin1")
    const end = lastLineEnd(text, this.#endsWithCr)
    this.#endsWithCr = text.endsWith("\r")
    const lines = end === null ? "" : this.#held + text.slice(0, end)
    this.#held = end === null ? this.#held + text : text.slice(end)
    if (lines !== "") await this.#takeLines(lines)
    if (this.#held.length > MAX_LINE_BYTES) await this.#takePiece()
  }

  /** Takes the end of the stream. A last line without an end gets one, so that the step's own commands start a line. */
  async end(): Promise<void> {
    if (this.#held !== "" || this.#isContinued)
      await this.#takeLines(/[\r\n]$/.test(this.#held) ? this.#held : `${this.#held}\n`)
    this.#held = ""
  }

  async #takeLines(lines: string): Promise<void> {
    if (!this.#isContinued && !this.#isDropping) return await this.#writeLines(lines)
    const firstEnd = lines.search(/[\r\n]/) + 1
    if (this.#isContinued) {
      await this.#write(CONTINUED + this.#filter.replace(lines.slice(0, firstEnd), this.#covered))
    }
    this.#isContinued = false
    this.#isDropping = false
    this.#covered = 0
    if (firstEnd < lines.length) await this.#writeLines(lines.slice(firstEnd))
  }

  async #takePiece(): Promise<void> {
    if (this.#isDropping) {
      this.#held = ""
      return
    }
    if (!this.#isContinued && /^[^!-~]*::[a-z-]+|##\[[a-z-]+/.test(this.#held)) {
      this.#held = ""
      this.#isDropping = true
      return await this.#write("(Daypass left out a workflow command of more than 1 MiB.)\n")
    }
    const { shown, rest, covered } = this.#filter.replaceOpen(this.#held, this.#covered)
    await this.#write(`${this.#isContinued ? CONTINUED : ""}${shown}\n`)
    this.#held = rest
    this.#covered = covered
    this.#isContinued = true
  }
}

/**
 * Where the last line of a text ends; null when no line ends there. 0: the CR before this text was a line end. A CR at the
 * end waits for the next text, because it can be half of a line end.
 */
function lastLineEnd(text: string, followsCr: boolean): number | null {
  const known = text.endsWith("\r") ? text.slice(0, -1) : text
  const end = Math.max(known.lastIndexOf("\n"), known.lastIndexOf("\r")) + 1
  return end > 0 || (followsCr && text !== "") ? end : null
}

const writeWith = (write: Write, text: string) => (text === "" ? Promise.resolve() : write(Buffer.from(text, "latin1")))
