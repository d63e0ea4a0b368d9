import { type Ask, type CliIo, Interrupted } from "./io.ts"

// Loaded with the first question: no other command needs a prompt.
const text = async () => (await import("@inquirer/input")).default
const select = async () => (await import("@inquirer/select")).default
const confirm = async () => (await import("@inquirer/confirm")).default

const CONTEXT = { output: process.stderr }

/** Asks where a person can answer. Questions are written to standard error, so that a result can be sent to a file. */
export const askOfProcess = (): Pick<CliIo, "ask"> =>
  process.stdin.isTTY && process.stderr.isTTY ? { ask: terminalAsk } : {}

/** Asks on the terminal of this process. A choice takes the arrow keys or its number. */
const terminalAsk: Ask = {
  async text({ message, initial, check }) {
    const validate = (answer: string) => check(answer.trim()) ?? true
    const prompt = await text()
    return (
      await answered(
        prompt({ message, validate, ...(initial === undefined ? {} : { default: initial, prefill: "tab" }) }, CONTEXT),
      )
    ).trim()
  },
  async choose({ message, choices }) {
    const prompt = await select()
    return await answered(prompt({ message, choices, loop: false, theme: NUMBERED }, CONTEXT))
  },
  async confirm({ message, initial }) {
    const prompt = await confirm()
    return await answered(prompt({ message, default: initial }, CONTEXT))
  },
}

const NUMBERED = { indexMode: "number" } as const

async function answered<Value>(answer: Promise<Value>): Promise<Value> {
  try {
    return await answer
  } catch (error) {
    // Ctrl-C, or a terminal that was closed. Everything else is a bug.
    if (error instanceof Error && /^(?:ExitPromptError|AbortPromptError)$/.test(error.name)) throw new Interrupted()
    throw error
  }
}
