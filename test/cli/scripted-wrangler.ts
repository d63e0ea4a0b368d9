import { readFileSync } from "node:fs"
import type { Wrangler, WranglerRun } from "../../cli/push/wrangler.ts"

const OPTIONS_WITH_VALUES = new Set([
  "--binding",
  "--namespace-id",
  "--env",
  "--config",
  "--persist-to",
  "--path",
  "--prefix",
])
const OPTIONS_ALONE = new Set(["--preview=false", "--local", "--remote", "--force"])
const NOISE = "WARNING wrangler kv bulk get is an open beta command\n"
/** What wrangler prints of an account when it works. Nobody else may. */
export const ACCOUNT = "Ada's Account (0123456789abcdef0123456789abcdef)"

/**
 * Wrangler's `kv` commands over a Map, as strict as wrangler itself about its arguments. Every run that changes anything
 * is one entry of `states`, so that a test can look at what readers saw in between.
 */
export class ScriptedWrangler {
  readonly values = new Map<string, string>()
  readonly calls: string[][] = []
  readonly states: ReadonlyMap<string, string>[] = []
  /** Whether absent keys are left out of an answer, as an API may, or come as null. */
  absentAs: "null" | "object" | "nothing" = "null"
  /** Called before the run of this number, from 0: may answer in wrangler's place, or change the store. */
  before: (call: number, command: string) => WranglerRun | undefined = () => undefined
  /** Keys that a bulk put forgets, and succeeds. */
  forgets: (key: string) => boolean = () => false

  readonly run: Wrangler = async (args) => {
    this.calls.push([...args])
    const command = args.slice(0, 3).join(" ")
    const instead = this.before(this.calls.length - 1, command)
    if (instead !== undefined) return instead
    const { positionals, options } = readArgs(args)
    const out = this.#carryOut(command, positionals, options)
    return { code: 0, out, err: NOISE }
  }

  #carryOut(command: string, positionals: readonly string[], options: ReadonlyMap<string, string>): string {
    const [argument = ""] = positionals
    switch (command) {
      case "kv bulk get":
        return JSON.stringify(Object.fromEntries(json<string[]>(argument, 100).flatMap((key) => this.#answerTo(key))))
      case "kv key list":
        return JSON.stringify(
          [...this.values.keys()]
            .filter((key) => key.startsWith(options.get("--prefix") ?? ""))
            .map((name) => ({ name })),
        )
      case "kv key put":
        this.values.set(argument, readFileSync(options.get("--path") ?? "", "utf8"))
        return this.#changed()
      case "kv bulk put":
        for (const { key, value } of json<{ key: string; value: string }[]>(argument, 10_000)) {
          if (!this.forgets(key)) this.values.set(key, value)
        }
        return this.#changed()
      case "kv bulk delete":
        if (!options.has("--force")) throw new Error("wrangler would ask and nobody would answer")
        for (const key of json<string[]>(argument, 10_000)) this.values.delete(key)
        return this.#changed()
      default:
        throw new Error(`nobody expected wrangler ${command}`)
    }
  }

  #answerTo(key: string): [string, unknown][] {
    const value = this.values.get(key) ?? null
    if (this.absentAs === "object") return [[key, { value }]]
    return value === null && this.absentAs === "nothing" ? [] : [[key, value]]
  }

  #changed(): string {
    this.states.push(new Map(this.values))
    return `wrangler 4.156.2\n${ACCOUNT}\nResource location: remote\nSuccess!`
  }
}

function json<Value extends readonly unknown[]>(file: string, most: number): Value {
  const value = JSON.parse(readFileSync(file, "utf8")) as Value
  if (value.length === 0 || value.length > most) throw new Error(`${value.length} keys in one file`)
  return value
}

function readArgs(args: readonly string[]) {
  const options = new Map<string, string>()
  const positionals: string[] = []
  for (let index = 3; index < args.length; index++) {
    const arg = args[index] ?? ""
    if (OPTIONS_ALONE.has(arg)) options.set(arg, "")
    else if (OPTIONS_WITH_VALUES.has(arg)) options.set(arg, args[++index] ?? "")
    else if (arg.startsWith("-")) throw new Error(`wrangler has no ${arg} here`)
    else positionals.push(arg)
  }
  if (options.has("--local") === options.has("--remote")) throw new Error("neither here nor there")
  if (options.has("--binding") === options.has("--namespace-id")) throw new Error("no namespace, or two")
  return { options, positionals }
}
