import { createHash, generateKeyPairSync, type KeyObject } from "node:crypto"

/** A signing key of the stand-in's, with what GitHub says of its own in a token's header and in the key set. */
export interface GitHubKey {
  readonly kid: string
  readonly x5t: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

/** Keys of stand-ins that have ended. To make one takes longer than most tests. */
const free: GitHubKey[] = []

/** A key that no other stand-in of this process holds. */
export const takeKey = (): GitHubKey => free.pop() ?? makeKey()

/** Gives keys back, once nothing that trusts them runs any more. */
export const giveBack = (keys: readonly GitHubKey[]): void => void free.push(...keys)

/** Makes an RSA key of 2048 bits. Like GitHub's, its `kid` is a SHA-1 in hex and its `x5t` the same in base64url. */
function makeKey(): GitHubKey {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
  const print = createHash("sha1")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest()
  return { kid: print.toString("hex").toUpperCase(), x5t: print.toString("base64url"), privateKey, publicKey }
}

/** The key as the key set shows it: its public half. */
export function publicJwk(key: GitHubKey) {
  return { ...key.publicKey.export({ format: "jwk" }), kid: key.kid, x5t: key.x5t, alg: "RS256", use: "sig" }
}
