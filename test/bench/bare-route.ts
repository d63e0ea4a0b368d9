// What a broker is measured against: a bare Hono route that verifies the token, inserts one row and signs, with the same
// libraries and none of the care: SQLite as it comes, which flushes each row by itself. With `wal` as the last argument, the
// same with SQLite's faster journal. Run as a process of its own: node bare-route.ts <issuer> <audience> [wal], prints its port.
import { randomUUID } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { serve } from "@hono/node-server"
import { Hono } from "hono"
import { createRemoteJWKSet, generateKeyPair, jwtVerify, SignJWT } from "jose"

const [issuer = "", audience = "", journal = ""] = process.argv.slice(2)
const folder = mkdtempSync(join(tmpdir(), "daypass-bare-"))
process.on("SIGTERM", () => {
  rmSync(folder, { recursive: true, force: true })
  process.exit(0)
})

const database = new DatabaseSync(join(folder, "bare.db"))
if (journal === "wal") database.exec("PRAGMA journal_mode = WAL")
// The same promise as the broker's: on disk before the answer.
database.exec("PRAGMA synchronous = FULL; CREATE TABLE used (jti TEXT PRIMARY KEY, at TEXT)")
const insert = database.prepare("INSERT INTO used VALUES (?, ?)")
const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks`))
const { privateKey } = await generateKeyPair("RS256")

const app = new Hono()
app.post("/v1/exchange", async (context) => {
  const token = context.req.header("authorization")?.replace("Bearer ", "") ?? ""
  await context.req.json()
  const { payload } = await jwtVerify(token, keys, { issuer, audience, algorithms: ["RS256"] })
  insert.run(String(payload.jti), new Date().toISOString())
  const signed = await new SignJWT({ repository: payload["repository"] })
    .setProtectedHeader({ alg: "RS256" })
    .setIssuer("https://bare.example")
    .setAudience("https://vault.example.com")
    .setSubject(String(payload.sub))
    .setJti(randomUUID())
    .setIssuedAt()
    .setExpirationTime("5m")
    .sign(privateKey)
  return context.json({ token: signed })
})
const server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, () => {
  console.log((server.address() as AddressInfo).port)
})
