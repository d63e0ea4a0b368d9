import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join, relative, resolve } from "node:path"
import { reasonOf } from "../arguments.ts"
import { push } from "../push/push.ts"
import { type Cloudflare, cloudflareBy } from "./cloudflare.ts"
import { keyInFile, newKey } from "./deployment-key.ts"
import type { Desk, PolicyFolder } from "./desk.ts"
import type { Ownership } from "./ownership.ts"
import { Refusal } from "./refusal.ts"
import { filledIn, type WrittenSettings, writtenIn } from "./wrangler-toml.ts"

const WRANGLER_FILE = "wrangler.toml"
const KEK = "DAYPASS_KEK"
/** The rules of Cloudflare for the name of a Worker. */
const WORKER_NAME = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

/** A Worker that is ready to be deployed: it has its key. */
export interface EdgeBroker {
  readonly worker: string
  readonly cloudflare: Cloudflare
  readonly config: string
  readonly account: string | undefined
}

/** The settings of the folder's own wrangler.toml; null when there is none. @throws {Refusal} for a file of something else */
export function writtenHere(cwd: string): WrittenSettings | null {
  const file = join(cwd, WRANGLER_FILE)
  if (!existsSync(file)) return null
  const written = writtenIn(readFileSync(file, "utf8"))
  if (written === null)
    throw new Refusal(
      `${file} is not one that init wrote, and init never overwrites a file: run it in a folder of its own`,
    )
  return written
}

/**
 * Makes what the Worker needs, in the order in which nothing can be lost: the namespace, the file that names it, a copy of the
 * key where the person wants one, and the key in Cloudflare. Deploys nothing.
 * @throws {Refusal}
 */
export async function prepareEdge(url: string, ownership: Ownership, desk: Desk): Promise<EdgeBroker> {
  const { io, tools, done } = desk
  const config = join(io.cwd, WRANGLER_FILE)
  const written = writtenHere(io.cwd)
  const account = written === null ? await chooseAccount(desk) : written.account
  const cloudflare = cloudflareBy(tools.wranglerFor(account))
  const worker = written?.worker ?? (await workerName(desk))
  const secrets = await cloudflare.secretsOf(worker)
  if (written === null) {
    // Its ledger and its keys would go on under another configuration.
    if (secrets !== null)
      throw new Refusal(
        `the account has a Worker ${worker} already. To go on with it, run init in the folder that has its ${WRANGLER_FILE}; for another broker, give --worker-name`,
      )
    await writeConfig(config, { url, worker, account: account ?? "" }, cloudflare, desk)
  } else done(`${WRANGLER_FILE} is there, for the Worker ${worker} at ${written.url}`)
  if (secrets?.includes(KEK)) done(`the Worker ${worker} has its deployment key, which stays as it is`)
  else {
    if (ownership !== "absent")
      throw new Refusal(
        `a broker answers at ${url}, and the Worker ${worker} has no ${KEK}. A new key cannot open what it has sealed: give it the key of before with wrangler secret put ${KEK}`,
      )
    await giveKey({ url, worker }, cloudflare, desk)
  }
  return { worker, cloudflare, config, account }
}

async function chooseAccount({ interview, options, tools }: Desk): Promise<string> {
  const accounts = await cloudflareBy(tools.wranglerFor(undefined)).accounts()
  const [only, ...others] = accounts
  if (only === undefined) throw new Refusal("your login at Cloudflare has no account")
  if (options.account === undefined && others.length === 0) return only.id
  return await interview.choose(options.account, {
    option: "--account",
    message: "Which Cloudflare account",
    choices: accounts.map(({ id, name }) => ({ value: id, name: `${name} (${id})` })),
  })
}

async function workerName({ interview, options }: Desk): Promise<string> {
  return await interview.text(options["worker-name"] ?? "daypass", {
    option: "--worker-name",
    message: "Name of the Worker",
    check: (name) => (WORKER_NAME.test(name) ? null : "must have lower-case letters, digits and dashes only"),
  })
}

async function writeConfig(
  config: string,
  { url, worker, account }: { readonly url: string; readonly worker: string; readonly account: string },
  cloudflare: Cloudflare,
  desk: Desk,
): Promise<void> {
  const { io, interview, options, done } = desk
  const release = releaseFolder(desk)
  const text = readFileSync(join(release, WRANGLER_FILE), "utf8")
  const jurisdiction = await interview.choose(options.jurisdiction ?? (interview.isPossible ? undefined : "none"), {
    option: "--jurisdiction",
    message: "Where must the ledger and the keys stay? It cannot be changed later",
    choices: [
      { value: "none", name: "anywhere, near the first job" },
      { value: "eu", name: "in the European Union" },
      { value: "us", name: "in the United States" },
      { value: "fedramp", name: "in data centres with FedRAMP Moderate" },
      { value: "fedramp-high", name: "in data centres with FedRAMP High" },
    ],
  })
  const main = relative(io.cwd, join(release, "worker/worker.js")).replaceAll("\\", "/")
  // Before the namespace is made: a folder of another version ends here.
  const fill = (namespace: string) =>
    filledIn(text, { worker, main, account, url, namespace, jurisdiction: jurisdiction === "none" ? "" : jurisdiction })
  fill("")
  const title = `${worker}-policies`
  const namespace = await cloudflare.namespace(title)
  done(`the KV namespace ${title} is there: ${namespace}`)
  try {
    await io.createFile(config, fill(namespace))
  } catch (error) {
    throw new Refusal(`${config} cannot be written (${reasonOf(error)})`)
  }
  done(`wrote ${WRANGLER_FILE}`)
}

/** The unpacked Worker of a release: what `--worker` names, otherwise the one in this folder. */
function releaseFolder({ io, options }: Desk): string {
  const isRelease = (folder: string) =>
    existsSync(join(folder, "worker/worker.js")) && existsSync(join(folder, WRANGLER_FILE))
  if (options.worker !== undefined) {
    const folder = resolve(io.cwd, options.worker)
    if (isRelease(folder)) return folder
    throw new Refusal(
      `--worker ${options.worker} is not the unpacked Worker of a release: it has no worker/worker.js or no ${WRANGLER_FILE}`,
    )
  }
  const [found, ...others] = readdirSync(io.cwd)
    .filter((name) => name.startsWith("daypass-worker-"))
    .map((name) => join(io.cwd, name))
    .filter(isRelease)
  if (found !== undefined && others.length === 0) return found
  const what =
    found === undefined
      ? "the Worker of a release is not in this folder"
      : "this folder has the Workers of several releases"
  throw new Refusal(
    `${what}: unpack daypass-worker-VERSION.tar.gz here (docs/install.md), or give its folder with --worker`,
  )
}

async function giveKey(
  { url, worker }: { readonly url: string; readonly worker: string },
  cloudflare: Cloudflare,
  desk: Desk,
): Promise<void> {
  const { io, interview, options, done } = desk
  const place = await interview.text(options.key, {
    option: "--key",
    message: "A copy of the deployment key: the path of a file outside of repositories, or cloudflare for none",
    initial: "cloudflare",
    check: (text) => (/^cloudflare$|[/\\]/.test(text) ? null : "must be cloudflare, or a path with a slash"),
  })
  const kept = place === "cloudflare" ? { key: newKey(), made: false } : await keyInFile(place, io)
  if (place !== "cloudflare")
    done(`${kept.made ? "made" : "read"} the deployment key in ${place}, which only you can read`)
  await cloudflare.putSecret(worker, KEK, kept.key.reveal())
  if (!(await cloudflare.secretsOf(worker))?.includes(KEK))
    throw new Refusal(`wrangler took ${KEK}, and does not list it: nothing was deployed. Run init again`)
  done(`the Worker ${worker} has its deployment key, before anything uses it`)
  if (place === "cloudflare")
    desk.left(
      `Cloudflare never shows the deployment key, and there is no copy of it. docs/keys.md says what that means for ${url}`,
    )
}

/** Publishes the policies and deploys, where the person wants it. Says whether it did. @throws {Refusal} */
export async function deployEdge(
  { folder, shown }: PolicyFolder,
  { cloudflare, config, account }: EdgeBroker,
  desk: Desk,
): Promise<boolean> {
  const { io, interview, options, tools, done, left } = desk
  if (!(await interview.confirm(options.deploy === true, "Publish the policies and deploy the Worker now"))) {
    left(`publish and deploy: daypass push ${shown}, then wrangler deploy; or run daypass init --deploy`)
    return false
  }
  const code = await push(
    { options: { config }, repeated: {}, positionals: [folder], after: null },
    io,
    tools.wranglerFor(account),
  )
  if (code !== 0) throw new Refusal("the policies were not published, so nothing was deployed")
  await cloudflare.deploy(config)
  done("deployed the Worker")
  return true
}
