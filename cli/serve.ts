import { POLICY_FOLDER } from "./commands/shared.ts"
import type { Command } from "./io.ts"

/** The broker is a bundle of its own: it needs Node 24, and the other commands must not load what it loads. */
const BROKER = import.meta.url.endsWith(".ts") ? "../broker/entry/serve.ts" : "../../broker/dist/serve.js"

/**
 * `daypass serve`: the broker on Node. It verifies its options itself, writes its log to standard output, and ends the process;
 * so this never resolves.
 */
export const run: Command = async ({ options }) => {
  const broker: { serve(args: readonly string[]): Promise<void> } = await import(BROKER)
  const given = Object.entries({ policies: POLICY_FOLDER, ...options })
  await broker.serve(given.map(([name, value]) => `--${name}=${String(value)}`))
  return await new Promise(() => {})
}
