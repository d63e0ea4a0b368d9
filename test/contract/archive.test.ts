import { mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { sha256 } from "@noble/hashes/sha2.js"
import { utf8ToBytes } from "@noble/hashes/utils.js"
import { afterEach, expect, it } from "vitest"
import { verifyProofs } from "../../analysis/audit/checkpoints.ts"
import { ChainVerifier } from "../../analysis/audit/verify.ts"
import { readAuditTrail } from "../../broker/adapters/node/audit-reader.ts"
import { createFolderSink } from "../../broker/adapters/node/export-folder.ts"
import { webEd25519 } from "../../broker/adapters/web/ed25519.ts"
import { ExportWriter } from "../../broker/core/audit-export.ts"
import { parseTrustPolicy } from "../../broker/core/checkpoint/trust-policy.ts"
import type { Broker } from "../../broker/exchange/broker.ts"
import { Archive } from "../../broker/operate/archive.ts"
import { exportRecord } from "../../broker/operate/export-record.ts"
import { Exports } from "../../broker/operate/exports/exports.ts"
import { Follower } from "../../broker/operate/follow.ts"
import type { Marks } from "../../broker/ports/marks.ts"
import { exportedFolder } from "../../cli/audit/exported-folder.ts"
import { checkpointWorld } from "../support/checkpoint-world.ts"

type World = Awaited<ReturnType<typeof checkpointWorld>>

const DAY_SECONDS = 24 * 3600
const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

/** A broker's follower with an export to a folder, over what the world stores; another one after each call. */
function following(world: World, folder: string) {
  const { store, clock } = world
  const { operate } = store
  const broker = world.brokerOf(operate.trees)
  const organisation = {
    exports: new Map([["files", { kind: "folder" as const, path: folder, format: "jsonl" as const }]]),
    archive: { after: 400 },
  }
  const parts = { ...store, clock, policySource: { snapshot: async () => ({ organisation }) } } as unknown as Broker
  const kept = new Map<string, string>()
  const marks: Marks = {
    read: async (name) => kept.get(name) ?? null,
    write: async (name, value) => void kept.set(name, value),
  }
  const exports = new Exports({
    ...{ broker: parts, marks, httpFor: () => undefined as never },
    sinkOf: () => createFolderSink(folder),
  })
  const archive = new Archive({
    broker: parts,
    directory: operate.directory,
    places: operate.places,
    trees: operate.trees,
  })
  const follower = new Follower({
    ...{ store: operate.places, ledgers: store.ledgers, clock, log: () => {} },
    readers: [operate.indexReader, broker.heads],
    changing: () => exports.readers(),
    archive,
  })
  /** Follows all that is new, and lets all leave that may. */
  const follow = async () => {
    for (let at = 0; at < 8; at += 1) {
      await operate.lookForNew()
      while ((await follower.round(10)).goesOn) {}
      clock.advance(2)
    }
  }
  return { ...broker, follow }
}

async function verified(lines: Iterable<string> | AsyncIterable<string>) {
  const verifier = new ChainVerifier(sha256)
  for await (const line of lines) verifier.push(utf8ToBytes(`${line}\n`))
  return verifier.end()
}

async function* exported({ store }: World, since: number | null = null) {
  const wanted = { includes: () => true, since, after: null }
  const heads: string[] = []
  for await (const line of exportRecord(wanted, { directory: store.operate.directory, ledgers: store.ledgers })) {
    if (line.startsWith('{"head"')) heads.push(line)
    if (!line.startsWith('{"done"')) yield line
  }
  const writer = new ExportWriter()
  for (const line of heads) writer.head((JSON.parse(line) as { head: { seq: number; chain: string } }).head)
  yield writer.end()
}

it("old records leave when the export has them, and everything lives with a ledger that begins later", async () => {
  const world = await checkpointWorld()
  ends.push(() => world.close())
  const folder = mkdtempSync(join(tmpdir(), "daypass-archive-"))
  ends.push(() => rmSync(folder, { recursive: true }))
  const files = join(folder, "files")
  mkdirSync(files)
  const { store, clock } = world
  const ledger = store.ledgers.of("https://issuer.example", "1")
  const broker = following(world, files)

  await world.append("1", 700)
  clock.advance(390 * DAY_SECONDS)
  await world.append("1", 3, "young")
  await broker.follow()
  await world.sign(broker)
  const proven = await broker.checkpoints.prove(world.keyOf("1"), 3)
  expect(await ledger.archived()).toBeNull()

  // Old now, but the export cannot be written: what it lacks stays.
  clock.advance(20 * DAY_SECONDS)
  renameSync(files, `${files} gone`)
  await world.append("1", 1, "young")
  await broker.follow()
  clock.advance(DAY_SECONDS)
  await broker.follow()
  const before = await ledger.archived()
  // All that is old was exported before; only the last record was not.
  expect(before).toMatchObject({ seq: 512 })
  renameSync(`${files} gone`, files)
  clock.advance(DAY_SECONDS)
  await broker.follow()
  // Records 513 to 700 are old, too. A ledger begins where a page of hashes does.
  expect(await ledger.archived()).toEqual(before)
  const [first] = await ledger.auditTrail(0, 1)
  expect(first?.record.seq).toBe(513)

  // The exported folder has all, the ledger says where it begins.
  const after = { after: 512, seq: 705 }
  expect(await verified(exportedFolder(files))).toMatchObject({
    ok: true,
    ledgers: expect.arrayContaining([expect.objectContaining({ seq: 705 })]),
  })
  for (const lines of [readAuditTrail(world.folder), exported(world), exported(world, 1)]) {
    expect(await verified(lines)).toMatchObject({
      ok: true,
      ledgers: expect.arrayContaining([expect.objectContaining(after)]),
    })
  }
  const young = await verified(exported(world, Date.parse("2028-01-20T00:00:00Z")))
  expect(young).toMatchObject({
    ok: true,
    ledgers: expect.arrayContaining([expect.objectContaining({ after: 700, seq: 705 })]),
  })

  // A search says that there was more.
  expect(await store.operate.index.search({ requestId: "a test-7", limit: 5 })).toEqual({
    found: [],
    next: null,
    archived: 1,
  })
  const all = await store.operate.index.search({ unitId: "1", limit: 500, since: 0 })
  expect([all.found.length, all.archived]).toEqual([193, 307])

  // Proofs of what has left go on, by the hashes that are kept beside the index.
  const policy = parseTrustPolicy((await broker.checkpoints.policy()) ?? "", sha256)
  if (!policy.ok) throw new Error(policy.fault)
  const read = (proof: string | null) => verifyProofs(utf8ToBytes(proof ?? ""), policy.value, webEd25519.verify, sha256)
  expect(await read(proven)).toMatchObject({ ok: true })
  expect(await read(await broker.checkpoints.prove(world.keyOf("1"), 4))).toMatchObject({ ok: true })
})

it("a tree whose hashes were lost begins where its ledger does, with the same roots", async () => {
  const world = await checkpointWorld()
  ends.push(() => world.close())
  const folder = mkdtempSync(join(tmpdir(), "daypass-archive-"))
  ends.push(() => rmSync(folder, { recursive: true }))
  const broker = following(world, folder)
  await world.append("1", 1_300)
  await broker.follow()
  const root = await broker.heads.trees.root(world.keyOf("1"), 1_300)
  world.clock.advance(410 * DAY_SECONDS)
  const ledger = world.store.ledgers.of("https://issuer.example", "1")
  for (let day = 0; day < 4; day += 1) await broker.follow()
  const cut = await ledger.archived()
  expect(cut?.seq).toBe(1_280)
  await world.append("1", 300, "young")

  const lost = world.brokerOf(world.newTrees())
  await world.follow(lost, "1")
  await lost.heads.take({
    ledger: {
      ...world.keyOf("1"),
      unit: null,
      unitKind: null,
      owner: null,
      ownerId: null,
      seq: 0,
      chain: "",
      latestAt: 0,
      openLeases: 0,
    },
    records: await ledger.auditTrail(0, 1000),
  })
  expect(await lost.heads.trees.root(world.keyOf("1"), 1_300)).toEqual(root)
  await world.sign(lost)
  const policy = parseTrustPolicy((await lost.checkpoints.policy()) ?? "", sha256)
  if (!policy.ok) throw new Error(policy.fault)
  for (const seq of [1_281, 1_300, 1_500]) {
    const proof = await lost.checkpoints.prove(world.keyOf("1"), seq)
    expect(await verifyProofs(utf8ToBytes(proof ?? ""), policy.value, webEd25519.verify, sha256)).toMatchObject({
      ok: true,
    })
  }
  await expect(lost.checkpoints.prove(world.keyOf("1"), 7)).rejects.toMatchObject({
    detail: expect.stringContaining("archived before"),
  })
})

it("no record leaves because an export had it that now writes to another place", async () => {
  const world = await checkpointWorld()
  ends.push(() => world.close())
  const folder = mkdtempSync(join(tmpdir(), "daypass-archive-"))
  ends.push(() => rmSync(folder, { recursive: true }))
  const [before, after] = [join(folder, "before"), join(folder, "after")] as const
  mkdirSync(before)
  await world.append("1", 600)
  await following(world, before).follow()
  world.clock.advance(410 * DAY_SECONDS)
  // The same name, and a place that cannot be written yet.
  const moved = following(world, after)
  await world.append("1", 1, "young")
  await moved.follow()
  const ledger = world.store.ledgers.of("https://issuer.example", "1")
  expect(await ledger.archived()).toBeNull()
  mkdirSync(after)
  // One look through the ledgers can come before the last batch is written.
  for (let day = 0; day < 2; day += 1) {
    world.clock.advance(DAY_SECONDS)
    await moved.follow()
  }
  expect(await ledger.archived()).toMatchObject({ seq: 512 })
  const verdict = await verified(exportedFolder(after))
  expect(verdict).toMatchObject({ ok: true, ledgers: expect.arrayContaining([expect.objectContaining({ seq: 602 })]) })
})
