import { sha256 } from "@noble/hashes/sha2.js"
import { utf8ToBytes } from "@noble/hashes/utils.js"
import { afterEach, describe, expect, it } from "vitest"
import { verifyProofs } from "../../analysis/audit/checkpoints.ts"
import { webEd25519 } from "../../broker/adapters/web/ed25519.ts"
import { decodeHash } from "../../broker/core/checkpoint/base64.ts"
import { parseCheckpoint } from "../../broker/core/checkpoint/checkpoint.ts"
import { isRecordOf } from "../../broker/core/checkpoint/ledger-head.ts"
import { isConsistent } from "../../broker/core/checkpoint/proofs.ts"
import { parseTrustPolicy } from "../../broker/core/checkpoint/trust-policy.ts"
import { checkpointHealth, witnessHealth } from "../../broker/operate/checkpoint-health.ts"
import type { Documents } from "../../broker/ports/documents.ts"
import { checkpointWorld, hostOf, ISSUER } from "../support/checkpoint-world.ts"
import { signerOf } from "../support/ed25519.ts"

type World = Awaited<ReturnType<typeof checkpointWorld>>
type Broker = ReturnType<World["brokerOf"]>

const SIGNERS = await Promise.all([1, 2, 3].map((at) => signerOf(`w${at}.example/witness`, at, "cosignature")))

let world: World
afterEach(() => world.close())

const treeOf = (note: string | null) => {
  const checkpoint = parseCheckpoint(utf8ToBytes(note ?? ""))
  if (!checkpoint.ok) throw new Error(checkpoint.fault)
  return checkpoint.value
}

/** What a reader makes of a proof, with the policy that the broker says. */
async function readProof({ checkpoints }: Broker, proof: string | null) {
  const policy = parseTrustPolicy((await checkpoints.policy()) ?? "", sha256)
  if (!policy.ok) throw new Error(policy.fault)
  return await verifyProofs(utf8ToBytes(proof ?? ""), policy.value, webEd25519.verify, sha256)
}

describe("the log of heads", () => {
  it("proves the head of each ledger and each of its records, as they grow over many checkpoints", async () => {
    world = await checkpointWorld()
    const broker = world.brokerOf(world.newTrees())
    expect([await broker.checkpoints.latest(), await broker.checkpoints.prove(world.keyOf("1"))]).toEqual([null, null])
    const trees: ReturnType<typeof treeOf>[] = []
    for (const [one, two] of [
      [3, 1],
      [260, 0],
      [1, 300],
      [0, 0],
      [2, 5],
    ] as const) {
      await world.append("1", one)
      await world.append("2", two)
      await world.follow(broker, "1", "2")
      await world.sign(broker)
      trees.push(treeOf(await broker.checkpoints.latest()))
    }
    // Two heads, one head, two, none, two.
    expect(trees.map(({ size }) => size)).toEqual([2, 3, 5, 5, 7])
    for (const [at, old] of trees.entries()) {
      const since = (await broker.checkpoints.since(old.size)) ?? ""
      const lines = since.slice(0, since.indexOf("\n\n")).split("\n").slice(1).map(decodeHash)
      expect([at, isConsistent(old, trees[4] as never, lines as Uint8Array[], sha256)]).toEqual([at, true])
    }
    const records = await world.store.ledgers.of(ISSUER, "1").auditTrail(0, 1000)
    for (const seq of [1, 3, 256, 257, 264, 266]) {
      const proof = await readProof(broker, await broker.checkpoints.prove(world.keyOf("1"), seq))
      if (!proof.ok) throw new Error(proof.fault)
      const [{ head, record } = { head: null, record: null }] = proof.value.heads
      expect(head).toMatchObject({ ledger: { issuer: ISSUER, unit_id: "1" }, size: 266 })
      expect(isRecordOf(head as never, record as never, records[seq - 1]?.leaf ?? "", sha256)).toBe(true)
      expect(isRecordOf(head as never, record as never, records[seq % 266]?.leaf ?? "", sha256)).toBe(false)
    }
    expect(await broker.checkpoints.prove(world.keyOf("1"), 267)).toBeNull()
    expect(await broker.checkpoints.prove(world.keyOf("3"))).toBeNull()
    expect(await broker.checkpoints.since(8)).toBeNull()
    expect(world.recorded).toEqual([
      expect.stringMatching(/^log.begun: log of heads daypass.example\/log\/[0-9a-f]{16}: the first log/),
    ])
  })

  it("takes records again, and reads those that it was not given", async () => {
    world = await checkpointWorld()
    const broker = world.brokerOf(world.newTrees())
    await world.append("1", 5)
    const records = await world.store.ledgers.of(ISSUER, "1").auditTrail(0, 10)
    const ledger = {
      ...world.keyOf("1"),
      seq: 5,
      chain: "",
      latestAt: 0,
      openLeases: 0,
      unit: null,
      unitKind: null,
      owner: null,
      ownerId: null,
    }
    await broker.heads.take({ ledger, records: records.slice(0, 2) })
    await broker.heads.take({ ledger, records: records.slice(0, 3) })
    await broker.heads.take({ ledger, records: records.slice(4) })
    expect(await broker.trees.size(ledger)).toBe(5)
  })

  it("is begun anew, under another name and with another key, when its stored hashes are lost", async () => {
    world = await checkpointWorld()
    const old = world.brokerOf(world.newTrees())
    await world.append("1", 3)
    await world.follow(old, "1")
    await world.sign(old)
    const before = treeOf(await old.checkpoints.latest())
    const broker = world.brokerOf(world.newTrees())
    await world.append("1", 1)
    await world.follow(broker, "1")
    await world.sign(broker)
    const after = treeOf(await broker.checkpoints.latest())
    expect(after.origin).not.toBe(before.origin)
    expect(after.size).toBe(1)
    expect(after.note.signatures[0]?.keyId).not.toBe(before.note.signatures[0]?.keyId)
    expect(world.recorded[1]).toMatch(/: the stored hashes of the log before were lost$/)
    // The new one proves all records, those before its birth, too.
    expect(await readProof(broker, await broker.checkpoints.prove(world.keyOf("1"), 1))).toMatchObject({ ok: true })
    // A broker with the old hashes, of a state that is over, does not sign over them: it begins one more.
    await world.append("1", 1)
    await world.sign(old)
    expect(treeOf(await old.checkpoints.latest()).origin).not.toBe(after.origin)
  })

  it("tells when a ledger was set back or changed, and proves what it has now", async () => {
    world = await checkpointWorld()
    const broker = world.brokerOf(world.newTrees())
    await world.append("1", 3)
    await world.follow(broker, "1")
    const records = await world.store.ledgers.of(ISSUER, "1").auditTrail(0, 10)
    const ledger = {
      ...world.keyOf("1"),
      seq: 3,
      chain: "",
      latestAt: 0,
      openLeases: 0,
      unit: null,
      unitKind: null,
      owner: null,
      ownerId: null,
    }
    const changed = records.map((one, at) => (at === 1 ? { ...one, leaf: "00".repeat(32) } : one))
    await broker.heads.take({ ledger, records: changed })
    expect(world.recorded).toEqual([
      `record.rewritten: unit "1" of "${ISSUER}": record 2 is another one than the checkpoints have: the ledger was set back to an older state, or changed`,
    ])
    // Built again from the ledger itself.
    await world.sign(broker)
    expect(await readProof(broker, await broker.checkpoints.prove(world.keyOf("1"), 2))).toMatchObject({ ok: true })
  })

  it("signs one history, whatever several brokers of one store do at once", async () => {
    world = await checkpointWorld()
    const trees = world.newTrees()
    const texts = new Set<string>()
    // Sees each state that could have been given away.
    const documents: Documents = {
      read: (name) => world.store.documents.read(name),
      async replace(name, version, text) {
        const stored = await world.store.documents.replace(name, version, text)
        const { text: signed = null } = JSON.parse(text) as { text?: string | null }
        if (stored && name === "log" && signed !== null) texts.add(signed)
        return stored
      },
    }
    const brokers = [1, 2, 3].map(() => world.brokerOf(trees, documents))
    for (let round = 1; round <= 5; round += 1) {
      await world.append(String(round % 2), round)
      await world.follow(brokers[round % 3] as Broker, "0", "1")
      world.clock.advance(301)
      for (let at = 0; at < 6; at += 1) {
        world.clock.advance(2)
        await Promise.all(brokers.map(({ heads }) => heads.due(world.clock.now().getTime())))
      }
    }
    const signed = [...texts].map((text) => treeOf(`${text}\n\u2014 a AAAAAAA=\n`))
    expect(new Set(signed.map(({ origin }) => origin)).size).toBe(1)
    expect(signed.map(({ size }) => size)).toEqual([1, 2, 3, 4, 5])
    const { trees: reader } = (brokers[0] as Broker).heads
    for (const { origin, size, root } of signed) expect(await reader.root({ log: origin }, size)).toEqual(root)
  })

  it("gives away the newest checkpoint that its quorum has cosigned, and goes on while witnesses are away", async () => {
    world = await checkpointWorld(SIGNERS, "2")
    const broker = world.brokerOf(world.newTrees())
    const now = () => world.clock.now()
    const health = witnessHealth(broker.states, now)
    const late = checkpointHealth({ states: broker.states, store: broker.trees, marks: world.store.marks, now })
    await world.append("1", 3)
    await world.follow(broker, "1")
    await world.sign(broker)
    const first = await broker.checkpoints.latest()
    expect(treeOf(first).note.signatures.map(({ name }) => name)).toEqual([
      treeOf(first).origin,
      ...SIGNERS.map(({ key }) => key.name),
    ])
    expect(await readProof(broker, await broker.checkpoints.prove(world.keyOf("1"), 3))).toMatchObject({ ok: true })

    // One away: enough. Two away: readers keep what the quorum has cosigned.
    const [one, two] = SIGNERS.map(hostOf) as [string, string, string]
    world.down.add(one)
    await world.append("1", 1)
    await world.follow(broker, "1")
    await world.sign(broker)
    expect(treeOf(await broker.checkpoints.latest())).toMatchObject({ size: 2 })
    // A broker that nobody used for long is not late with the first record after it.
    expect(await late.look()).toEqual({ state: "ok" })
    world.clock.advance(7 * 24 * 3600)
    world.down.add(two)
    for (let at = 0; at < 3; at += 1) {
      await world.append("1", 1)
      await world.follow(broker, "1")
      await world.sign(broker)
    }
    expect(treeOf(await broker.checkpoints.latest())).toMatchObject({ size: 2 })
    expect(await readProof(broker, await broker.checkpoints.prove(world.keyOf("1"), 4))).toMatchObject({ ok: true })
    expect(await health.look()).toMatchObject({ state: "degraded" })
    expect(await late.look()).toEqual({ state: "ok" })
    world.clock.advance(3590)
    expect(await late.look()).toEqual({ state: "ok" })
    world.clock.advance(10)
    expect(await late.look()).toMatchObject({
      state: "degraded",
      reason: expect.stringContaining("too few witnesses cosign it"),
    })
    expect(await health.look()).toMatchObject({
      state: "degraded",
      reason: `the witness ${SIGNERS[0]?.key.name} does not cosign the checkpoints of the audit trail: it cannot be reached: unreachable`,
    })

    // Back, with a proof over all that it has missed.
    world.down.clear()
    await world.sign(broker)
    expect(treeOf(await broker.checkpoints.latest())).toMatchObject({ size: 5, note: { signatures: { length: 4 } } })
    expect(await readProof(broker, await broker.checkpoints.prove(world.keyOf("1"), 7))).toMatchObject({ ok: true })
    for (const check of [health, late]) expect(await check.look()).toEqual({ state: "ok" })

    // Nothing signs any more, and a record waits.
    await world.append("1", 1)
    await world.follow(broker, "1")
    expect(await late.look()).toEqual({ state: "ok" })
    world.clock.advance(3600)
    expect(await late.look()).toMatchObject({ state: "degraded", reason: expect.stringContaining("in no checkpoint") })
  })

  it("asks a witness that does not cosign once a minute, and a new one from the start", async () => {
    world = await checkpointWorld(SIGNERS.slice(0, 1))
    const broker = world.brokerOf(world.newTrees())
    await world.append("1", 1)
    await world.follow(broker, "1")
    const [witness] = world.witnesses.values()
    for (let at = 0; at < 10; at += 1) {
      await broker.heads.due(world.clock.now().getTime())
      world.clock.advance(2)
    }
    // It knows no log yet.
    expect(witness?.requests).toBe(1)
    const read = await broker.states.read()
    expect(Object.values(read?.state.witnesses ?? {})).toMatchObject([
      { failing: { reason: expect.stringContaining("does not know this log") } },
    ])
  })

  it("is not cosigned after it was set back, and says so", async () => {
    world = await checkpointWorld(SIGNERS.slice(0, 1))
    const trees = world.newTrees()
    const broker = world.brokerOf(trees)
    await world.append("1", 1)
    await world.follow(broker, "1")
    await world.sign(broker)
    const old = await world.store.documents.read("log")
    await world.append("1", 1)
    await world.follow(broker, "1")
    await world.sign(broker)
    // The document of before, as from a backup. The stored hashes still begin with it, so the same log goes on, and fits.
    const { version } = await world.store.documents.read("log")
    await world.store.documents.replace("log", version, old.text ?? "")
    await world.sign(broker)
    expect(treeOf(await broker.checkpoints.latest())).toMatchObject({ size: 2, note: { signatures: { length: 2 } } })
    // Both of before: another history under the same name. No witness takes part in it.
    const forked = world.newTrees()
    const fork = world.brokerOf(forked)
    const { state } = (await broker.states.read()) ?? {}
    const latest = await world.store.documents.read("log")
    const empty = {
      ...state,
      size: 0,
      root: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      witnesses: {},
      published: null,
    }
    await world.store.documents.replace("log", latest.version, JSON.stringify(empty))
    await world.append("2", 1)
    await world.follow(fork, "2")
    await world.append("3", 1)
    await world.follow(fork, "3")
    await world.sign(fork)
    const told = Object.values((await fork.states.read())?.state.witnesses ?? {})
    expect(told).toMatchObject([
      { line: null, failing: { reason: expect.stringContaining("set back to an older state") } },
    ])
  })
})
