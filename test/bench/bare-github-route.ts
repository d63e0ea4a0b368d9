// What a `github` grant is measured against: a bare Hono route that verifies the token, asks GitHub for an installation's
// token and answers, with the same libraries. It records nothing, revokes nothing, and does not look at what GitHub gave.
// It keeps the App's JWT and the installation for eight minutes, as the broker does; with `signing` as the last argument, it
// signs a JWT for each token. Run as a process of its own, with the App's key in APP_KEY; prints its port:
// node bare-github-route.ts <issuer> <audience> <API of GitHub> <App's id> [signing]
import type { AddressInfo } from "node:net"
import { serve } from "@hono/node-server"
import { Hono } from "hono"
import { createRemoteJWKSet, importPKCS8, jwtVerify, SignJWT } from "jose"

const [issuer = "", audience = "", api = "", appId = "", how = ""] = process.argv.slice(2)
const JWT_KEPT_MS = 8 * 60_000
const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks`))
const appKey = await importPKCS8(process.env["APP_KEY"] ?? "", "RS256")
process.on("SIGTERM", () => process.exit(0))

async function ask(method: string, path: string, jwt: string, body?: object): Promise<Record<string, unknown>> {
  const response = await fetch(`${api}${path}`, {
    method,
    headers: { accept: "application/vnd.github+json", authorization: `Bearer ${jwt}`, "user-agent": "bare-route" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  if (!response.ok) throw new Error(`GitHub answered ${response.status}`)
  return (await response.json()) as Record<string, unknown>
}

const signed = () =>
  new SignJWT()
    .setProtectedHeader({ alg: "RS256" })
    .setIssuer(appId)
    .setIssuedAt("-1m")
    .setExpirationTime("9m")
    .sign(appKey)

let login = { jwt: "", installation: 0, until: 0 }
async function loggedIn(): Promise<typeof login> {
  if (login.until > performance.now()) return how === "signing" ? { ...login, jwt: await signed() } : login
  const jwt = await signed()
  const { id } = await ask("GET", "/users/acme/installation", jwt)
  login = { jwt, installation: Number(id), until: performance.now() + JWT_KEPT_MS }
  return login
}

const app = new Hono()
app.post("/v1/exchange", async (context) => {
  const token = context.req.header("authorization")?.replace("Bearer ", "") ?? ""
  await context.req.json()
  await jwtVerify(token, keys, { issuer, audience, algorithms: ["RS256"] })
  const { jwt, installation } = await loggedIn()
  const wanted = { repositories: ["shop"], permissions: { contents: "write" } }
  const given = await ask("POST", `/app/installations/${installation}/access_tokens`, jwt, wanted)
  return context.json({ token: given["token"], expires_at: given["expires_at"] })
})
const server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, () => {
  console.log((server.address() as AddressInfo).port)
})
