import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { calculateJwkThumbprint, compactDecrypt, exportJWK, generateKeyPair } from "jose"
import type { ChainedRecord } from "../../broker/ports/ledger.ts"
import type { ExchangeAnswer, PublicJwk } from "../../broker/wire/exchange.ts"
import { ROLE, SUBJECT } from "../support/acme.ts"
import { type GitHub, startGitHub } from "../support/github.ts"
import { type Sts, startSts } from "../support/sts.ts"
import { issuerLines, writeCiPolicies } from "./cis/policies.ts"
import { SUBJECTS } from "./cis/subjects.ts"
import { type Cis, startCis, stopCis } from "./cis/world.ts"
import { writeFlowPolicies } from "./policies.ts"

/** A broker that runs for real, in whichever runtime. */
export interface RunningBroker {
  readonly url: string
  /** Everything it has printed. */
  output(): string
  /** All that it keeps in files, as bytes are read; empty where it keeps none. */
  stored(): string
  /** The audit trail of a repository, from its first record. */
  trail(issuer: string, unitId: string): Promise<readonly ChainedRecord[]>
  /** Moves its clock on; only if it was started with one that can be moved. */
  advance(seconds: number): Promise<void>
  stop(): Promise<unknown>
}

export interface BrokerOptions {
  readonly policies: string
  readonly port?: number
  readonly kek?: string
  /** Settings besides its URL and its key. */
  readonly settings?: Readonly<Record<string, string>>
  readonly movableClock?: boolean
}

export type StartBroker = (options: BrokerOptions) => Promise<RunningBroker>

export interface FlowWorld {
  readonly github: GitHub
  readonly cis: Cis
  readonly sts: Sts
  readonly broker: RunningBroker
  readonly policies: string
  close(): Promise<void>
}

/** GitHub and other CIs, AWS STS and a broker between them, all on loopback. */
export async function startFlowWorld(startBroker: StartBroker): Promise<FlowWorld> {
  const policies = mkdtempSync(join(tmpdir(), "daypass-flow-"))
  const [github, cis, sts] = await Promise.all([startGitHub(), startCis(), startSts()])
  writeFlowPolicies(policies, { issuer: github.issuer, sts: sts.url, issuers: issuerLines(cis) })
  writeCiPolicies(policies)
  const broker = await startBroker({ policies })
  sts.addRole({
    arn: ROLE,
    issuer: broker.url,
    audiences: ["sts.amazonaws.com"],
    subject: { StringEquals: [SUBJECT, ...SUBJECTS] },
    tagSession: true,
  })
  return {
    github,
    cis,
    sts,
    broker,
    policies,
    async close() {
      await broker.stop()
      await github.close()
      await stopCis(cis)
      await sts.close()
      rmSync(policies, { recursive: true, force: true })
    },
  }
}

/** The claims of a job of acme/shop that deploys to production from main. */
export const DEPLOYMENT = {
  repository: "acme/shop",
  repository_id: "41",
  repository_owner: "acme",
  repository_owner_id: "9001",
  environment: "production",
  ref: "refs/heads/main",
  event_name: "push",
  run_id: "7001",
  run_attempt: "1",
} as const

/** A key as the action makes one, with what a request and an answer need of it. */
export async function makeJobKey() {
  const { publicKey, privateKey } = await generateKeyPair("ECDH-ES", { crv: "P-256", extractable: true })
  const { x = "", y = "" } = await exportJWK(publicKey)
  const jwk: PublicJwk = { kty: "EC", crv: "P-256", x, y }
  return {
    jwk,
    thumbprint: await calculateJwkThumbprint({ ...jwk }),
    async open(jwe: string): Promise<ExchangeAnswer> {
      const { plaintext } = await compactDecrypt(jwe, privateKey, {
        keyManagementAlgorithms: ["ECDH-ES"],
        contentEncryptionAlgorithms: ["A256GCM"],
      })
      return JSON.parse(new TextDecoder().decode(plaintext))
    },
  }
}

/** Sends one request to a broker, as any client would. */
export async function send(
  broker: { readonly url: string },
  path: string,
  request: {
    readonly method?: string
    readonly token?: string
    readonly body?: unknown
    readonly headers?: Record<string, string>
    readonly raw?: string
  } = {},
) {
  const body = request.raw ?? (request.body === undefined ? undefined : JSON.stringify(request.body))
  const response = await fetch(`${broker.url}${path}`, {
    method: request.method ?? (body === undefined ? "GET" : "POST"),
    headers: {
      ...(request.token === undefined ? {} : { authorization: `Bearer ${request.token}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...request.headers,
    },
    ...(body === undefined ? {} : { body }),
    redirect: "manual",
  })
  const text = await response.text()
  const json: Record<string, unknown> = /json/.test(response.headers.get("content-type") ?? "") ? JSON.parse(text) : {}
  return { status: response.status, headers: response.headers, text, json }
}
