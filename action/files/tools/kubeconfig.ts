import { join } from "node:path"
import { ownerFile } from "../../deliver/files.ts"
import { deliveryRefused } from "../../failure.ts"
import { homeOf, type Login, type LoginOf, loginsIn, NOTHING, type ToolsContext, type ToolsPlan } from "./login.ts"

/**
 * A kubeconfig file, before the job's own in KUBECONFIG: its first cluster becomes the current context, and the job's other
 * contexts stay. Several logins at one cluster are several contexts. It is written as JSON, which is YAML. The token is in a
 * file beside it. The path to that file is relative, so it is right in a container, too.
 *
 * Source: Kubernetes, "Organizing Cluster Access Using kubeconfig Files", and client-go's clientcmd/api/v1.
 */
export function planKubeconfig(all: readonly Login[], context: ToolsContext): ToolsPlan {
  const logins = loginsIn(all, "kubeconfig")
  const [first] = logins
  if (first === undefined) return NOTHING
  refuseSameNames(logins)
  const folder = join(context.folder, "tools", "kube")
  const path = join(folder, "config")
  const delimiter = context.platform === "win32" ? ";" : ":"
  const before = context.environment["KUBECONFIG"] || join(homeOf(context), ".kube", "config")
  const configuration = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": nameOf(first),
    clusters: logins.map((one) => ({ name: nameOf(one), cluster: clusterOf(one.login) })),
    users: logins.map((one) => ({ name: nameOf(one), user: { tokenFile: tokenFileOf(one) } })),
    contexts: logins.map((one) => ({
      name: nameOf(one),
      context: {
        cluster: nameOf(one),
        user: nameOf(one),
        ...(one.login.namespace !== undefined && { namespace: one.login.namespace }),
      },
    })),
  }
  const tokens = logins.map((one) => ownerFile(join(folder, tokenFileOf(one)), one.value))
  return {
    files: [ownerFile(path, `${JSON.stringify(configuration, null, 2)}\n`), ...tokens],
    variables: new Map([["KUBECONFIG", `${path}${delimiter}${before}`]]),
    secrets: [],
    warnings: [],
  }
}

type ClusterLogin = LoginOf<"kubeconfig">

/** As the output of the same value is called. */
const nameOf = ({ grant, name }: ClusterLogin) => `${grant}-${name}`

/** `a` with `b-c`, and `a-b` with `c`. On Windows and macOS, Key and key are the same file. */
function refuseSameNames(logins: readonly ClusterLogin[]): void {
  const names = logins.map((one) => nameOf(one).toLowerCase())
  const twice = logins.find((one, index) => names.indexOf(nameOf(one).toLowerCase()) !== index)
  if (twice !== undefined)
    throw deliveryRefused(
      `Two logins at clusters would both be the context ${nameOf(twice)}: rename one of their grants or values.`,
    )
}

const tokenFileOf = (login: ClusterLogin) => `token-${nameOf(login)}`

const clusterOf = ({ server, certificate_authority: authority }: ClusterLogin["login"]) => ({
  server,
  ...(authority !== undefined && {
    "certificate-authority-data": Buffer.from(authority, "utf8").toString("base64"),
  }),
})
