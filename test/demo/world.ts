import { mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { REPOSITORY, ROLE, SUBJECT } from "../support/acme.ts"
import { startWorkerdBroker, type WorkerdBroker } from "../support/broker-workerd.ts"
import { type CiIssuer, startCiIssuer } from "../support/ci-issuer.ts"
import { type GitHub, startGitHub } from "../support/github.ts"
import { type GitHubApi, type HostedRepository, startGitHubApi } from "../support/github-api.ts"
import { type Sts, startSts } from "../support/sts.ts"
import type { Vendor } from "../support/vendor.ts"
import { connectionLines, startVendors, trustBroker, vendorSecrets, writeToolsPolicy } from "../support/vendor-world.ts"
import { GITLAB_SUBJECT, OWN_FILE, OWN_POLICY, STAGING_ROLE, STAGING_SUBJECT, writeDemoPolicies } from "./policies.ts"
import type { Report } from "./report.ts"
import { startWiretap, type Wiretap } from "./wiretap.ts"

/** Everything of the demo that runs, all on loopback and free ports. */
export interface World {
  /** A folder that goes with the world. */
  readonly folder: string
  readonly github: GitHub
  readonly gitlab: CiIssuer
  /** Where the broker reads what repositories keep. */
  readonly api: GitHubApi
  /** acme/shop, with a policy of its own. */
  readonly shop: HostedRepository
  readonly sts: Sts
  /** None but with `--all`. */
  readonly vendors: readonly Vendor[]
  readonly broker: WorkerdBroker
  readonly wiretap: Wiretap
  /** Aborts when the world ends, and with it whatever still runs in it. */
  readonly signal: AbortSignal
}

/**
 * Starts the world. Each part is given to `ends` as soon as it runs, so that whatever happens next, disposing of
 * `ends` stops all that has started and removes all files; the operating system's temporary folder is this world's own
 * until then.
 */
export async function startWorld(
  ends: AsyncDisposableStack,
  report: Report,
  { all }: { readonly all: boolean },
): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), "daypass-demo-"))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  ends.defer(remove)
  // Once more at the very end, for what a part that was interrupted while it started has written since.
  process.once("exit", remove)
  const outside = process.env["TMPDIR"]
  process.env["TMPDIR"] = join(folder, "tmp")
  mkdirSync(process.env["TMPDIR"])
  ends.defer(() => {
    if (outside === undefined) delete process.env["TMPDIR"]
    else process.env["TMPDIR"] = outside
  })

  const gitlabKeys = { keysPath: "/oauth/discovery/keys" }
  const starting = [startGitHub(), startCiIssuer(gitlabKeys), startGitHubApi(), startSts()] as const
  const [github, gitlab, api, sts] = await Promise.all(starting)
  for (const server of [github, gitlab, api, sts]) ends.defer(() => server.close())
  const acme = { login: "acme", id: Number(REPOSITORY.repository_owner_id) }
  const shop = api.host(Number(REPOSITORY.repository_id), acme, "shop")
  shop.push({ [OWN_FILE]: OWN_POLICY })
  api.install(acme)
  const vendors = all ? await startVendors(ends) : []
  const policies = join(folder, "policies")
  const places = { issuer: github.issuer, gitlab: gitlab.issuer, sts: sts.url }
  writeDemoPolicies(policies, { ...places, connections: connectionLines(vendors) })
  if (all) writeToolsPolicy(policies, vendors)

  const broker = await report.progress(
    "bundling the broker and starting it in workerd",
    startWorkerdBroker({
      policies,
      settings: {
        ...vendorSecrets(vendors),
        DAYPASS_GITHUB_APP_ID: api.appId,
        DAYPASS_GITHUB_APP_KEY: api.key.pkcs1,
        DAYPASS_GITHUB_API_URL: api.url,
        DAYPASS_GITHUB_ISSUER: github.issuer,
      },
    }),
  )
  ends.defer(() => broker.stop())
  const trusted = { issuer: broker.url, audiences: ["sts.amazonaws.com"], tagSession: true }
  sts.addRole({ arn: ROLE, subject: { StringEquals: [SUBJECT, GITLAB_SUBJECT] }, ...trusted })
  sts.addRole({ arn: STAGING_ROLE, subject: { StringEquals: STAGING_SUBJECT }, ...trusted })
  await trustBroker(vendors, broker.url)
  const wiretap = await startWiretap(broker.url)
  ends.defer(() => wiretap.close())

  const abort = new AbortController()
  ends.defer(() => abort.abort())

  report.tell(`   GitHub's OIDC issuer and runner   ${github.issuer}`, "dim")
  report.tell(`   GitLab's OIDC issuer              ${gitlab.issuer}`, "dim")
  report.tell(`   GitHub's API, as an App sees it   ${api.url}`, "dim")
  report.tell(`   AWS STS                           ${sts.url}`, "dim")
  report.tell(`   the broker, in workerd            ${broker.url}`, "dim")
  return { folder, github, gitlab, api, shop, sts, vendors, broker, wiretap, signal: abort.signal }
}
