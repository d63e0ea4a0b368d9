import { sha256 } from "@noble/hashes/sha2.js"
import { CheckpointWatcher, verifyProofs } from "../../analysis/audit/checkpoints.ts"
import { type ChainVerdict, ChainVerifier } from "../../analysis/audit/verify.ts"
import type { ChainHead } from "../core/audit-chain.ts"
import { HeadsDigest } from "../core/audit-export.ts"
import { parseTrustPolicy } from "../core/checkpoint/trust-policy.ts"
import type { VerifyEd25519 } from "../core/checkpoint/verifier-key.ts"

// Runs in a person's browser, on the console's page that verifies: the code of `daypass audit verify`, over the same export.

/** The little of a page that is used here. With the types of all browsers, every file of the project would have them. */
interface PageElement {
  hidden: boolean
  disabled: boolean
  className: string
  textContent: string | null
  value: string
  readonly dataset: Readonly<Record<string, string | undefined>>
  remove(): void
  addEventListener(type: "click", act: () => void): void
}
declare const document: { getElementById(id: string): PageElement | null }

/** Thrown with a sentence for the person. */
class Unverified extends Error {}

const encoder = new TextEncoder()

const verifyEd25519: VerifyEd25519 = async (publicKey, message, signature) => {
  const key = await crypto.subtle.importKey("raw", Uint8Array.from(publicKey), "Ed25519", false, ["verify"])
  return await crypto.subtle.verify("Ed25519", key, Uint8Array.from(signature), Uint8Array.from(message))
}

async function load(url: string): Promise<string> {
  const answer = await fetch(url, { credentials: "same-origin", redirect: "error" }).catch(() => null)
  if (answer === null) throw new Unverified("The broker cannot be reached. Try again.")
  if (answer.status === 401) throw new Unverified("Your session has ended. Load this page again to sign in.")
  if (!answer.ok) throw new Unverified(`The broker answered with status ${answer.status}. Nothing was verified.`)
  return await answer.text()
}

/** Reads the whole ledger, part after part, and verifies it while it comes. Returns the verdict, as of a file. */
async function verifyChain(
  url: string,
  verifier: ChainVerifier,
  tell: (records: number) => void,
): Promise<ChainVerdict> {
  const heads = new HeadsDigest()
  let records = 0
  for (let after: string | null = ""; after !== null; ) {
    const lines = (await load(after === "" ? url : `${url}&after=${encodeURIComponent(after)}`)).trimEnd().split("\n")
    const last = JSON.parse(lines.pop() ?? "null") as { readonly next?: string; readonly done?: true } | null
    if (last?.next === undefined && last?.done !== true)
      throw new Unverified("The answer was cut on its way. Try again.")
    for (const line of lines) {
      verifier.push(encoder.encode(`${line}\n`))
      if (line.startsWith('{"chain"')) records += 1
      if (line.startsWith('{"head"')) heads.add((JSON.parse(line) as { readonly head: ChainHead }).head)
    }
    tell(records)
    after = last.next ?? null
  }
  verifier.push(encoder.encode(`{"end":{"digest":"${heads.digest()}","ledgers":${heads.ledgers}}}\n`))
  return verifier.end()
}

/** The sentences of what was found, when all is well. */
async function verify(
  { exported, proof }: { readonly exported: string; readonly proof: string },
  policyText: string,
  tell: (records: number) => void,
): Promise<readonly string[]> {
  const proofText = await load(proof)
  const trusted = policyText.trim() === "" ? null : parseTrustPolicy(`${policyText.trim()}\n`, sha256)
  if (trusted?.ok === false) throw new Unverified(`The policy of signatures cannot be read: ${trusted.fault}.`)
  const proofs =
    trusted === null || proofText === ""
      ? null
      : await verifyProofs(encoder.encode(proofText), trusted.value, verifyEd25519, sha256)
  if (proofs?.ok === false) throw new Unverified(`The checkpoint does not verify: ${proofs.fault}.`)
  const watcher = new CheckpointWatcher(proofs?.value.heads ?? [], sha256)
  const verdict = await verifyChain(exported, new ChainVerifier(sha256, [], watcher), tell)
  if (!verdict.ok) {
    const { seq, reason } = verdict.fault
    throw new Unverified(`${seq === null ? "The record" : `Record ${seq}`} does not verify: ${reason}.`)
  }
  const { coverage, misfits } = watcher.end()
  const [misfit] = misfits
  if (misfit) throw new Unverified(`The record does not fit its checkpoint: ${misfit.reason}.`)
  const [head] = verdict.ledgers
  const chain = `${head?.seq ?? 0} records verify. The head is ${head?.chain ?? "none"}.`
  if (proofs === null)
    return [chain, "No checkpoint was compared, so a record that was rewritten as a whole would look the same."]
  const signers = proofs.value.checkpoints.flatMap(({ witnesses }) => witnesses.map(({ key }) => key.name))
  const by = signers.length === 0 ? "no witness cosigned it" : `cosigned by ${[...new Set(signers)].join(", ")}`
  return [chain, `The first ${coverage[0]?.proven ?? 0} of them are those of the signed checkpoint (${by}).`]
}

function start(): void {
  const [button, policy, progress, verdict] = ["start", "policy", "progress", "verdict"].map((id) =>
    document.getElementById(id),
  )
  if (!button || !progress || !verdict) return
  document.getElementById("unscripted")?.remove()
  const { exported = "", proof = "" } = button.dataset
  button.disabled = false
  button.addEventListener("click", () => {
    button.disabled = true
    progress.hidden = false
    verdict.className = "note"
    verdict.textContent = "Reading the record."
    const tell = (records: number) => {
      verdict.textContent = `${records} records verify so far.`
    }
    verify({ exported, proof }, policy?.value ?? "", tell)
      .then((sentences) => {
        verdict.className = "note good"
        verdict.textContent = `It verifies. ${sentences.join(" ")}`
      })
      .catch((error: unknown) => {
        verdict.className = "note bad"
        verdict.textContent =
          error instanceof Unverified
            ? error.message
            : "This browser cannot verify it: it needs Ed25519 in WebCrypto. Use daypass audit verify."
      })
      .finally(() => {
        progress.hidden = true
        button.disabled = false
      })
  })
}

start()
