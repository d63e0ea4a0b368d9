import { compareTrust } from "../../analysis/trust/compare.ts"
import { readDoor } from "../../analysis/trust/door.ts"
import { poolOfBoth } from "../../analysis/trust/google.ts"
import type { Door, Given, TrustFinding } from "../../analysis/trust/model.ts"
import { strangersOf } from "../../analysis/trust/strangers.ts"
import type { ClaimValue } from "../../broker/core/identity.ts"
import { ORGANISATION_FILE } from "../../broker/core/policy/load.ts"
import type { PolicySet } from "../../broker/core/policy/model.ts"
import { fail, ok, type Result } from "../../broker/core/result.ts"
import { parseStrictJsonObject } from "../../broker/issuers/strict-json.ts"
import { impossible, reasonOf } from "../arguments.ts"
import { counted, type Finding, type Format, printJson, printReport } from "../format.ts"
import { inert } from "../inert.ts"
import { type CliIo, EXIT } from "../io.ts"
import { poolOf, type Side, sendsTags, sidesOf, type Vendor } from "./side.ts"

/** Not 1: a workflow must distinguish "the cloud lets in more" from "something is broken". As `daypass diff`. */
const LETS_IN_MORE = 3

/** A role's trust policy has some KiB, and a project's IAM policy with 1,500 members some hundreds. */
const MAX_FILE_BYTES = 1024 * 1024

export interface Comparing {
  /** `-` for standard input. Several only for a pool's provider and an IAM policy. */
  readonly files: readonly string[]
  readonly connection: string
  readonly grant: string | undefined
  /** The role, client or account whose document it is. */
  readonly trustedBy: string | undefined
  readonly folder: string
  readonly format: Format
  readonly broker: string
}

/** Compares the document of a file with what the policies give, and prints the findings. Resolves to the exit code. */
export async function compareWith(asked: Comparing, set: PolicySet, given: Given, io: CliIo): Promise<number> {
  const { connection: name, format, folder, broker } = asked
  const sides = sidesOf(set, given, asked)
  const [first] = sides
  if (first === undefined || !first.usesTokens)
    return impossible(`the connection ${name} uses no identity token of the broker, so its other side trusts none`, io)
  const about = { issuer: broker, pools: sides.flatMap(({ connection }) => poolOf(connection) ?? []) }
  const doors: Door[] = []
  for (const file of asked.files) {
    const value = await readDocument(file, io)
    if (!value.ok) return impossible(value.fault, io)
    const door = readDoor(value.value, about, parseText)
    if (!door.ok) return impossible(`${shown(file)} ${door.fault}`, io)
    const isOne = sides.some(({ vendor }) => VENDOR_OF[door.value.kind] === vendor)
    if (!isOne && first.connection.provider !== "identity-token")
      return impossible(
        `${shown(file)} is ${KIND_WORDS[door.value.kind]}, but the connection ${name} has provider: ${first.connection.provider}`,
        io,
      )
    doors.push(door.value)
  }
  const door = single(doors)
  if (door === null)
    return impossible(
      "--against takes two files only for a provider of a Google pool and an IAM policy for its principals",
      io,
    )
  // The keys of a connection for SOPS may go through several vendors.
  const side = sides.find(({ vendor }) => VENDOR_OF[door.kind] === vendor) ?? first
  const whose = whoseIs(door, side, asked.trustedBy)
  if (!whose.ok) return impossible(`${asked.files.map(shown).join(" ")} ${whose.fault}`, io)

  // What one pool of Google Cloud lets in is decided for all connections to it.
  const isPool = door.kind === "google-provider"
  const subjects = isPool ? side.pool.subjects : side.subjects
  const compared = compareTrust(door, {
    ...about,
    audiences: side.audiences,
    door: whose.value,
    subjects,
    others: given.subjects.filter((one) => !subjects.includes(one)),
    open: isPool ? side.pool.open : side.open,
    strangers: strangersOf(given.subjects),
    sendsTags: sendsTags(side.connection),
  })
  const count = (severity: TrustFinding["severity"]) =>
    compared.findings.filter((finding) => finding.severity === severity).length
  const summary = compared.proved
    ? `Proved: ${KIND_WORDS[door.kind]} lets in nothing beyond the ${counted(compared.expected.length, "subject")} that the policies give.`
    : `Not proved: ${counted(count("finding"), "finding")}. The policies give ${counted(compared.expected.length, "subject")}.`
  if (format === "json")
    printJson(
      {
        ok: compared.proved,
        version: set.version,
        broker,
        connection: name,
        kind: door.kind,
        name: door.name,
        subjects: compared.expected.map(({ subject }) => subject),
        findings: compared.findings.map(asJson),
      },
      io,
    )
  else if (format === "github")
    await printReport({ tool: "trust", folder, findings: compared.findings.map(asAnnotation), summary }, format, io)
  else {
    for (const { severity, place, message, code } of compared.findings)
      io.out(inert(`${place}: ${SEVERITY[severity]}: ${message} [${code}]`))
    io.out(inert(summary))
  }
  return compared.proved ? EXIT.ok : LETS_IN_MORE
}

/** One document, or the two that decide together. */
function single(doors: readonly Door[]): Door | null {
  const [one, other, ...more] = doors
  if (one === undefined || more.length > 0) return null
  if (other === undefined) return one
  if (one.kind === "google-provider" && other.kind === "google-binding") return poolOfBoth(one, other)
  return one.kind === "google-binding" && other.kind === "google-provider" ? poolOfBoth(other, one) : null
}

const MAX_NAMED = 10

/**
 * The role, client or account whose document this is. Grants for another one must not count as given, so it has to be known
 * when the grants name several. The fault ends a sentence.
 */
function whoseIs({ kind, name }: Door, side: Side, named: string | undefined): Result<string | null, string> {
  if (kind === "google-provider") return ok(null)
  const own = kind === "aws-role" ? name : null
  if (own !== null && named !== undefined && own !== named)
    return fail(`is of ${own}, and not of --trusted-by ${named}`)
  const door = own ?? named
  if (door !== undefined) return ok(door)
  const doors = [...new Set([...side.subjects, ...side.open].flatMap((one) => one.door ?? []))]
  if (doors.length < 2) return ok(doors[0] ?? null)
  const some = doors.slice(0, MAX_NAMED).join(", ")
  return fail(`does not say whose it is, and the grants name ${doors.length}: pass --trusted-by with one of ${some}`)
}

const VENDOR_OF: Readonly<Record<Door["kind"], Vendor>> = {
  "aws-role": "aws",
  "vault-role": "vault",
  "azure-credential": "azure",
  "google-provider": "google",
  "google-binding": "google",
  "google-pool": "google",
}

const KIND_WORDS: Readonly<Record<Door["kind"], string>> = {
  "aws-role": "a trust policy of AWS",
  "vault-role": "a role of Vault",
  "azure-credential": "a federated credential of Azure",
  "google-provider": "a provider of a Google pool",
  "google-binding": "an IAM policy of Google Cloud",
  "google-pool": "a Google pool with its provider",
}

const SEVERITY = { finding: "warning", note: "notice" } as const

const asJson = ({ severity, ...finding }: TrustFinding) => ({ severity: SEVERITY[severity], ...finding })

/** The document is in no file of the pull request, so its findings stand at the organisation file. */
const asAnnotation = ({ severity, code, place, message }: TrustFinding): Finding => ({
  severity: SEVERITY[severity],
  code,
  file: ORGANISATION_FILE,
  line: 1,
  column: 1,
  message: `${place}: ${message}`,
})

/** Reads a file or standard input as JSON. The fault is a sentence that never quotes the input. */
async function readDocument(file: string, io: CliIo): Promise<Result<ClaimValue, string>> {
  const tooLong = fail(`${shown(file)} is longer than ${MAX_FILE_BYTES / 1024} KiB, which no such document is`)
  let bytes: Uint8Array | null
  try {
    bytes = file === "-" ? await io.readInput(MAX_FILE_BYTES) : await io.readFile(file)
  } catch (error) {
    return fail(`${shown(file)} cannot be read (${reasonOf(error)})`)
  }
  if (bytes === null || bytes.length > MAX_FILE_BYTES) return tooLong
  const value = parseBytes(bytes)
  return value.ok ? value : fail(`${shown(file)} ${value.fault}`)
}

const shown = (file: string) => (file === "-" ? "standard input" : file)

const ARRAY = /^\s*\[/

/** One JSON value with the rules for tokens: no key twice, because two readers could read it differently. */
function parseBytes(bytes: Uint8Array): Result<ClaimValue, string> {
  const start = new TextDecoder("latin1").decode(bytes.subarray(0, 64))
  if (!ARRAY.test(start)) return parseStrictJsonObject(bytes)
  const [before, after] = ['{"list":', "}"].map((text) => new TextEncoder().encode(text))
  const wrapped = parseStrictJsonObject(Buffer.concat([before ?? bytes, bytes, after ?? bytes]))
  if (!wrapped.ok) return wrapped
  const { list = null, ...more } = wrapped.value
  return Object.keys(more).length === 0 ? ok(list) : fail("is not JSON")
}

function parseText(text: string): ClaimValue | null {
  const parsed = parseStrictJsonObject(new TextEncoder().encode(text))
  return parsed.ok ? parsed.value : null
}
