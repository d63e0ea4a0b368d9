import { existsSync } from "node:fs"
import { join, relative } from "node:path"
import { isExampleHost } from "../../broker/config/example-host.ts"
import { ORGANISATION_FILE } from "../../broker/core/policy/load.ts"
import type { Policy, PolicySet } from "../../broker/core/policy/model.ts"
import { misused, reasonOf } from "../arguments.ts"
import { findingLine } from "../format.ts"
import { apiUrl, BAD_API_URL } from "../github/api.ts"
import { issuerOf } from "../github/names.ts"
import type { RepositoryFacts } from "../github/repository.ts"
import { findingsOf, loadPolicies } from "../policies.ts"
import { published } from "../push/publication.ts"
import { actionReference } from "./action-reference.ts"
import { askAppId, askEnvironment, askRepository, askRuntime, askUrl, askVendor } from "./answers.ts"
import { offerApp } from "./app/offer.ts"
import type { Desk } from "./desk.ts"
import { deployEdge, prepareEdge, writtenHere } from "./edge.ts"
import { type FirstPolicy, giveWorkflow, showTrust, smokeTest, waitForBroker } from "./finish.ts"
import { factsOf, idsIn, isEnvironment } from "./further-policy.ts"
import { prepareNode, unitHere } from "./node-broker.ts"
import { ownershipOf } from "./ownership.ts"
import { planFor } from "./plan.ts"
import { Refusal } from "./refusal.ts"
import { APP_ID, type Given, type Vendor } from "./vendors.ts"

/** What a person wants to give to a job first. */
interface Wanted {
  readonly facts: RepositoryFacts
  readonly environment: string | undefined
  readonly vendor: Vendor
  readonly given: Given
}

/**
 * Goes through all steps, each of which sees what is done already: in the folder's files, in the account's Worker, in what the
 * broker answers. Nothing is remembered elsewhere. Says whether nothing has to be mended.
 * @throws {Refusal} {Misuse} {Interrupted}
 */
export async function setUp(desk: Desk): Promise<boolean> {
  const { io, interview, options, done, left } = desk
  const folder = join(io.cwd, options.dir || "policies")
  const shown = relative(io.cwd, folder) || "."
  const [worker, unit] = [writtenHere(io.cwd), unitHere(io.cwd)]
  const runtime = worker !== null ? "edge" : unit !== null ? "node" : await askRuntime(interview, options.runtime)
  const here = (worker ?? unit)?.url
  const url = here ?? (await askUrl(interview, options.broker))
  if (runtime === "edge" && (!url.startsWith("https://") || isExampleHost(new URL(url).hostname)))
    misused(`--broker must be an https URL of yours at the edge, not ${url}`)
  if (options.broker !== undefined && options.broker !== url)
    throw new Refusal(
      `this folder is for the broker ${url}, and --broker says ${options.broker}: run init in another folder`,
    )

  const before = existsSync(folder) ? setOf(folder) : null
  const ownership = await ownershipOf(url, versionsOf(before, desk), io)
  if (ownership === "unknown" && here === undefined)
    throw new Refusal(
      `a broker answers at ${url} already, and nothing in this folder shows that it is yours. Jobs would send it their tokens: check the URL, or run init in the folder with which it was set up`,
    )
  const wanted = before === null || before.policies.length === 0 ? await askWanted(desk) : null

  const edge = runtime === "edge" ? await prepareEdge(url, ownership, desk) : null
  const keyFile = runtime === "node" && ownership !== "ours" ? await prepareNode(url, desk) : null
  const app = await offerApp({ url, edge, keyFile, wanted }, desk)
  const first =
    wanted === null
      ? firstOf(before, shown, desk)
      : await writePolicies(folder, shown, { ...wanted, given: await withAppId(wanted, app?.id, desk) }, desk)
  for (const { name, is } of wanted?.vendor.secrets ?? [])
    if (app?.kept !== name)
      left(
        runtime === "edge"
          ? `give the Worker ${name}, ${is}: wrangler secret put ${name}`
          : `put ${name}=... into /etc/daypass/secrets: ${is}`,
      )

  const wasDeployed = edge !== null && ownership !== "ours" && (await deployEdge({ folder, shown }, edge, desk))
  if (wasDeployed) await waitForBroker(url, versionsOf(first.set, desk), desk)
  showTrust(first, url, desk)
  const answers = wasDeployed || (await ownershipOf(url, versionsOf(first.set, desk), io)) !== "absent"
  const isFine = answers ? await smokeTest(url, { folder, shown }, desk) : true
  if (!answers) left(`when the broker runs, look at it: daypass doctor ${url} --policies ${shown}`)
  await giveWorkflow(first, url, await actionReference(io), desk)
  if (isFine && answers) done(`${url} answers, and its policies are those of ${shown}`)
  return isFine
}

/** @throws {Refusal} for a folder that does not load: nothing can be built on it */
function setOf(folder: string): PolicySet | null {
  const loaded = loadPolicies(folder)
  if (typeof loaded === "string") throw new Refusal(loaded)
  if (!loaded.inputs.some(({ path }) => path === ORGANISATION_FILE)) return null
  if (loaded.result.ok) return loaded.result.value
  throw new Refusal(
    `the folder has errors: correct them first`,
    findingsOf(loaded)
      .map((finding) => findingLine(folder, finding))
      .join("\n"),
  )
}

const versionsOf = (set: PolicySet | null, { io }: Desk): readonly string[] =>
  set === null ? [] : [set.version, published(set, io.now()).current.version]

async function askWanted(desk: Desk): Promise<Wanted> {
  const { io, interview, options } = desk
  const repository = await askRepository(interview, options.repository)
  const api = apiUrl(io.env)
  if (api === null) throw new Refusal(BAD_API_URL)
  const facts = await factsOf({ repository, ids: idsIn(options) }, io)
  if (!facts.ok)
    throw new Refusal(
      `${facts.fault}. Sign in with gh auth login, and run GH_TOKEN=$(gh auth token) daypass init; or give --repository-id and --owner-id`,
    )
  const environment = await askEnvironment(interview, options.environment, isEnvironment)
  const { vendor, given } = await askVendor(interview, options, repository.name)
  return { facts: facts.value, environment, vendor, given }
}

async function withAppId({ vendor, given }: Wanted, made: string | undefined, { interview }: Desk): Promise<Given> {
  if (!vendor.fields.some(({ name }) => name === APP_ID) || given[APP_ID] !== undefined) return given
  return { ...given, [APP_ID]: made ?? (await askAppId(interview, vendor)) }
}

/** Writes the organisation file and the first policy. @throws {Refusal} */
async function writePolicies(folder: string, shown: string, wanted: Wanted, { io, done }: Desk): Promise<FirstPolicy> {
  const { facts, environment, vendor, given } = wanted
  const loaded = existsSync(folder) ? loadPolicies(folder) : null
  if (typeof loaded === "string") throw new Refusal(loaded)
  const plan = planFor(loaded, facts, {
    environment,
    connection: undefined,
    issuer: issuerOf(apiUrl(io.env) ?? ""),
    vendor: { vendor, given },
  })
  if (!plan.ok) {
    const faults = typeof plan.fault === "string" ? plan.fault : plan.fault.map(({ message }) => message).join("\n")
    throw new Refusal(`the first policy was not written: ${faults}`)
  }
  for (const { path, text } of plan.value.files) {
    try {
      await io.createFile(join(folder, path), text)
    } catch (error) {
      throw new Refusal(`${join(shown, path)} cannot be written (${reasonOf(error)})`)
    }
    done(`wrote ${join(shown, path)}`)
  }
  const set = setOf(folder)
  const policy = set?.policies.find(({ grants }) => grants.has(plan.value.grant))
  if (set === null || policy === undefined) throw new Refusal(`${shown} was changed while init wrote it: run it again`)
  return { set, policy, grant: plan.value.grant, branch: facts.branch }
}

/** The policy that exists already, and its first grant. */
function firstOf(set: PolicySet | null, shown: string, { options, done }: Desk): FirstPolicy {
  const isMeant = ({ unit, environment }: Policy) =>
    unit === (options.repository ?? unit) && environment === (options.environment ?? environment)
  const policy = set?.policies.find((one) => one.grants.size > 0 && isMeant(one))
  const grant = policy?.grants.keys().next().value
  if (set === null || policy === undefined || grant === undefined)
    throw new Refusal(`no policy in ${shown} has a grant for this job: daypass init OWNER/REPO writes one more policy`)
  done(`${join(shown, policy.file)} is there: the grant ${grant} for ${policy.unit}`)
  const test = policy.allow.flatMap(({ conditions }) => conditions).find(({ claim }) => claim === "ref")?.test
  const ref = test?.kind === "any" ? test.patterns[0]?.literal : null
  const branch = /^refs\/heads\/(.+)$/.exec(ref ?? "")?.[1]
  return { set, policy, grant, branch: options.branch ?? branch ?? "main" }
}
