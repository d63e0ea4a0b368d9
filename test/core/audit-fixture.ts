import { sha256 } from "@noble/hashes/sha2.js"
import {
  type ChainHead,
  type ChainLink,
  chainRecord,
  chainStart,
  type LedgerName,
} from "../../broker/core/audit-chain.ts"
import { ExportWriter } from "../../broker/core/audit-export.ts"
import type { AuditDraft } from "../../broker/core/audit-record.ts"

/** A draft that an exchange could have written; `changes` on top. */
export function draft(changes: Partial<AuditDraft> = {}): AuditDraft {
  return {
    version: 2,
    at: "2026-11-20T10:00:00.000Z",
    request_id: "request-1",
    event: "exchange.intended",
    identity: {
      issuer: "https://token.actions.githubusercontent.com",
      unit_kind: "repository",
      unit: "acme/shop",
      unit_id: "41",
      owner: "acme",
      owner_id: "9001",
      environment: "production",
      ref: "refs/heads/main",
      event: "push",
      actor: "octocat",
      actor_id: "1",
      run_id: "100",
      run_attempt: "1",
    },
    token_digest: "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg",
    token_binding: "none",
    lease: "lease-1",
    grants: [
      { name: "aws", connection: "aws-prod", provider: "aws", resource: "arn:aws:iam::1:role/ü", ttl_seconds: 900 },
    ],
    decision: "allow",
    reason: "allowed",
    policy_version: "v1",
    client_address: null,
    ...changes,
  }
}

/** A chain of `length` records from its start. */
export function chainOf(name: LedgerName, length: number): { links: ChainLink[]; head: ChainHead } {
  const links: ChainLink[] = []
  let chain = chainStart(name, sha256)
  for (let seq = 1; seq <= length; seq += 1) {
    const link = chainRecord(chain, { ...draft({ request_id: `request-${seq}` }), seq }, sha256)
    if (!link.ok) throw new Error(link.fault)
    links.push(link.value)
    chain = link.value.chain
  }
  return { links, head: { seq: length, chain } }
}

/** An export of these ledgers, as lines without their line feeds. */
export function exportOf(...ledgers: readonly (readonly [LedgerName, number])[]): string[] {
  const writer = new ExportWriter()
  const lines = ledgers.flatMap(([name, length]) => {
    const { links, head } = chainOf(name, length)
    return [writer.ledger(name), ...links.map((link) => writer.record(link)), writer.head(head)]
  })
  return [...lines, writer.end()]
}

/** The file's bytes: every line ended by a line feed. */
export function fileOf(lines: readonly string[]): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(lines.map((line) => `${line}\n`).join(""))
}
