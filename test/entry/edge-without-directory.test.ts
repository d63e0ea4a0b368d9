import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, it } from "vitest"
import { EXPORT_PATH, LEDGERS_PATH, SEARCH_PATH } from "../../broker/wire/record.ts"
import { openOperator } from "../../cli/operate/client.ts"
import { scriptedIo } from "../cli/run-cli.ts"
import { startWorkerdBroker } from "../support/broker-workerd.ts"
import { startGitHub } from "../support/github.ts"

const OPS = { repository: "acme/ops", repository_id: "77", repository_owner_id: "9001", ref: "refs/heads/main" }

it("a deployment that binds no directory grants as before, and tells an operator what to bind", async () => {
  await using ends = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), "daypass-undirected-"))
  ends.defer(() => rmSync(folder, { recursive: true, force: true }))
  const github = await startGitHub()
  ends.defer(() => github.close())
  const policies = join(folder, "policies")
  mkdirSync(join(policies, "acme"), { recursive: true })
  writeFileSync(
    join(policies, "daypass.yaml"),
    `version: 1
issuers:
  github: { family: github-actions, url: "${github.issuer}", owners: { acme: "9001" } }
connections:
  operators: { provider: broker, may: [audit.read] }
`,
  )
  writeFileSync(
    join(policies, "acme/ops.yaml"),
    `version: 1
repository: acme/ops
repository_id: "77"
allow:
  - { name: from main, when: { ref: refs/heads/main }, grants: [operator] }
grants:
  operator: { connection: operators, may: [audit.read] }
`,
  )
  const broker = await startWorkerdBroker({ policies, withoutDirectory: true })
  ends.defer(() => broker.stop())
  // Without a secret of GitHub's webhook, there is no such path.
  const hook = await fetch(`${broker.url}/v1/hooks/github`, { method: "POST", body: "{}" })
  expect([hook.status, ((await hook.json()) as { code: string }).code]).toEqual([404, "route_not_found"])
  const file = join(folder, "token")
  writeFileSync(file, await github.mint(OPS, { audience: broker.url }))
  const io = { ...scriptedIo(), out: () => {}, err: () => {} }
  const operator = await openOperator({ broker: broker.url, "token-file": file }, io)
  for (const path of [SEARCH_PATH, LEDGERS_PATH, EXPORT_PATH]) {
    await expect(operator.call({ method: "GET", path })).rejects.toThrow("bind the Durable Object Directory")
  }
})
