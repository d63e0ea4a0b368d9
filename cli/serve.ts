import type { Command } from "./io.ts"

/** The broker is a bundle of its own: it needs Node 24, and the other commands must not load what it loads. */
const BROKER = import.meta.url.endsWith(".ts") ? "../broker/entry/serve.ts" : "../../broker/dist/serve.js"

/**
 * `daypass serve`: the broker on Node. It writes its log to standard output, and ends the process; so this never resolves.
 */
export const run: Command = async ({ options }) => {
  const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`)
  const broker: { serve(args: readonly string[]): Promise<void> } = await import(BROKER)
  await broker.serve(args)
  return await new Promise(() => {})
}
