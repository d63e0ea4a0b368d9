// What the broker is measured against in workerd: a bare Hono route that verifies the token, has one object insert one row,
// and signs, with the same libraries and none of the care. The object's answer waits until the row is on the disk.
import { DurableObject } from "cloudflare:workers"
import { Hono } from "hono"
import { createRemoteJWKSet, generateKeyPair, jwtVerify, SignJWT } from "jose"

interface Env {
  readonly ISSUER: string
  readonly AUDIENCE: string
  readonly USED: DurableObjectNamespace<Used>
}

export class Used extends DurableObject<Env> {
  readonly #sql: SqlStorage

  constructor(state: DurableObjectState, env: Env) {
    super(state, env)
    this.#sql = state.storage.sql
    this.#sql.exec("CREATE TABLE IF NOT EXISTS used (jti TEXT PRIMARY KEY, at TEXT)")
  }

  use(jti: string): void {
    this.#sql.exec("INSERT INTO used VALUES (?, ?)", jti, new Date().toISOString())
  }
}

let keys: ReturnType<typeof createRemoteJWKSet> | undefined
let privateKey: CryptoKey | undefined

const app = new Hono<{ Bindings: Env }>()

// Asked once before the load, so that no two requests make a key or fetch the issuer's.
app.get("/ready", async ({ env, text }) => {
  privateKey ??= (await generateKeyPair("RS256")).privateKey
  keys ??= createRemoteJWKSet(new URL(`${env.ISSUER}/.well-known/jwks`))
  await keys.reload()
  return text("ready")
})

app.post("/v1/exchange", async ({ env, req, json }) => {
  if (!keys || !privateKey) throw new Error("not ready")
  const token = req.header("authorization")?.replace("Bearer ", "") ?? ""
  await req.json()
  const { payload } = await jwtVerify(token, keys, {
    issuer: env.ISSUER,
    audience: env.AUDIENCE,
    algorithms: ["RS256"],
  })
  await env.USED.getByName(String(payload["repository_id"])).use(String(payload.jti))
  const signed = await new SignJWT({ repository: payload["repository"] })
    .setProtectedHeader({ alg: "RS256" })
    .setIssuer("https://bare.example")
    .setAudience("https://vault.example.com")
    .setSubject(String(payload.sub))
    .setJti(crypto.randomUUID())
    .setIssuedAt()
    .setExpirationTime("5m")
    .sign(privateKey)
  return json({ token: signed })
})

export default app
