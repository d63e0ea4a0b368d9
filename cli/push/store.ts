import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as z from "zod"
import { reasonOf } from "../arguments.ts"
import type { Wrangler } from "./wrangler.ts"

/** Which namespace, as wrangler's own options say it. */
export interface NamespaceChoice {
  readonly binding: string
  /** Instead of the binding. */
  readonly namespaceId?: string
  readonly env?: string
  readonly config?: string
  /** The one that `wrangler dev` keeps on this machine. */
  readonly local: boolean
  readonly persistTo?: string
}

/** What a push does to Workers KV. Every method throws a `StoreError` unless wrangler said that it was done. */
export interface KvStore {
  /** The values of these keys; null for a key that is not there. */
  read(keys: readonly string[]): Promise<ReadonlyMap<string, string | null>>
  /** The names of all keys that begin so. */
  list(prefix: string): Promise<readonly string[]>
  /** Writes one value; it is one request, so that it is written or not. */
  put(key: string, value: string): Promise<void>
  /** Writes many. Some may be written when it throws, and even when it does not: read them back. */
  putAll(entries: ReadonlyMap<string, string>): Promise<void>
  deleteAll(keys: readonly string[]): Promise<void>
}

/** Why wrangler did not do what it was told: a sentence, and what it wrote about it. */
export class StoreError extends Error {
  override readonly name = "StoreError"
  /** Wrangler's own words, which may hold anything. */
  readonly said: string

  constructor(message: string, said = "") {
    super(message)
    this.said = said
  }
}

/** The most that one value of KV may weigh. */
export const MAX_VALUE_BYTES = 25 * 1024 * 1024

/** What Cloudflare's API takes in one request. */
const MAX_READ_KEYS = 100
const MAX_WRITE_KEYS = 10_000
/** Of 100 MB, with room for what wrangler writes around the values. */
const MAX_WRITE_CHARACTERS = 32 * 1024 * 1024
/** Each is a process of its own; a second passes before it asks anything. On this machine they would share one database. */
const READS_AT_ONCE = 4

/** Workers KV through wrangler, which knows how to sign in. */
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

/** Always the same namespace, whatever the subcommand's own defaults: reading prefers `id`, and writing has no preference. */
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
      `wrangler cannot be started (${reasonOf(error)}): install it beside Daypass, npm install wrangler@4`,
    )
  }
  if (done.code === 0) return done.out
  throw new StoreError(`${what} failed`, done.err.trim() === "" ? done.out : done.err)
}

const value = z.string().nullable()
/** Cloudflare answers with the values themselves, and the namespace on this machine with objects that hold them. */
const bulkAnswer = z.record(z.string(), z.union([value, z.object({ value })]))
const listAnswer = z.array(z.object({ name: z.string() }))

/** What was asked for and is not in a whole answer is not there; whatever is no whole answer is an error. */
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

/** Does `work` for every item, so many at a time, and keeps their order. The first failure ends it. */
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
