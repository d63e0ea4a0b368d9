/** What becomes of one line of the command's output. */
export type LineUse =
  /** Shown, with secrets replaced. */
  | "text"
  /** Passed to the runner as it is: a mask whose text were replaced would hide nothing. */
  | "mask"
  /** Not passed on. */
  | { readonly instead: string }

const NAMES =
  "add-mask add-matcher add-path debug echo endgroup error group notice pause-logging remove-matcher save-state set-env set-output stop-commands warning internal-set-repo-path"
const RUNNERS_COMMANDS: ReadonlySet<string> = new Set(NAMES.split(" "))
/** A token that the runner finds again as a command's name: without a space, `::` or `]`. */
const USABLE_TOKEN = /^[!-$&-9;-Z^-~]{1,512}$/

/**
 * Follows the workflow commands in the command's output, as the runner reads them (ActionCommand.cs,
 * ActionCommandManager.cs): at the start of a line `::name properties::data`, and anywhere in a line `##[name properties]data`.
 *
 * After `::stop-commands::TOKEN` the runner ignores every command, also this action's masks, until `::TOKEN::`. So a token
 * that cannot be written as a command is not passed on, and neither is `save-state`: the state belongs to this action's
 * post step, which revokes with it.
 */
export class ChildCommands {
  /** The token with which the command stopped the runner's commands; null while they work. */
  stopToken: string | null = null

  /** `line`: one character a byte, with or without its line end. `shown`: the same line with secrets replaced. */
  read(line: string, shown: string): LineUse {
    const command = parseCommand(line, this.stopToken)
    if (command === null) return "text"
    if (this.stopToken !== null) {
      if (command.name === this.stopToken.toLowerCase()) this.stopToken = null
      return "text"
    }
    if (command.name === "add-mask") return "mask"
    if (command.name === "save-state")
      return { instead: "(Daypass does not pass on save-state: the state is its own.)" }
    if (command.name !== "stop-commands") return "text"
    if (shown !== line || !USABLE_TOKEN.test(command.data) || RUNNERS_COMMANDS.has(command.data.toLowerCase())) {
      return { instead: "(Daypass does not pass on stop-commands with a token that cannot end it.)" }
    }
    this.stopToken = command.data
    return "text"
  }
}

interface Command {
  readonly name: string
  readonly data: string
}

/** True when the runner could read a command in this text. */
export function mayHoldCommand(text: string): boolean {
  return text.includes("::") || text.includes("##[")
}

function parseCommand(line: string, stopToken: string | null): Command | null {
  if (!mayHoldCommand(line)) return null
  const text = line.replace(/[\r\n]+$/, "")
  // Blank characters beyond ASCII count as well: the runner trims them.
  const plain = /^[^!-~]*::([^ ]*?)(?: .*?)?::(.*)$/.exec(text)
  const old = /##\[([^ \]]*)[^\]]*\](.*)$/.exec(text)
  for (const match of [plain, old]) {
    const name = match?.[1]?.toLowerCase() ?? ""
    const isKnown = RUNNERS_COMMANDS.has(name) || name === stopToken?.toLowerCase()
    if (isKnown) return { name, data: unescaped(match?.[2] ?? "") }
  }
  return null
}

const unescaped = (data: string) => data.replaceAll("%0D", "\r").replaceAll("%0A", "\n").replaceAll("%25", "%")
