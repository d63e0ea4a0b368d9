import { generateKeyPairSync, randomBytes } from "node:crypto"
import { RequestLog } from "../request-log.ts"
import { readBody, startServer } from "../servers.ts"

/** What the person at GitHub does with the page that a manifest opens. */
export interface Registration {
  readonly manifest: Readonly<Record<string, unknown>>
  readonly state: string | null
  readonly organisation: string | null
}

const MAX_NAME_CHARACTERS = 34
const KEYS = new Set([
  "name",
  "url",
  "hook_attributes",
  "redirect_url",
  "callback_urls",
  "setup_url",
  "description",
  "public",
  "default_events",
  "default_permissions",
  "request_oauth_on_install",
  "setup_on_update",
])
const PERMISSIONS: Readonly<Record<string, readonly string[]>> = {
  contents: ["read", "write"],
  actions: ["read", "write"],
  metadata: ["read"],
  pull_requests: ["read", "write"],
}

/** One for all: making it takes most of a second. */
let pem: string | undefined

/**
 * GitHub's pages and calls of the manifest flow: takes a form with a manifest that it knows every key of, registers an App as if
 * the person had pressed the button at once, and gives its key for a code, once.
 */
export async function startAppManifests(change: (app: Record<string, unknown>) => unknown = (app) => app) {
  const log = new RequestLog("GitHub's manifest flow")
  const codes = new Map<string, Registration>()
  const registrations: Registration[] = []
  pem ??= generateKeyPairSync("rsa", { modulusLength: 2048 })
    .privateKey.export({ type: "pkcs1", format: "pem" })
    .toString()

  const server = await startServer(
    async (request, response) => {
      const url = new URL(request.url ?? "/", "http://github.invalid")
      const body = (await readBody(request)) ?? ""
      log.note(`${request.method} ${url.pathname.replace(/[\w-]{40,}/, "CODE")}`)
      const form = /^(?:\/organizations\/([^/]+))?\/settings\/apps\/new$/.exec(url.pathname)
      if (request.method === "POST" && form !== null) {
        const manifest = JSON.parse(new URLSearchParams(body).get("manifest") ?? "null") as Registration["manifest"]
        const fault = faultOf(manifest)
        if (fault !== null) return void response.writeHead(422).end(fault)
        const registration = { manifest, state: url.searchParams.get("state"), organisation: form[1] ?? null }
        const code = randomBytes(30).toString("hex")
        codes.set(code, registration)
        registrations.push(registration)
        const back = new URL(String(manifest["redirect_url"]))
        back.searchParams.set("code", code)
        if (registration.state !== null) back.searchParams.set("state", registration.state)
        return void response.writeHead(302, { location: back.href }).end()
      }
      const conversion = /^\/api\/v3\/app-manifests\/([^/]+)\/conversions$/.exec(url.pathname)
      const registration = codes.get(conversion?.[1] ?? "")
      if (request.method !== "POST" || registration === undefined || !request.headers["user-agent"])
        return void response.writeHead(404, { "content-type": "application/json" }).end('{"message":"Not Found"}')
      codes.delete(conversion?.[1] ?? "")
      const { manifest, organisation } = registration
      const app = {
        id: 730_001,
        slug: String(manifest["name"])
          .toLowerCase()
          .replace(/[^a-z0-9]+/g, "-"),
        name: manifest["name"],
        owner: { login: organisation ?? "somebody", id: 9001 },
        html_url: `${server.url}/apps/daypass`,
        permissions: { metadata: "read", ...(manifest["default_permissions"] as object) },
        events: [],
        client_id: "Iv1.0123456789abcdef",
        client_secret: "0".repeat(40),
        webhook_secret: null,
        pem,
      }
      response.writeHead(201, { "content-type": "application/json" }).end(JSON.stringify(change(app)))
    },
    (fault) => log.unexpected(`a fault of the stand-in: ${String(fault)}`),
  )
  return {
    url: server.url,
    api: `${server.url}/api/v3`,
    pem: pem as string,
    registrations,
    close: () => server.close(),
  }
}

function faultOf(manifest: Registration["manifest"] | null): string | null {
  if (manifest === null) return "the form has no manifest"
  const unknown = Object.keys(manifest).find((key) => !KEYS.has(key))
  if (unknown !== undefined) return `unknown key ${unknown}`
  const { name, url, redirect_url: redirect, default_permissions: permissions } = manifest
  if (typeof name !== "string" || name === "" || name.length > MAX_NAME_CHARACTERS) return "the name is too long"
  if (!URL.canParse(String(url)) || !URL.canParse(String(redirect))) return "url and redirect_url must be URLs"
  const wrong = Object.entries(permissions as object).find(([key, level]) => !PERMISSIONS[key]?.includes(level))
  return wrong === undefined ? null : `no permission ${wrong.join(":")}`
}
