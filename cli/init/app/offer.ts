import { existsSync } from "node:fs"
import { join } from "node:path"
import { webCryptography } from "../../../broker/adapters/web/cryptography.ts"
import { readConfig } from "../../../broker/config/config.ts"
import type { Secret } from "../../../broker/core/secret.ts"
import { GITHUB_APP_KEY } from "../../../broker/signing/app-key.ts"
import { connectionSecretContext } from "../../../broker/signing/connection-secrets.ts"
import { createSealer } from "../../../broker/signing/sealer.ts"
import { misused, reasonOf } from "../../arguments.ts"
import { apiUrl } from "../../github/api.ts"
import { keyInFile } from "../deployment-key.ts"
import type { Desk } from "../desk.ts"
import type { EdgeBroker } from "../edge.ts"
import { Refusal } from "../refusal.ts"
import { APP_ID, APP_KEY, type Given, type Vendor } from "../vendors.ts"
import { type AppPurpose, type Permissions, READ_PERMISSIONS } from "./manifest.ts"
import { type NewApp, registerApp } from "./register.ts"

interface Broker {
  readonly url: string
  /** The one of both that there is. */
  readonly edge: EdgeBroker | null
  readonly keyFile: string | null
  /** Absent when the policies are there already. The owner of the repository will own the App. */
  readonly wanted: {
    readonly vendor: Vendor
    readonly given: Given
    readonly facts: { readonly owner: string; readonly isPersonal?: true }
  } | null
}

/** The settings that hold an App of each purpose. */
const SETTINGS: Readonly<Record<AppPurpose, { readonly key: string; readonly id: string | null }>> = {
  read: { key: "DAYPASS_GITHUB_APP_KEY", id: "DAYPASS_GITHUB_APP_ID" },
  // Its id stands in the connection.
  mint: { key: APP_KEY, id: null },
}

const FILES: Readonly<Record<AppPurpose, string>> = { read: "github-app.env", mint: "deploy-app.env" }

/**
 * Makes the GitHub App where the person wants one, and keeps its key where the broker reads it. The key is never printed, and
 * never on a disk in clear. Null when none is wanted, or when there is one.
 * @throws {Refusal}
 */
export async function offerApp(
  broker: Broker,
  desk: Desk,
): Promise<{ readonly id: string; readonly kept: string } | null> {
  const { io, done, left, tools } = desk
  const purpose = await purposeOf(broker, desk)
  if (purpose === null) return null
  const { key: name, id: idName } = SETTINGS[purpose]
  const place = await placeFor(purpose, broker, desk)
  if (place === null) {
    done(`the broker has ${name} already`)
    return null
  }
  const api = apiUrl(io.env)
  const { wanted } = broker
  const owner = wanted?.facts.owner
  if (api === null || owner === undefined)
    throw new Refusal(
      "--app makes an App for the owner of --repository: give the repository, in a folder without policies",
    )
  const wish = {
    api,
    organisation: wanted?.facts.isPersonal ? null : owner,
    name: `Daypass ${purpose === "read" ? "reader" : "tokens"} ${owner}`.slice(0, 34),
    url: broker.url,
    permissions: purpose === "read" ? READ_PERMISSIONS : mintPermissions(wanted?.given["permission"]),
  }
  const app = await registerApp(wish, io, (address) => {
    io.err(`daypass: open this page in a browser on this machine, if it does not open by itself:\n  ${address}`)
    tools.browse(address)
  })
  try {
    await place(app)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    throw new Refusal(
      `${error.message}. The App ${app.slug} exists, and its key is lost: make a new key at ${app.page}, and keep it with daypass seal`,
      error.said,
    )
  }
  done(
    `the broker has the key of the GitHub App ${app.slug} (id ${app.id}) as ${name}${idName === null ? "" : ` and ${idName}`}`,
  )
  left(`install the App on the repositories that it is for: ${app.page}/installations/new`)
  return { id: app.id, kept: name }
}

async function purposeOf({ wanted }: Broker, { interview, options: { app } }: Desk): Promise<AppPurpose | null> {
  if (app !== undefined) {
    if (app === "read" || app === "mint") return app
    return misused("--app must be read or mint")
  }
  const needsApp = wanted?.vendor.fields.some(({ name }) => name === APP_ID) && wanted.given[APP_ID] === undefined
  if (!needsApp || !interview.isPossible) return null
  return (await interview.confirm(false, "Make the GitHub App in a browser now")) ? "mint" : null
}

/** What an App may do that mints what the first grant names. */
function mintPermissions(permission = "contents:read"): Permissions {
  const [name = "", level = ""] = permission.split(":")
  return { [name]: level, metadata: "read" }
}

/** How the App is kept; null when the broker has one. Looked at before GitHub is asked: GitHub gives a key only once. */
async function placeFor(
  purpose: AppPurpose,
  { url, edge, keyFile }: Broker,
  { io }: Desk,
): Promise<((app: NewApp) => Promise<void>) | null> {
  const { key: name, id: idName } = SETTINGS[purpose]
  if (edge !== null) {
    const { cloudflare, worker } = edge
    if ((await cloudflare.secretsOf(worker))?.includes(name)) return null
    return async ({ id, key }) => {
      await cloudflare.putSecret(worker, name, key.reveal())
      if (idName !== null) await cloudflare.putSecret(worker, idName, id)
    }
  }
  if (keyFile === null)
    throw new Refusal("--app needs the deployment key, to seal the App's key: give its file with --key")
  const file = join(io.cwd, FILES[purpose])
  if (existsSync(file)) return null
  const { key: kek } = await keyInFile(keyFile, io)
  return async ({ id, key }) => {
    const sealed = await sealedFor(url, kek, key, purpose)
    try {
      await io.createFile(file, `${idName === null ? "" : `${idName}=${id}\n`}${name}=${sealed}\n`, { secret: true })
    } catch (error) {
      throw new Refusal(`${file} cannot be written (${reasonOf(error)})`)
    }
  }
}

/** Only this deployment opens what is sealed with its key, so it may be kept beside the other settings. */
async function sealedFor(url: string, kek: Secret<string>, key: Secret<string>, purpose: AppPurpose): Promise<string> {
  const config = readConfig({ DAYPASS_URL: url, DAYPASS_KEK: kek.reveal() })
  if (!config.ok || config.value.kek === undefined) throw new Refusal("the deployment key cannot seal")
  const sealer = await createSealer(config.value.kek, config.value.deployment, webCryptography)
  return await sealer.seal(key, purpose === "read" ? GITHUB_APP_KEY : connectionSecretContext(APP_KEY))
}
