import { spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { type Answered, type Asked, jsonAnswer, type Service } from "./site.ts"

/** Git's own server over HTTP, `git http-backend`, for the repositories in a folder. */
export function gitService(path: string, repositories: string): Service {
  return ({ method, url, headers, body }) => {
    const variables = {
      PATH: process.env["PATH"] ?? "",
      GIT_PROJECT_ROOT: repositories,
      GIT_HTTP_EXPORT_ALL: "1",
      PATH_INFO: url.pathname.slice(path.length - 1),
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: method,
      CONTENT_TYPE: String(headers["content-type"] ?? ""),
      HTTP_CONTENT_ENCODING: String(headers["content-encoding"] ?? ""),
      GIT_PROTOCOL: String(headers["git-protocol"] ?? ""),
      REMOTE_USER: "ci",
      REMOTE_ADDR: "127.0.0.1",
    }
    return runCgi("git", ["http-backend"], variables, body)
  }
}

/** Runs a CGI program (RFC 3875) for one request. */
function runCgi(
  program: string,
  args: readonly string[],
  env: Record<string, string>,
  body: Buffer,
): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: ["pipe", "pipe", "inherit"] })
    const chunks: Buffer[] = []
    child.once("error", reject)
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk))
    child.once("close", () => {
      const output = Buffer.concat(chunks)
      const end = output.indexOf("\r\n\r\n")
      if (end === -1) return reject(new Error("git http-backend gave no headers"))
      const headers = Object.fromEntries(
        output
          .subarray(0, end)
          .toString("latin1")
          .split("\r\n")
          .map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]),
      )
      const { status = "200", ...rest } = headers
      resolve({ status: Number.parseInt(status, 10), headers: rest, body: output.subarray(end + 4) })
    })
    // A program may answer and end before it has read the request's body (RFC 3875, section 4.2).
    child.stdin.on("error", () => undefined).end(body)
  })
}

/** A registry of npm with one package of one version, whose tarball is this file. */
export function npmService(path: string, host: string, tarball: string): Service {
  const bytes = readFileSync(tarball)
  const dist = {
    tarball: `https://${host}${path}@acme/left/-/left-1.0.0.tgz`,
    integrity: `sha512-${createHash("sha512").update(bytes).digest("base64")}`,
    shasum: createHash("sha1").update(bytes).digest("hex"),
  }
  const version = { name: "@acme/left", version: "1.0.0", dist }
  return ({ method, url }) => {
    const asked = decodeURIComponent(url.pathname.slice(path.length))
    if (method !== "GET") return null
    if (asked === "-/whoami") return jsonAnswer({ username: "ci" })
    if (asked === "@acme/left/-/left-1.0.0.tgz")
      return { status: 200, headers: { "content-type": "application/octet-stream" }, body: bytes }
    if (asked !== "@acme/left") return null
    return jsonAnswer({ name: "@acme/left", "dist-tags": { latest: "1.0.0" }, versions: { "1.0.0": version } })
  }
}

/** A container registry with one image (OCI distribution, "Pulling manifests"). */
export const registryService: Service = ({ method, url }) => {
  if (method !== "GET") return null
  if (url.pathname === "/v2/") return { status: 200, headers: { "docker-distribution-api-version": "registry/2.0" } }
  if (url.pathname !== "/v2/team/app/manifests/latest") return null
  const type = "application/vnd.oci.image.manifest.v1+json"
  const empty = { mediaType: "application/vnd.oci.image.config.v1+json", digest: `sha256:${"0".repeat(64)}`, size: 2 }
  return jsonAnswer({ schemaVersion: 2, mediaType: type, config: empty, layers: [] }, type)
}

/** An API server of Kubernetes with one pod in one namespace, and the discovery that kubectl does before it asks. */
export const clusterService: Service = ({ method, url }: Asked) => {
  if (method !== "GET") return null
  const resources = [{ name: "pods", singularName: "pod", namespaced: true, kind: "Pod", verbs: ["get", "list"] }]
  const pod = { kind: "Pod", apiVersion: "v1", metadata: { name: "web-1", namespace: "shop" } }
  const answers: Readonly<Record<string, unknown>> = {
    "/version": { major: "1", minor: "32", gitVersion: "v1.32.0" },
    "/api": { kind: "APIVersions", versions: ["v1"] },
    "/apis": { kind: "APIGroupList", apiVersion: "v1", groups: [] },
    "/api/v1": { kind: "APIResourceList", groupVersion: "v1", resources },
    "/api/v1/namespaces/shop/pods": { kind: "PodList", apiVersion: "v1", metadata: {}, items: [pod] },
  }
  const answer = answers[url.pathname]
  return answer === undefined ? null : jsonAnswer(answer)
}

/** Where a made package and a made repository are. */
export const tarballIn = (folder: string): string => join(folder, "left-1.0.0.tgz")
