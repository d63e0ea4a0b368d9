import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { renameSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { decodeJwt } from "jose"
import { startAzure } from "../../support/azure.ts"
import { toolsJob } from "../../support/vendor-world.ts"
import type { FederatedWorld } from "../federated-case.ts"
import { startTlsFront } from "./tls-front.ts"
import { assertRefused } from "./vendor.ts"

const CLIENT = "3f7a2c58-9b14-4d06-a1e2-5c80d7f64b93"
const AUDIENCE = "api://AzureADTokenExchange"

/** `azure-identity` for Python by a token file that is written anew while the program runs. */
export async function azureFederated({ folder, github, certificate, run, check }: FederatedWorld): Promise<void> {
  await using ends = new AsyncDisposableStack()
  const azure = ends.adopt(await startAzure(), (it) => it.close())
  const tls = ends.adopt(await startTlsFront(azure.url, certificate), (it) => it.close())
  // Entra tells which token it was given by its subject.
  const mint = (environment: string, audience = AUDIENCE) =>
    github.mint({ ...toolsJob("6002"), environment }, { audience })
  const subjectOf = async (environment: string) => decodeJwt(await mint(environment)).sub ?? ""
  const [first, second] = [await subjectOf("first"), await subjectOf("second")]
  const credentials = [first, second].map((subject) => ({ issuer: github.issuer, subject, audience: AUDIENCE }))
  azure.addClient({ clientId: CLIENT, credentials })
  const file = join(folder, "azure-token")
  /** In one step, so that no reader sees half a token. */
  const write = (token: string) => {
    writeFileSync(`${file}.new`, token, { mode: 0o600 })
    renameSync(`${file}.new`, file)
  }
  const env = {
    AZURE_CLIENT_ID: CLIENT,
    AZURE_TENANT_ID: azure.tenant,
    AZURE_AUTHORITY_HOST: tls.url,
    AZURE_FEDERATED_TOKEN_FILE: file,
  }
  const nth = (name: unknown) =>
    azure.issued.findIndex(({ accessToken }) => createHash("sha256").update(accessToken).digest("hex") === name)

  write(await mint("first"))
  let isWritten = false
  const rewriting = setInterval(() => {
    // After the first two tokens: the program reads the file again when it is ten minutes old for it.
    if (isWritten || azure.issued.length < 2) return
    isWritten = true
    void mint("second").then(write)
  }, 20)
  const told = await run("azure-workload.py", { rewritten: true }, env).finally(() => clearInterval(rewriting))

  await check("azure-identity for Python finds the token file among all ways to log in", () =>
    assert.equal(nth(told["default"]), 0, JSON.stringify(told)),
  )
  await check("azure-identity for Python reads a token file again that was written anew", () => {
    assert.ok(isWritten)
    assert.deepEqual((told["reread"] as unknown[]).map(nth), [1, 2], JSON.stringify(told))
    assert.notEqual(first, second)
    assert.deepEqual(
      azure.issued.map(({ subject }) => subject),
      [first, first, second],
    )
  })
  await check("azure-identity for Python tells Entra's reason for a token for another audience", async () => {
    write(await mint("first", "https://elsewhere.example"))
    const wrong = await run("azure-workload.py", {}, env)
    assertRefused(wrong, "reread", /AADSTS700212/)
  })
  await check("the stand-in for Entra knew all that was asked", () => azure.assertClean())
}
