import { sha256 } from "@noble/hashes/sha2.js"
import { utf8ToBytes } from "@noble/hashes/utils.js"
import { webEd25519 } from "../../broker/adapters/web/ed25519.ts"
import { decodeHash } from "../../broker/core/checkpoint/base64.ts"
import { parseCheckpoint } from "../../broker/core/checkpoint/checkpoint.ts"
import { isConsistent, sameHash, type TreeHead } from "../../broker/core/checkpoint/proofs.ts"
import { emptyRoot } from "../../broker/core/checkpoint/tree.ts"
import { type VerifierKey, verifySignatures } from "../../broker/core/checkpoint/verifier-key.ts"
import type { HttpRequest, HttpResponse } from "../../broker/ports/http.ts"
import type { NoteSigner } from "./ed25519.ts"

/**
 * A witness as c2sp.org/tlog-witness has it: it answers what the real one answers, and cosigns nothing that does not follow.
 * The interop run has one of foreign make.
 */
export class Witness {
  readonly #signer: NoteSigner
  readonly #seen = new Map<string, TreeHead>()
  /** The logs that it knows, by their origins. */
  readonly logs = new Map<string, VerifierKey>()
  requests = 0

  constructor(signer: NoteSigner) {
    this.#signer = signer
  }

  async answer({ method, url, body }: HttpRequest): Promise<HttpResponse> {
    this.requests += 1
    if (method !== "POST" || !url.endsWith("/add-checkpoint")) return answer(404)
    const text = typeof body === "string" ? body : new TextDecoder().decode(body)
    const end = text.indexOf("\n\n")
    const [oldLine = "", ...lines] = text.slice(0, end).split("\n")
    const old = /^old (0|[1-9][0-9]*)$/.exec(oldLine)?.[1]
    const proof = lines.map(decodeHash)
    const checkpoint = parseCheckpoint(utf8ToBytes(text.slice(end + 2)))
    if (end === -1 || old === undefined || proof.includes(null) || proof.length > 63 || !checkpoint.ok)
      return answer(400)
    const { origin, size, root, note } = checkpoint.value
    const key = this.logs.get(origin)
    if (key === undefined) return answer(404)
    const signed = await verifySignatures(note.text, note.signatures, [key], webEd25519.verify)
    if (!signed.ok || signed.value.length === 0) return answer(403)
    if (Number(old) > size) return answer(400)
    const seen = this.#seen.get(origin) ?? { size: 0, root: emptyRoot(sha256) }
    if (Number(old) !== seen.size) return answer(409, `${seen.size}\n`, "text/x.tlog.size")
    if (seen.size === size && !sameHash(seen.root, root)) return answer(409, `${size}\n`, "text/x.tlog.size")
    if (!isConsistent(seen, { size, root }, proof as Uint8Array[], sha256)) return answer(422)
    this.#seen.set(origin, { size, root })
    return answer(200, await this.#signer.sign(note.text))
  }
}

const answer = (status: number, body = "", type = "text/plain"): HttpResponse => ({
  status,
  header: (name) => (name.toLowerCase() === "content-type" ? type : null),
  body: utf8ToBytes(body),
})
