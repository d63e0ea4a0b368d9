import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { sha256 } from "@noble/hashes/sha2.js"
import { openNodeStore } from "../../broker/adapters/node/ledgers.ts"
import { NodeSql } from "../../broker/adapters/node/sqlite.ts"
import { migrateOperate } from "../../broker/adapters/sqlite/operate/schema.ts"
import { SqlTreeStore } from "../../broker/adapters/sqlite/operate/tree-store.ts"
import { webEd25519 } from "../../broker/adapters/web/ed25519.ts"
import { brokersDraft } from "../../broker/core/audit-record.ts"
import { parseTrustPolicy } from "../../broker/core/checkpoint/trust-policy.ts"
import { formatVerifierKey, type VerifierKey } from "../../broker/core/checkpoint/verifier-key.ts"
import { Secret } from "../../broker/core/secret.ts"
import { Checkpoints } from "../../broker/operate/checkpoints.ts"
import { LogOfHeads } from "../../broker/operate/log-of-heads.ts"
import { LogStates } from "../../broker/operate/log-state.ts"
import { type Http, HttpError } from "../../broker/ports/http.ts"
import type { TreeStore } from "../../broker/ports/tree-store.ts"
import { createSealer } from "../../broker/signing/sealer.ts"
import { TestClock } from "./clock.ts"
import { cryptography } from "./cryptography.ts"
import type { NoteSigner } from "./ed25519.ts"
import { Witness } from "./witness.ts"

export const ISSUER = "https://issuer.example"
const URL = "https://daypass.example"

/** A witness of foreign make, which is asked over the network. */
export interface ForeignWitness {
  readonly key: VerifierKey
  readonly url: string
  readonly http: Http
}

/** A broker's store with ledgers, the trees over them, and the log of their heads. */
export async function checkpointWorld(signers: readonly NoteSigner[] = [], quorum = "all", foreign?: ForeignWitness) {
  const folder = mkdtempSync(join(tmpdir(), "daypass-checkpoint-"))
  const store = openNodeStore(folder)
  const clock = new TestClock(Date.parse("2027-01-01T00:00:00Z"))
  const sealer = await createSealer(new Secret(new Uint8Array(32).fill(3)), URL, cryptography)
  const witnesses = new Map(signers.map((signer) => [hostOf(signer), new Witness(signer)]))
  const down = new Set<string>()
  const http: Http = async (request) => {
    const host = new globalThis.URL(request.url).host
    const witness = witnesses.get(host)
    if (foreign !== undefined && request.url.startsWith(foreign.url)) return await foreign.http(request)
    if (witness === undefined || down.has(host)) throw new HttpError("unreachable")
    return await witness.answer(request)
  }
  const asked = signers.map((signer) => ({ key: signer.key, url: `https://${hostOf(signer)}/` }))
  const all = foreign === undefined ? asked : [...asked, foreign]
  const lines = all.map(({ key, url }, at) => `witness w${at + 1} ${formatVerifierKey(key)} ${url}`)
  const group = `group all ${quorum} ${all.map((_, at) => `w${at + 1}`).join(" ")}`
  const witnessLines = all.length === 0 ? null : [...lines, group, "quorum all"].join("\n")
  const parsed = parseTrustPolicy(witnessLines ?? "quorum none", sha256)
  if (!parsed.ok) throw new Error(parsed.fault)
  const policy = witnessLines === null ? null : parsed.value
  const recorded: string[] = []

  function newTrees() {
    const sql = new NodeSql(new DatabaseSync(":memory:"))
    migrateOperate(sql)
    return new SqlTreeStore(sql, async (work) => work())
  }
  /** A broker over the store of documents and these trees. */
  function brokerOf(trees: TreeStore, documents = store.documents) {
    const states = new LogStates({ documents, sealer, ed25519: webEd25519, sha256, url: URL })
    const heads = new LogOfHeads({
      ...{ store: trees, states, ledgers: store.ledgers, ed25519: webEd25519, sha256, http, clock, log: () => {} },
      witnesses: async () => policy,
      record: async (event, reason) => void recorded.push(`${event}: ${reason}`),
    })
    const checkpoints = new Checkpoints({
      store: trees,
      states,
      trees: heads.trees,
      witnessLines: async () => witnessLines,
    })
    return { trees, states, heads, checkpoints }
  }
  const places = new Map<string, number>()
  const keyOf = (unitId: string) => ({ issuerUrl: ISSUER, unitId })

  return {
    ...{ folder, store, clock, witnesses, down, recorded, newTrees, brokerOf, keyOf },
    /** Appends records to a ledger. */
    async append(unitId: string, count: number, reason = "a test") {
      const ledger = store.ledgers.of(ISSUER, unitId)
      const appending = Array.from({ length: count }, (_, at) => {
        const about = { at: clock.now(), requestId: `${reason}-${at}`, lease: null, reason }
        return ledger.append(brokersDraft("lease.closed", about))
      })
      await Promise.all(appending)
    },
    /** Hands new records to a broker as the follower does. */
    async follow({ heads }: { readonly heads: LogOfHeads }, ...unitIds: readonly string[]) {
      for (const unitId of unitIds) {
        const after = places.get(unitId) ?? 0
        const records = await store.ledgers.of(ISSUER, unitId).auditTrail(after, 1000)
        places.set(unitId, after + records.length)
        const names = { unit: null, unitKind: null, owner: null, ownerId: null }
        const ledger = {
          ...keyOf(unitId),
          ...names,
          seq: after + records.length,
          chain: "",
          latestAt: 0,
          openLeases: 0,
        }
        if (records.length > 0) await heads.take({ ledger, records })
      }
    },
    /** Lets the log sign what is due. */
    async sign({ heads, states }: { readonly heads: LogOfHeads; readonly states: LogStates }) {
      clock.advance(301)
      for (let at = 0; at < 5; at += 1) {
        await heads.due(clock.now().getTime())
        clock.advance(61)
        const read = await states.read()
        const signer = read === null ? null : await states.signer(read.state)
        for (const witness of witnesses.values()) if (signer) witness.logs.set(signer.key.name, signer.key)
      }
    },
    async close() {
      await store.close()
      rmSync(folder, { recursive: true })
    },
  }
}

export const hostOf = ({ key }: NoteSigner) => key.name.split("/")[0] ?? ""
