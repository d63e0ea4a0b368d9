import type { ClaimFact } from "./claim-fact.ts"
import { tableOf } from "./claim-rows.ts"
import type { FamilyFacts } from "./family-facts.ts"

type Row = [claim: string, fact: ClaimFact]
const about =
  (tells: ClaimFact["tells"], sent: ClaimFact["sent"], more: Partial<ClaimFact> = { derived: true }) =>
  (claim: string, summary: string, samples?: readonly string[]): Row => [
    claim,
    { summary, sent, tells, ...more, ...(samples && { samples }) },
  ]

const account = about("unit", "always")
const pod = about("job", "by-some-jobs")

/**
 * What service account tokens of Kubernetes say. Source: "Managing Service Accounts" of its documentation. Their private
 * claims stand in the object `kubernetes.io`, and conditions name each by its path. Pod and node are there when the token is
 * bound to them; the node since 1.30.
 */
const CLAIMS = tableOf([
  about("unit", "always", {})("sub", "system:serviceaccount:, the namespace and the service account's name"),
  about("token", "always", { type: "object" })("kubernetes.io", "what the next ones are read from"),
  account("service_account", "the service account, as namespace/name", ["payments/deployer"]),
  account("kubernetes.io/namespace", "the service account's namespace", ["payments"]),
  account("kubernetes.io/serviceaccount/name", "the service account's name", ["deployer"]),
  account("kubernetes.io/serviceaccount/uid", "the service account's uid", ["9f0c1c86-5f0a-4c0e-9d1b-2f4a7d1e6b35"]),
  pod("kubernetes.io/pod/name", "the pod that the token is bound to"),
  pod("kubernetes.io/pod/uid", "that pod's uid"),
  pod("kubernetes.io/node/name", "the node of that pod"),
  pod("kubernetes.io/node/uid", "that node's uid"),
  about("token", "by-some-jobs")("kubernetes.io/warnafter", "when the API server begins to report its use"),
])

/** RFC 1123: a namespace is a label of a host name, a service account's name a whole one. */
const SERVICE_ACCOUNT = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\/[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/

/**
 * Service accounts of a cluster: an account is one workload, and its uid decides. A new account of the same name has another
 * uid. The issuer is the cluster, and owns all its accounts.
 */
export const KUBERNETES: FamilyFacts<"kubernetes"> = {
  name: "kubernetes",
  title: "Kubernetes",
  unit: "service_account",
  claims: CLAIMS,
  roles: {
    unitId: "kubernetes.io/serviceaccount/uid",
    unit: "service_account",
    runId: "kubernetes.io/pod/uid",
  },
  unitId: {
    pattern: /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
    words: "a uid is a UUID in small letters, such as 9f0c1c86-5f0a-4c0e-9d1b-2f4a7d1e6b35",
    longest: "9f0c1c86-5f0a-4c0e-9d1b-2f4a7d1e6b35",
  },
  unitName: {
    pattern: SERVICE_ACCOUNT,
    words: "a service account is written namespace/name, without stars",
  },
  patterns: false,
  findId: (account) => {
    const [namespace = "", name = ""] = account.split("/")
    return `kubectl get serviceaccount ${name} --namespace ${namespace} --output jsonpath={.metadata.uid}`
  },
  // What managed clusters allow at most for audiences other than the API server's.
  maxTokenLifetimeSeconds: 86_400,
  jti: "sometimes",
  audience: "setting",
  keyTypes: ["RSA", "EC"],
}
