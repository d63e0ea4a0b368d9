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
  readonly witnesses: readonly PolicyWitness[]
  /** Null: no witness is needed. */
  readonly quorum: Quorum | null
}

export interface PolicyWitness {
  /** Its name in the policy, which means nothing elsewhere. */
  readonly name: string
  readonly key: VerifierKey
  /** Where a log asks it for cosignatures; null where the policy does not say. */
  readonly url: string | null
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
  readonly witnesses: PolicyWitness[] = []
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

  #takeLog([text = "", ...others]: readonly string[]): string | null {
    if (others.length > 1) return "has too many items: log KEY [URL]"
    const key = this.#readKey(text, this.logs)
    if (!key.ok) return key.fault
    this.logs.push(key.value)
    return null
  }

  #takeWitness([name = "", text = "", url, ...others]: readonly string[]): string | null {
    if (others.length > 0) return "has too many items: witness NAME KEY [URL]"
    const fault = this.#faultOfName(name)
    if (fault !== null) return fault
    const key = this.#readKey(
      text,
      this.witnesses.map((witness) => witness.key),
    )
    if (!key.ok) return key.fault
    if (key.value.type !== "cosignature") return "has a key that signs no cosignatures: a witness has a key of type 4"
    this.witnesses.push({ name, key: key.value, url: url ?? null })
    this.#named.set(name, { witness: key.value })
    return null
  }

  /** By its bytes: under two names, one witness would count twice. */
  #readKey(text: string, known: readonly VerifierKey[]): Result<VerifierKey, string> {
    const key = parseVerifierKey(text, this.#sha256)
    if (!key.ok) return fail(`has a key that ${key.fault}`)
    const bytes = key.value.publicKey.join()
    return known.some(({ publicKey }) => publicKey.join() === bytes) ? fail("repeats a key") : key
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
  const cosigners = policy.witnesses.map(({ key }) => key)
  const verified = await verifySignatures(note.text, note.signatures, [...logs, ...cosigners], verify)
  if (!verified.ok) return verified
  const log = verified.value.find(({ key }) => logs.includes(key))
  if (log === undefined) return fail("the checkpoint is not signed by its log's key in the policy")
  const witnesses = verified.value.filter(({ key }) => cosigners.includes(key))
  if (!meetsQuorum(policy, new Set(witnesses.map(({ key }) => key)))) {
    const names = [...new Set(witnesses.map(({ key }) => key.name))].join(", ")
    return fail(`the checkpoint lacks cosignatures for the policy's quorum; it has those of: ${names || "no witness"}`)
  }
  return ok({ log: log.key, witnesses })
}

/** Whether cosignatures by these keys of the policy's witnesses are enough. */
export const meetsQuorum = ({ quorum }: TrustPolicy, cosigned: ReadonlySet<VerifierKey>): boolean =>
  quorum === null || isMet(quorum, cosigned)

function isMet(quorum: Quorum, cosigned: ReadonlySet<VerifierKey>): boolean {
  if ("witness" in quorum) return cosigned.has(quorum.witness)
  return quorum.members.filter((member) => isMet(member, cosigned)).length >= quorum.needs
}
