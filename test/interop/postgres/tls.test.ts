import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, expect, test } from "vitest"
import { sha256 } from "../../../broker/adapters/node/sha256.ts"
import { openPostgresStore } from "../../../broker/adapters/postgres/ledgers.ts"
import { type Postgres, startPostgres } from "../postgres.ts"
import { mustRun } from "../tools.ts"
import { addressOf, DEPLOYMENT } from "./database.ts"

let folder: string
let server: Postgres

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "daypass-tls-"))
  const [key, certificate] = [join(folder, "server.key"), join(folder, "server.crt")]
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
  await mustRun("openssl", [
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-keyout",
    key,
    "-out",
    certificate,
    ...subject,
  ])
  server = await startPostgres({ settings: [] })
  for (const name of ["server.key", "server.crt"]) {
    writeFileSync(join(server.data, name), readFileSync(join(folder, name)), { mode: 0o600 })
  }
  server.own()
  await server.query("ALTER SYSTEM SET ssl = on")
  await server.query("SELECT pg_reload_conf()")
})
afterAll(async () => {
  await server.close()
  rmSync(folder, { recursive: true })
})

const url = (host: string, settings: string) =>
  server.url("postgres").replace("127.0.0.1", host) + settings.replace("CA", join(folder, "server.crt"))

test.each([
  ["localhost", "?sslmode=verify-full&sslrootcert=CA"],
  ["127.0.0.1", "?sslmode=verify-ca&sslrootcert=CA"],
  ["127.0.0.1", "?sslmode=require"],
])("a server that is reached as %s%s is used, encrypted", async (host, settings) => {
  const store = await openPostgresStore(addressOf(url(host, settings)), { deployment: DEPLOYMENT, sha256 })
  expect(await store.health.look()).toEqual({ state: "ok" })
  const encrypted =
    "SELECT bool_and(s.ssl) FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) WHERE application_name = 'daypass'"
  expect(await server.query(encrypted)).toBe("t")
  await store.close()
})

test.each([
  ["127.0.0.1", "?sslmode=verify-full&sslrootcert=CA"],
  ["localhost", "?sslmode=verify-full"],
  ["localhost", "?sslmode=verify-ca"],
])("a server whose certificate does not fit is refused: %s%s", async (host, settings) => {
  await expect(
    openPostgresStore(addressOf(url(host, settings)), { deployment: DEPLOYMENT, sha256 }),
  ).rejects.toMatchObject({ detail: expect.stringMatching(/cannot be reached.*(?:CERT|ALTNAME|SELF_SIGNED)/) })
})
