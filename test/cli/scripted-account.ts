import { readFileSync } from "node:fs"
import type { Wrangler, WranglerRun } from "../../cli/push/wrangler.ts"
import { ScriptedWrangler } from "./scripted-wrangler.ts"

const NAMESPACE = "0123456789abcdef0123456789abcdef"

/**
 * A Cloudflare account through wrangler's commands, as strict as wrangler about their arguments: Workers with their secrets, KV
 * namespaces, deployments. What a Worker has needs the Worker; a secret of an unknown Worker makes a draft of it.
 */
export class ScriptedAccount {
  readonly kv = new ScriptedWrangler()
  readonly workers = new Map<string, Map<string, string>>()
  readonly namespaces = new Map<string, string>()
  /** The configuration of each deployment. */
  readonly deployments: string[] = []
  readonly calls: string[] = []
  accounts = [{ id: "a".repeat(32), name: "Acme" }]
  isSignedIn = true
  /** May answer in wrangler's place. */
  before: (command: string) => WranglerRun | undefined = () => undefined
  /** Called when something is deployed. */
  onDeploy: () => void = () => {}

  readonly wranglerFor =
    (account: string | undefined): Wrangler =>
    async (args, input) => {
      const command = args.join(" ")
      this.calls.push(command)
      const instead = this.before(command)
      if (instead !== undefined) return instead
      if (command === "whoami --json")
        return this.isSignedIn
          ? done(JSON.stringify({ loggedIn: true, accounts: this.accounts }))
          : failed('{"loggedIn":false}')
      if (!this.accounts.some(({ id }) => id === account)) throw new Error(`wrangler ${command} without an account`)
      return this.#carryOut(args, input)
    }

  async #carryOut(args: readonly string[], input: string | undefined): Promise<WranglerRun> {
    const [group, act, third = "", option, name = ""] = args
    if (group === "secret" && act === "list" && third === "--name") {
      const secrets = this.workers.get(option ?? "")
      if (secrets === undefined) return failed(`✘ [ERROR] Worker "${option}" not found.`)
      return done(JSON.stringify([...secrets.keys()].map((key) => ({ name: key, type: "secret_text" }))))
    }
    if (group === "secret" && act === "put" && option === "--name" && input !== undefined) {
      const secrets = this.workers.get(name) ?? new Map<string, string>()
      this.workers.set(name, secrets.set(third, input.trim()))
      return done("Success")
    }
    if (group === "kv" && act === "namespace") {
      if (third === "list") return done(JSON.stringify([...this.namespaces].map(([title, id]) => ({ id, title }))))
      if (third === "create" && option !== undefined && !this.namespaces.has(option)) {
        this.namespaces.set(option, NAMESPACE)
        return done("made for people to read")
      }
    }
    if (group === "deploy" && act === "--config") {
      const config = readFileSync(third, "utf8")
      const worker = /^name = "(.*)"$/m.exec(config)?.[1] ?? ""
      if (!this.workers.get(worker)?.has("DAYPASS_KEK")) return failed("the secret DAYPASS_KEK is required")
      this.deployments.push(config)
      this.onDeploy()
      return done("Deployed")
    }
    if (group === "kv") return await this.kv.run(args)
    throw new Error(`wrangler has no ${args.join(" ")}`)
  }
}

const done = (out: string): WranglerRun => ({ code: 0, out, err: "" })
export const failed = (err: string): WranglerRun => ({ code: 1, out: "", err })
