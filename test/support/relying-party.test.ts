import { generateKeyPairSync } from "node:crypto"
import { type JWTHeaderParameters, SignJWT, UnsecuredJWT } from "jose"
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { type TokenFault, TokenRefusal, verifyIdentityToken } from "./relying-party.ts"
import { type LoopbackServer, startServer } from "./servers.ts"

const AUDIENCE = "https://vault.acme.example"
const RS256 = { alg: "RS256", kid: "one" } as const
const LISTS = {
  response_types_supported: ["id_token"],
  subject_types_supported: ["public"],
  id_token_signing_alg_values_supported: ["RS256"],
}

type Key = ReturnType<typeof makeKey>

/** What the issuer answers, by path: a document, a text, or where it leads to. */
type Documents = Record<string, object | string | { readonly location: string }>

let server: LoopbackServer
let own: Key
let stranger: Key
let documents: Documents

beforeAll(async () => {
  own = makeKey(2048)
  stranger = makeKey(2048)
  server = await startServer(
    async (request, response) => {
      const found = documents[request.url ?? ""]
      if (found === undefined) response.writeHead(404).end()
      else if (typeof found === "object" && "location" in found)
        response.writeHead(302, { Location: String(found.location) }).end()
      else response.writeHead(200).end(typeof found === "string" ? found : JSON.stringify(found))
    },
    (fault) => {
      throw fault
    },
  )
})
afterAll(() => server.close())
beforeEach(() => {
  documents = {
    "/.well-known/openid-configuration": discovery({}),
    "/keys": { keys: [own.publicJwk] },
  }
})

const discovery = (change: object) => ({ issuer: server.url, jwks_uri: `${server.url}/keys`, ...LISTS, ...change })
const now = () => Math.floor(Date.now() / 1000)

function makeKey(modulusLength: number) {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength })
  const more = { kid: RS256.kid, alg: RS256.alg, use: "sig" }
  return {
    privateKey,
    publicJwk: { ...publicKey.export({ format: "jwk" }), ...more },
    privateJwk: { ...privateKey.export({ format: "jwk" }), ...more },
  }
}

const claimsWith = (change: object) => ({
  iss: server.url,
  aud: AUDIENCE,
  sub: "github:repository:41",
  jti: "a-token",
  iat: now(),
  exp: now() + 300,
  ...change,
})

const token = (
  change: object = {},
  header: JWTHeaderParameters = RS256,
  key: Parameters<SignJWT["sign"]>[0] = own.privateKey,
) => new SignJWT(claimsWith(change)).setProtectedHeader(header).sign(key)

/** Why it is refused; null when it is not. */
async function faultOf(text: string): Promise<TokenFault | null> {
  try {
    await verifyIdentityToken(text, [
      { issuer: "https://another.example", audiences: ["https://another-audience.example"] },
      { issuer: server.url, audiences: [AUDIENCE, "https://second.example"] },
    ])
    return null
  } catch (error) {
    if (error instanceof TokenRefusal) return error.fault
    throw error
  }
}

describe("a relying party takes no token that", () => {
  it.each<readonly [string, () => Promise<string> | string, TokenFault]>([
    ["is none", () => "no.token.x", "malformed"],
    ["has four parts", async () => `${await token()}.x`, "malformed"],
    ["names no key", () => token({}, { alg: "RS256" }), "malformed"],
    ["is of a foreign issuer", () => token({ iss: "https://issuer.example" }), "issuer-unknown"],
    ["is of an issuer whose name goes on", () => token({ iss: `${server.url}/` }), "issuer-unknown"],
    ["says no issuer", () => token({ iss: undefined }), "issuer-unknown"],
    ["is for another audience", () => token({ aud: "https://elsewhere.example" }), "audience"],
    ["is for the audience of another issuer", () => token({ aud: "https://another-audience.example" }), "audience"],
    ["is for a list of audiences", () => token({ aud: [AUDIENCE] }), "audience"],
    ["is signed with a key that was never published", () => token({}, RS256, stranger.privateKey), "signature"],
    ["names a key that was never published", () => token({}, { ...RS256, kid: "two" }), "signature"],
    ["was changed after it was signed", async () => withOther(await token()), "signature"],
    [
      "is signed with the public key as a secret",
      () => token({}, { ...RS256, alg: "HS256" }, Buffer.from(JSON.stringify(own.publicJwk))),
      "signature",
    ],
    ["is not signed", () => unsigned(new UnsecuredJWT(claimsWith({})).encode()), "malformed"],
    [
      "is not signed, and ends in something",
      () => unsigned(new UnsecuredJWT(claimsWith({})).encode(), "AA"),
      "signature",
    ],
    ["has expired", () => token({ iat: now() - 301, exp: now() - 1 }), "expired"],
    ["never expires", () => token({ exp: undefined }), "malformed"],
    ["is from the future", () => token({ iat: now() + 60 }), "not-yet-valid"],
    ["is not valid yet", () => token({ nbf: now() + 60 }), "not-yet-valid"],
    ["says no subject", () => token({ sub: undefined }), "malformed"],
    ["says no audience", () => token({ aud: undefined }), "malformed"],
    ["has no id", () => token({ jti: undefined }), "malformed"],
  ])("%s", async (_, make, fault) => {
    expect(await faultOf(await make())).toBe(fault)
  })
})

describe("a relying party takes no token of an issuer", () => {
  it.each<readonly [string, () => Documents, TokenFault]>([
    [
      "that is not there",
      () => ({ "/.well-known/openid-configuration": { location: "http://127.0.0.1:1/" } }),
      "keys-unavailable",
    ],
    [
      "whose discovery leads elsewhere",
      () => moved("/.well-known/openid-configuration", discovery({})),
      "keys-unavailable",
    ],
    ["whose keys lead elsewhere", () => moved("/keys", { keys: [own.publicJwk] }), "keys-unavailable"],
    ["that discovers another", () => described({ issuer: "https://issuer.example" }), "keys-unusable"],
    ["that discovers no keys", () => described({ jwks_uri: undefined }), "keys-unusable"],
    [
      "that does not say what it signs with",
      () => described({ id_token_signing_alg_values_supported: [] }),
      "keys-unusable",
    ],
    ["whose discovery is no JSON", () => ({ "/.well-known/openid-configuration": "<html>" }), "keys-unusable"],
    ["whose keys are nothing", () => ({ "/keys": "null" }), "keys-unusable"],
    [
      "whose keys are too long",
      () => ({ "/keys": JSON.stringify({ keys: [own.publicJwk] }).padStart(70_000) }),
      "keys-unusable",
    ],
    ["without a key", () => ({ "/keys": { keys: [] } }), "keys-unusable"],
    [
      "with 101 keys",
      () => keys(Array.from({ length: 101 }, (_, at) => ({ kty: "RSA", n: own.publicJwk.n, e: "AQAB", kid: `${at}` }))),
      "keys-unusable",
    ],
    ["whose key has private members", () => keys([own.privateJwk]), "keys-unusable"],
    [
      "that shows its private key beside the right one",
      () => keys([own.publicJwk, { ...stranger.privateJwk, kid: "two" }]),
      "keys-unusable",
    ],
    ["whose key has no name", () => keys([{ ...own.publicJwk, kid: undefined }]), "keys-unusable"],
    ["whose key is too short", () => keys([makeKey(1024).publicJwk]), "keys-unusable"],
    ["whose key is a secret", () => keys([{ kty: "oct", kid: "one", k: "AAAA" }]), "keys-unusable"],
    ["two of whose keys have one name", () => keys([own.publicJwk, stranger.publicJwk]), "signature"],
  ])("%s", async (_, change, fault) => {
    const text = await token()
    expect(await faultOf(text), "it is good before").toBeNull()
    Object.assign(documents, change())
    expect(await faultOf(text)).toBe(fault)
  })
})

it("takes a token for any of the issuer's audiences, and says what is in it", async () => {
  const text = await token({ aud: "https://second.example" })
  const trusted = [{ issuer: server.url, audiences: [AUDIENCE, "https://second.example"] }]
  expect(await verifyIdentityToken(text, trusted)).toMatchObject({ sub: "github:repository:41", jti: "a-token" })
})

const keys = (list: readonly object[]): Documents => ({ "/keys": { keys: list } })
const described = (change: object): Documents => ({ "/.well-known/openid-configuration": discovery(change) })
/** The right answer, where a redirect leads to. */
const moved = (path: string, right: object): Documents => ({ [path]: { location: "/elsewhere" }, "/elsewhere": right })

/** The same signature, below claims of one's own. */
function withOther(text: string): string {
  const [header, , signature] = text.split(".")
  const payload = Buffer.from(JSON.stringify(claimsWith({ sub: "github:repository:63" }))).toString("base64url")
  return [header, payload, signature].join(".")
}

/** A token of the algorithm `none`, which names a key. */
function unsigned(text: string, signature = ""): string {
  const header = Buffer.from(JSON.stringify({ alg: "none", kid: RS256.kid })).toString("base64url")
  return [header, text.split(".")[1], signature].join(".")
}
