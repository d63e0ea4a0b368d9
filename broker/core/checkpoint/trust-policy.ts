import type { Sha256 } from "../audit-chain.ts"
import { fail, ok, type Result } from "../result.ts"
import type { SignedCheckpoint } from "./checkpoint.ts"
import {
  parseVerifierKey,
  type VerifiedSignature,
  type VerifierKey,
  type VerifyEd25519,
  verifySignatures,
} from "./verifier-key.ts"

/** Whose signatures make a checkpoint valid (c2sp.org/tlog-policy): those of one log, and of a quorum of witnesses. */
export interface TrustPolicy {
  readonly logs: readonly VerifierKey[]
  readonly witnesses: readonly VerifierKey[]
  /** Null: no witness is needed. */
  readonly quorum: Quorum | null
}

/** A witness, or so many of some members. */
type Quorum = { readonly witness: VerifierKey } | { readonly needs: number; readonly members: readonly Quorum[] }

/** Longer than 32 logs, witnesses and groups, which the format asks for. */
const MAX_POLICY_CHARACTERS = 64 * 1024

/** Parses a policy. The reason starts with the line's number. */
export function parseTrustPolicy(text: string, sha256: Sha256): Result<TrustPolicy, string> {
  if (text.length > MAX_POLICY_CHARACTERS) return fail(`the policy is longer than ${MAX_POLICY_CHARACTERS} characters`)
  const reader = new PolicyReader(sha256)
  for (const [at, line] of text.split("\n").entries()) {
    const fault = reader.take(line)
    if (fault !== null) return fail(`line ${at + 1} ${fault}`)
  }
  if (reader.quorum === undefined) return fail("the policy has no quorum line: write `quorum NAME`, or `quorum none`")
  return ok({ logs: reader.logs, witnesses: reader.witnesses, quorum: reader.quorum })
}

class PolicyReader {
  readonly #sha256: Sha256
  readonly #named = new Map<string, Quorum>()
  /** Names that a group has as a member: a witness counts in one way only. */
  readonly #members = new Set<string>()
  readonly logs: VerifierKey[] = []
  readonly witnesses: VerifierKey[] = []
  quorum: Quorum | null | undefined

  constructor(sha256: Sha256) {
    this.#sha256 = sha256
  }

  /** What is wrong with the line; null when it is taken. */
  take(line: string): string | null {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the format allows one control character in a line, the tab.
    if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(line)) return "contains a control character"
    const [word = "", ...items] = line.split(/[ \t]+/).filter((item) => item !== "")
    if (word === "" || word.startsWith("#")) return null
    if (word === "log") return this.#takeLog(items)
    if (word === "witness") return this.#takeWitness(items)
    if (word === "group") return this.#takeGroup(items)
    if (word === "quorum") return this.#takeQuorum(items)
    return "starts with an unknown word: use log, witness, group or quorum"
  }

  #takeLog([key = "", ...others]: readonly string[]): string | null {
    if (others.length > 1) return "has too many items: log KEY [URL]"
    return this.#takeKey(key, this.logs, ["ed25519", "cosignature"])
  }

  #takeWitness([name = "", key = "", ...others]: readonly string[]): string | null {
    if (others.length > 1) return "has too many items: witness NAME KEY [URL]"
    const fault = this.#faultOfName(name) ?? this.#takeKey(key, this.witnesses, ["cosignature"])
    if (fault === null) this.#named.set(name, { witness: this.witnesses.at(-1) as VerifierKey })
    return fault
  }

  #takeKey(text: string, keys: VerifierKey[], types: readonly VerifierKey["type"][]): string | null {
    const key = parseVerifierKey(text, this.#sha256)
    if (!key.ok) return `has a key that ${key.fault}`
    if (!types.includes(key.value.type)) return "has a key that signs no cosignatures: the key of a witness has type 4"
    // By its bytes: under two names, one witness would count twice.
    const bytes = key.value.publicKey.join()
    if (keys.some((known) => known.publicKey.join() === bytes)) return "repeats a key"
    keys.push(key.value)
    return null
  }

  #takeGroup([name = "", count = "", ...names]: readonly string[]): string | null {
    const fault = this.#faultOfName(name)
    if (fault !== null) return fault
    if (names.length === 0) return "has no members: group NAME any|all|NUMBER MEMBER..."
    const members: Quorum[] = []
    for (const member of names) {
      const known = this.#named.get(member)
      if (known === undefined) return "names a member that no line before it defines"
      if (this.#members.has(member)) return "names a member that is in a group already"
      this.#members.add(member)
      members.push(known)
    }
    const needs = count === "any" ? 1 : count === "all" ? members.length : /^[1-9][0-9]*$/.test(count) ? +count : 0
    if (needs < 1 || needs > members.length) return "needs `any`, `all` or a number from 1 to that of its members"
    this.#named.set(name, { needs, members })
    return null
  }

  #takeQuorum([name = "", ...others]: readonly string[]): string | null {
    if (this.quorum !== undefined) return "is a second quorum line"
    if (others.length > 0) return "has too many items: quorum NAME"
    const quorum = name === "none" ? null : this.#named.get(name)
    if (quorum === undefined) return "names a quorum that no line before it defines"
    this.quorum = quorum
    return null
  }

  #faultOfName(name: string): string | null {
    if (name === "" || name === "none") return "has no name, or the name `none`, which is taken"
    return this.#named.has(name) ? "repeats a name" : null
  }
}

/** Who stands for a checkpoint: its log, and the witnesses that cosigned it. */
export interface TrustedCheckpoint {
  readonly log: VerifierKey
  readonly witnesses: readonly VerifiedSignature[]
}

/** Whether a checkpoint fulfils the policy. Fails with a reason that names no more than names of keys. */
export async function verifyCheckpoint(
  { origin, note }: SignedCheckpoint,
  policy: TrustPolicy,
  verify: VerifyEd25519,
): Promise<Result<TrustedCheckpoint, string>> {
  const logs = policy.logs.filter((key) => key.name === origin)
  if (logs.length === 0) return fail("the checkpoint is from a log that the policy does not list")
  const verified = await verifySignatures(note.text, note.signatures, [...logs, ...policy.witnesses], verify)
  if (!verified.ok) return verified
  const log = verified.value.find(({ key }) => logs.includes(key))
  if (log === undefined) return fail("the checkpoint is not signed by its log's key in the policy")
  const witnesses = verified.value.filter(({ key }) => policy.witnesses.includes(key))
  if (policy.quorum !== null && !isMet(policy.quorum, new Set(witnesses.map(({ key }) => key)))) {
    const names = [...new Set(witnesses.map(({ key }) => key.name))].join(", ")
    return fail(`the checkpoint lacks cosignatures for the policy's quorum; it has those of: ${names || "no witness"}`)
  }
  return ok({ log: log.key, witnesses })
}

function isMet(quorum: Quorum, cosigned: ReadonlySet<VerifierKey>): boolean {
  if ("witness" in quorum) return cosigned.has(quorum.witness)
  return quorum.members.filter((member) => isMet(member, cosigned)).length >= quorum.needs
}
