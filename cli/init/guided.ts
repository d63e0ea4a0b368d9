import { setTimeout as sleep } from "node:timers/promises"
import { ownSight } from "../doctor/sight.ts"
import { inert } from "../inert.ts"
import { type CliIo, EXIT, Interrupted } from "../io.ts"
import { openBrowser } from "../login/browser.ts"
import { installedWrangler } from "../push/wrangler.ts"
import type { Desk, GuidedOptions, Tools } from "./desk.ts"
import { Interview } from "./interview.ts"
import { Refusal } from "./refusal.ts"
import { setUp } from "./set-up.ts"

/** As shells have it for a program that SIGINT ended. */
const EXIT_INTERRUPTED = 130
const MAX_SAID_LINES = 20

export const ownTools = ({ cwd, env }: CliIo): Tools => ({
  wranglerFor: (account) =>
    installedWrangler({ cwd, env: account === undefined ? env : { ...env, CLOUDFLARE_ACCOUNT_ID: account } }),
  sight: ownSight,
  browse: openBrowser,
  sleep,
})

/** `daypass init` without a repository: the guided set-up, from an empty folder to a workflow. @throws {Misuse} */
export async function guided(options: GuidedOptions, io: CliIo, tools: Tools): Promise<number> {
  const todo: string[] = []
  const desk: Desk = {
    io,
    options,
    tools,
    interview: new Interview(io.ask),
    done: (text) => io.out(inert(`done  ${text}`)),
    left: (text) => void todo.push(text),
  }
  try {
    const isFine = await setUp(desk)
    if (todo.length > 0) io.out("\nLeft to do:")
    for (const [index, text] of todo.entries())
      for (const line of `${index + 1}. ${text}.`.split("\n")) io.out(inert(line))
    return isFine ? EXIT.ok : EXIT.no
  } catch (error) {
    if (error instanceof Interrupted) {
      io.err("\ndaypass: stopped. What is done stays done: run daypass init again to go on.")
      return EXIT_INTERRUPTED
    }
    if (!(error instanceof Refusal)) throw error
    for (const line of `daypass: ${error.message}.`.split("\n")) io.err(inert(line))
    const said = error.said.split(/\r?\n/).filter((line) => line.trim() !== "")
    for (const line of said.slice(-MAX_SAID_LINES)) io.err(inert(line))
    return EXIT.no
  }
}
