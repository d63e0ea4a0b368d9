import type { Claims, ClaimValue } from "../../../broker/core/identity.ts"
import type { FamilySamples } from "../sample.ts"
import { JTI, REGISTERED } from "./registered.ts"

const PREFIX = "kubernetes.io/"

/** Tokens of Kubernetes. Conditions know a claim of the object `kubernetes.io` by its path. */
export const KUBERNETES_SAMPLES: FamilySamples = {
  family: "kubernetes",
  samples: {
    "kubernetes-pod": {
      summary: "a pod of a service account, with a projected volume",
      claims: {
        ...REGISTERED,
        nbf: 1795300000,
        jti: JTI,
        service_account: "payments/deployer",
        "kubernetes.io/pod/name": "deployer-7d9f8c6b5-x2x4p",
        "kubernetes.io/pod/uid": "0f5c3f0e-6a53-4f0e-8e43-3e2a3f2f9d11",
      },
    },
  },
  follows: [
    ["kubernetes.io/namespace", (read) => read("service_account").split("/")[0] ?? ""],
    ["kubernetes.io/serviceaccount/name", (read) => read("service_account").split("/")[1] ?? ""],
    ["sub", (read) => `system:serviceaccount:${read("service_account").replace("/", ":")}`],
  ],
  token: nested,
}

/** Puts each claim of the object back into it. The account's name is made of two of them. */
function nested(claims: Claims): Claims {
  const token: Record<string, ClaimValue> = {}
  const object: Record<string, ClaimValue> = {}
  for (const [claim, value] of Object.entries(claims)) {
    if (claim === "service_account") continue
    if (!claim.startsWith(PREFIX)) token[claim] = value
    else put(object, claim.slice(PREFIX.length).split("/"), value)
  }
  return { ...token, "kubernetes.io": object }
}

function put(object: Record<string, ClaimValue>, [key = "", ...rest]: readonly string[], value: ClaimValue): void {
  if (rest.length === 0) object[key] = value
  else {
    const inner = { ...(object[key] as Record<string, ClaimValue> | undefined) }
    put(inner, rest, value)
    object[key] = inner
  }
}
