import * as z from "zod"
import { reasonOf } from "../arguments.ts"
import type { Wrangler } from "../push/wrangler.ts"
import { Refusal } from "./refusal.ts"

/** What init does in a Cloudflare account, through wrangler, which handles the sign-in. Each method throws a `Refusal`. */
export interface Cloudflare {
  /** The accounts that the person may use. */
  accounts(): Promise<readonly Account[]>
  /** The names of a Worker's secrets; null when the account has no such Worker. */
  secretsOf(worker: string): Promise<readonly string[] | null>
  /** Gives a Worker a secret, and makes the Worker if there is none. */
  putSecret(worker: string, name: string, value: string): Promise<void>
  /** The id of the KV namespace with this title, which is made if there is none. */
  namespace(title: string): Promise<string>
  /** Deploys what wrangler.toml says. */
  deploy(config: string): Promise<void>
}

export interface Account {
  readonly id: string
  readonly name: string
}

const whoami = z.object({ accounts: z.array(z.object({ id: z.string(), name: z.string() })) })
const secrets = z.array(z.object({ name: z.string() }))
const namespaces = z.array(z.object({ id: z.string().regex(/^[0-9a-f]{32}$/), title: z.string() }))

export function cloudflareBy(wrangler: Wrangler): Cloudflare {
  async function run(args: readonly string[], input?: string) {
    try {
      return await wrangler(args, input)
    } catch (error) {
      throw new Refusal(
        `wrangler cannot be started (${reasonOf(error)}): install it in this folder with npm install --save-dev wrangler@4, and run init again`,
      )
    }
  }

  async function demand(args: readonly string[], input?: string): Promise<string> {
    const { code, out, err } = await run(args, input)
    if (code === 0) return out
    throw new Refusal(`wrangler ${args.slice(0, 3).join(" ")} failed`, err.trim() === "" ? out : err)
  }

  const list = async () => read(await demand(["kv", "namespace", "list"]), namespaces)

  return {
    async accounts() {
      const { code, out, err } = await run(["whoami", "--json"])
      if (code === 0) return read(out, whoami).accounts
      if (/"loggedIn":\s*false/.test(out + err))
        throw new Refusal("you are not signed in at Cloudflare: run wrangler login, and run init again")
      throw new Refusal("wrangler whoami failed", err.trim() === "" ? out : err)
    },
    async secretsOf(worker) {
      const { code, out, err } = await run(["secret", "list", "--name", worker])
      if (code === 0) return read(out, secrets).map(({ name }) => name)
      // Only this answer means that there is no Worker. After any other failure it may exist, with a key that must stay.
      if (`${out}\n${err}`.includes(`Worker "${worker}" not found`)) return null
      throw new Refusal("wrangler secret list failed", err.trim() === "" ? out : err)
    },
    async putSecret(worker, name, value) {
      await demand(["secret", "put", name, "--name", worker], value)
    },
    async namespace(title) {
      const find = async () => (await list()).find((one) => one.title === title)?.id
      const found = await find()
      if (found !== undefined) return found
      await demand(["kv", "namespace", "create", title])
      // The list is JSON; what `create` prints is for people.
      const made = await find()
      if (made === undefined) throw new Refusal(`wrangler made the KV namespace ${title}, and does not list it`)
      return made
    },
    async deploy(config) {
      await demand(["deploy", "--config", config])
    },
  }
}

function read<Value>(text: string, schema: z.ZodType<Value>): Value {
  try {
    const parsed = schema.safeParse(JSON.parse(text))
    if (parsed.success) return parsed.data
  } catch {
    // Falls through to the same sentence.
  }
  throw new Refusal("wrangler's answer is not what this version of Daypass expects: use wrangler 4")
}
