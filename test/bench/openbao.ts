import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { startProgram } from "../interop/program.ts"
import { installedTools } from "../interop/tools.ts"
import { startNodeBroker } from "../support/broker-node.ts"
import { freePort } from "../support/servers.ts"
import { plainShots } from "./exchanges.ts"
import type { Shot } from "./load.ts"
import { type Arm, figuresOf, race, ratioOf } from "./race.ts"
import { atLeast, type Bench, type Section } from "./section.ts"

const AUDIENCE = "https://bao.example"
const ROLE = "shop"
const MISSING = "OpenBao: its program is not installed; npm run test:interop -- --install installs it"

/**
 * The exchange of an identity token on Node against logging in at OpenBao, which is as durable: storage by raft, and a file as
 * audit device. Both verify a token of the same issuer, decide, record, and answer a token of their own.
 */
export async function measureOpenbao(bench: Bench): Promise<Section> {
  const programs = installedTools()
  if (programs === null) return { unmeasured: [MISSING] }
  const bao = await startDurableOpenBao(bench, join(programs, "bao"))
  const broker = await startNodeBroker({ policies: bench.policies })
  bench.ends.defer(async () => void (await broker.stop()))
  const raced = await race(bench, {
    openbao_login: { ...bao, shots: (count) => logins(bench, count) },
    exchange_beside_openbao: { url: broker.url, pids: [broker.pid], shots: plainShots(bench, broker.url) },
  })
  const ratio = ratioOf(raced, "exchange_beside_openbao", "openbao_login")
  return { rows: [atLeast("identity token against durable OpenBao's login", ratio, 1.5)], arms: figuresOf(raced) }
}

const logins = ({ issuer }: Pick<Bench, "issuer">, count: number): readonly Shot[] =>
  issuer.mint(count, AUDIENCE).map((jwt) => ({
    token: "",
    body: JSON.stringify({ role: ROLE, jwt }),
    path: "/v1/auth/jwt/login",
  }))

/** OpenBao with one server's raft and an audit file, unsealed, whose method `jwt` trusts the bench's issuer. */
async function startDurableOpenBao(
  { ends, folder, issuer }: Pick<Bench, "ends" | "folder" | "issuer">,
  program: string,
): Promise<Pick<Arm, "url" | "pids">> {
  const home = join(folder, "openbao")
  mkdirSync(join(home, "raft"), { recursive: true })
  const url = `http://127.0.0.1:${await freePort()}`
  const configuration = join(home, "bao.hcl")
  writeFileSync(configuration, configurationOf(home, url, `http://127.0.0.1:${await freePort()}`))
  const server = await startProgram(program, ["server", `-config=${configuration}`], {
    env: { PATH: process.env["PATH"] ?? "", HOME: home },
    // It is not initialised yet.
    isReady: async () => (await fetch(`${url}/v1/sys/init`)).ok,
  })
  ends.defer(() => server.close())

  let token = ""
  const ask = async (path: string, body: object) => {
    const headers = { "X-Vault-Request": "true", ...(token && { "X-Vault-Token": token }) }
    const response = await fetch(`${url}/v1/${path}`, { method: "POST", headers, body: JSON.stringify(body) })
    const text = await response.text()
    if (!response.ok) throw new Error(`OpenBao answered ${response.status} to ${path}: ${text}`)
    return text === "" ? {} : (JSON.parse(text) as Readonly<Record<string, unknown>>)
  }
  const made = await ask("sys/init", { secret_shares: 1, secret_threshold: 1 })
  const [key] = made["keys"] as readonly string[]
  await ask("sys/unseal", { key })
  token = String(made["root_token"])
  // One server elects itself within seconds.
  while (!(await fetch(`${url}/v1/sys/health`)).ok) await new Promise((resolve) => setTimeout(resolve, 100))

  await ask("sys/auth/jwt", { type: "jwt" })
  await ask("auth/jwt/config", { oidc_discovery_url: issuer.issuer, bound_issuer: issuer.issuer })
  await ask(`auth/jwt/role/${ROLE}`, {
    role_type: "jwt",
    user_claim: "sub",
    bound_audiences: [AUDIENCE],
    bound_claims: { repository_id: "41", ref: "refs/heads/main" },
    token_policies: ["default"],
    token_ttl: "10m",
  })
  return { url, pids: [server.pid] }
}

/** In HCL, because its JSON has no form for an audit device. */
const configurationOf = (home: string, url: string, cluster: string) => `
api_addr = "${url}"
cluster_addr = "${cluster}"
listener "tcp" {
  address = "${new URL(url).host}"
  tls_disable = true
}
storage "raft" {
  path = "${home}/raft"
  node_id = "bench"
}
audit "file" "main" {
  options {
    file_path = "${home}/audit.log"
  }
}
`
