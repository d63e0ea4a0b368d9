import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as z from "zod"
import { reasonOf } from "../arguments.ts"
import type { Wrangler } from "./wrangler.ts"

/** The KV namespace, chosen by wrangler's own options. */
export interface NamespaceChoice {
  readonly binding: string
  /** Used instead of the binding. */
  readonly namespaceId?: string
  readonly env?: string
  readonly config?: string
  /** The namespace of `wrangler dev` on this machine. */
  readonly local: boolean
  readonly persistTo?: string
}

/** The operations of a push on Workers KV. Every method throws a `StoreError` unless wrangler reports success. */
export interface KvStore {
  /** The values of these keys; null for a missing key. */
  read(keys: readonly string[]): Promise<ReadonlyMap<string, string | null>>
  /** The names of all keys with this prefix. */
  list(prefix: string): Promise<readonly string[]>
  /** Writes one value in one request, so it is written completely or not at all. */
  put(key: string, value: string): Promise<void>
  /** Writes many values. Some may be missing even if it does not throw, and some written if it does: read them back. */
  putAll(entries: ReadonlyMap<string, string>): Promise<void>
  deleteAll(keys: readonly string[]): Promise<void>
}

/** A failed wrangler call: a sentence, and wrangler's output. */
export class StoreError extends Error {
  override readonly name = "StoreError"
  /** Wrangler's output. Untrusted: it may contain anything. */
  readonly said: string

  constructor(message: string, said = "") {
    super(message)
    this.said = said
  }
}

/** The largest value in KV. */
export const MAX_VALUE_BYTES = 25 * 1024 * 1024

/** Limits of one request to Cloudflare's API. */
const MAX_READ_KEYS = 100
const MAX_WRITE_KEYS = 10_000
/** The limit is 100 MB. This leaves room for what wrangler writes around the values. */
const MAX_WRITE_CHARACTERS = 32 * 1024 * 1024
/** Each read starts a process, which takes a second. Local reads run one at a time, because they share one database. */
const READS_AT_ONCE = 4

/** Workers KV through wrangler, which handles the sign-in. */
export function createKvStore(wrangler: Wrangler, choice: NamespaceChoice): KvStore {
  const target = targetOf(choice)
  const kv = (...args: readonly string[]) => run(wrangler, ["kv", ...args, ...target])
  const withFile = <Value>(text: string, use: (file: string) => Promise<Value>) => useFile(text, use)

  return {
    async read(keys) {
      const chunks = chunksOf(keys, MAX_READ_KEYS)
      const found = await inTurns(chunks, choice.local ? 1 : READS_AT_ONCE, (chunk) =>
        withFile(JSON.stringify(chunk), async (file) => valuesIn(await kv("bulk", "get", file), chunk)),
      )
      return new Map(found.flatMap((values) => [...values]))
    },
    async list(prefix) {
      return namesIn(await kv("key", "list", "--prefix", prefix))
    },
    async put(key, value) {
      await withFile(value, (file) => kv("key", "put", key, "--path", file))
    },
    async putAll(entries) {
      const pairs = [...entries].map(([key, value]) => ({ key, value }))
      for (const chunk of chunksOf(pairs, MAX_WRITE_KEYS, ({ value }) => value.length)) {
        await withFile(JSON.stringify(chunk), (file) => kv("bulk", "put", file))
      }
    },
    async deleteAll(keys) {
      for (const chunk of chunksOf(keys, MAX_WRITE_KEYS)) {
        await withFile(JSON.stringify(chunk), (file) => kv("bulk", "delete", file, "--force"))
      }
    },
  }
}

/** Names the same namespace for every subcommand: their defaults differ between reading and writing. */
function targetOf({ binding, namespaceId, env, config, local, persistTo }: NamespaceChoice): string[] {
  return [
    ...(namespaceId === undefined ? ["--binding", binding, "--preview=false"] : ["--namespace-id", namespaceId]),
    local ? "--local" : "--remote",
    ...(persistTo === undefined ? [] : ["--persist-to", persistTo]),
    ...(env === undefined ? [] : ["--env", env]),
    ...(config === undefined ? [] : ["--config", config]),
  ]
}

async function run(wrangler: Wrangler, args: readonly string[]): Promise<string> {
  const what = `wrangler ${args.slice(0, 3).join(" ")}`
  let done: Awaited<ReturnType<Wrangler>>
  try {
    done = await wrangler(args)
  } catch (error) {
    throw new StoreError(
      `wrangler cannot be started (${reasonOf(error)}): install it beside Daypass with npm install wrangler@4`,
    )
  }
  if (done.code === 0) return done.out
  throw new StoreError(`${what} failed`, done.err.trim() === "" ? done.out : done.err)
}

const value = z.string().nullable()
/** Cloudflare answers with plain values, and the local namespace with objects that contain them. */
const bulkAnswer = z.record(z.string(), z.union([value, z.object({ value })]))
const listAnswer = z.array(z.object({ name: z.string() }))

/** A key that is absent from a complete answer does not exist. An incomplete answer is an error. */
function valuesIn(text: string, keys: readonly string[]): ReadonlyMap<string, string | null> {
  const answer = new Map(Object.entries(parsed(text, bulkAnswer)))
  return new Map(
    keys.map((key) => {
      const found = answer.get(key) ?? null
      return [key, typeof found === "object" ? (found?.value ?? null) : found]
    }),
  )
}

const namesIn = (text: string) => parsed(text, listAnswer).map(({ name }) => name)

function parsed<Value>(text: string, schema: z.ZodType<Value>): Value {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw new StoreError(UNREADABLE)
  }
  const read = schema.safeParse(json)
  if (!read.success) throw new StoreError(UNREADABLE)
  return read.data
}

const UNREADABLE = "wrangler's answer is not what this version of Daypass expects: use wrangler 4"

/** Puts text into a file that others cannot read, for as long as it is used. */
async function useFile<Value>(text: string, use: (file: string) => Promise<Value>): Promise<Value> {
  const folder = await mkdtemp(join(tmpdir(), "daypass-push-"))
  try {
    const file = join(folder, "data.json")
    await writeFile(file, text, { mode: 0o600 })
    return await use(file)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function chunksOf<Item>(items: readonly Item[], maxItems: number, sizeOf: (item: Item) => number = () => 0): Item[][] {
  const chunks: Item[][] = []
  let size = 0
  for (const item of items) {
    const last = chunks.at(-1)
    size += sizeOf(item)
    if (last !== undefined && last.length < maxItems && size <= MAX_WRITE_CHARACTERS) last.push(item)
    else {
      chunks.push([item])
      size = sizeOf(item)
    }
  }
  return chunks
}

/** Does `work` for every item, `width` at a time, and keeps their order. Stops at the first failure. */
async function inTurns<Item, Value>(
  items: readonly Item[],
  width: number,
  work: (item: Item) => Promise<Value>,
): Promise<Value[]> {
  const done: Value[] = []
  for (let index = 0; index < items.length; index += width) {
    done.push(...(await Promise.all(items.slice(index, index + width).map(work))))
  }
  return done
}
