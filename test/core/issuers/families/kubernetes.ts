import { kubernetes } from "../../../../broker/issuers/kubernetes/family.ts"
import type { Json } from "../fixture.ts"
import type { FamilyCase } from "./family-case.ts"

const UID = "9f0c1c86-5f0a-4c0e-9d1b-2f4a7d1e6b35"
const POD_UID = "5e0bd49b-f040-43b0-99b7-22765a53f7f3"
const EKS = "https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE"

const account = { name: "deployer", uid: UID }
const pod = { name: "deploy-28f6k", uid: POD_UID }
const node = { name: "ip-10-0-1-17.eu-west-1.compute.internal", uid: "646e7c5e-32d6-4d42-9dbd-e504e6cbe6b1" }
const inside: Json = { namespace: "payments", node, pod, serviceaccount: account }

/** The claims of a token from a projected volume, as an API server since 1.30 makes them. */
const SAMPLE: Json = {
  aud: ["https://broker.example.com"],
  exp: 1795303600,
  iat: 1795300000,
  iss: EKS,
  jti: "ea28ed49-2e11-4280-9ec5-bc3d1d84661a",
  "kubernetes.io": inside,
  nbf: 1795300000,
  sub: "system:serviceaccount:payments:deployer",
}

const identity = {
  unitKind: "service_account",
  unit: "payments/deployer",
  unitId: UID,
  owner: "oidc.eks.eu-west-1.amazonaws.com",
  ownerId: EKS,
  runId: POD_UID,
  runAttempt: "",
  ref: null,
  event: null,
  actor: null,
} as const

const { jti, ...withoutJti } = SAMPLE
const changed = (members: Json): Json => ({ "kubernetes.io": { ...inside, ...members } })

export const KUBERNETES_CASE: FamilyCase = {
  family: kubernetes,
  config: {
    name: "cluster",
    family: "kubernetes",
    url: EKS,
    owners: new Map([[identity.owner, EKS]]),
    repositoryPolicies: false,
  },
  samples: [
    {
      name: "of a pod",
      claims: SAMPLE,
      identity,
      derived: {
        service_account: "payments/deployer",
        "kubernetes.io/namespace": "payments",
        "kubernetes.io/serviceaccount/name": "deployer",
        "kubernetes.io/serviceaccount/uid": UID,
        "kubernetes.io/pod/name": pod.name,
        "kubernetes.io/pod/uid": POD_UID,
        "kubernetes.io/node/name": node.name,
        "kubernetes.io/node/uid": node.uid,
        outsider: false,
        interactive: false,
      },
    },
    {
      name: "of a server before 1.29, which sends neither jti nor node",
      claims: { ...withoutJti, "kubernetes.io": { namespace: "payments", pod, serviceaccount: account } },
      identity,
    },
    {
      name: "from the TokenRequest API, bound to nothing",
      claims: {
        ...SAMPLE,
        "kubernetes.io": { namespace: "payments", serviceaccount: account },
        "kubernetes.io/pod/uid": "a claim of its own, which does not count",
      },
      identity: { ...identity, runId: "" },
    },
    {
      name: "of an account whose name has dots",
      claims: {
        ...SAMPLE,
        ...changed({ serviceaccount: { ...account, name: "ci.deployer-2" } }),
        sub: "system:serviceaccount:payments:ci.deployer-2",
      },
      identity: { ...identity, unit: "payments/ci.deployer-2" },
    },
    {
      name: "with the extended life that its API server announces",
      claims: { ...SAMPLE, ...changed({ warnafter: 1795303607 }) },
      identity,
      derived: { "kubernetes.io/warnafter": 1795303607 },
    },
    {
      name: "with claims of its own that are called like a part of the object, which do not count",
      claims: { ...SAMPLE, "kubernetes.io/namespace": "kube-system", service_account: "kube-system/admin" },
      identity,
      derived: { "kubernetes.io/namespace": "payments", service_account: "payments/deployer" },
    },
  ],
  refused: [
    ["without the object", { "kubernetes.io": undefined }, "the claim kubernetes.io is missing"],
    ["whose object is a text", { "kubernetes.io": "payments" }, "the claim kubernetes.io must be an object"],
    ["whose object is a list", { "kubernetes.io": ["payments"] }, "the claim kubernetes.io must be an object"],
    ["without a namespace", changed({ namespace: undefined }), "the claim kubernetes.io/namespace is missing"],
    ["with an empty namespace", changed({ namespace: "" }), "kubernetes.io/namespace must be a text, and not empty"],
    ["without an account", changed({ serviceaccount: undefined }), "kubernetes.io/serviceaccount/name is missing"],
    ["whose account is a text", changed({ serviceaccount: UID }), "kubernetes.io/serviceaccount/name is missing"],
    ["without a uid", changed({ serviceaccount: { name: "deployer" } }), "kubernetes.io/serviceaccount/uid is missing"],
    [
      "whose uid is no UUID",
      changed({ serviceaccount: { ...account, uid: "deployer" } }),
      "kubernetes.io/serviceaccount/uid must be an id: a uid is a UUID",
    ],
    ["whose uid has capitals", changed({ serviceaccount: { ...account, uid: UID.toUpperCase() } }), "a uid is a UUID"],
    ["whose uid is a number", changed({ serviceaccount: { ...account, uid: 7 } }), "must be a text"],
    ["whose pod has no text as uid", changed({ pod: { ...pod, uid: 7 } }), "kubernetes.io/pod/uid must be a text"],
    [
      "whose warnafter is a text",
      changed({ warnafter: "1795303607" }),
      "kubernetes.io/warnafter must be a whole number",
    ],
    ["without a sub", { sub: undefined }, "the claim sub is missing"],
    [
      "whose sub names another account",
      { sub: "system:serviceaccount:payments:admin" },
      "two different service accounts",
    ],
    [
      "whose sub names another namespace",
      { sub: "system:serviceaccount:default:deployer" },
      "two different service accounts",
    ],
    ["whose sub is a user's", { sub: "payments:deployer" }, "two different service accounts"],
    [
      "whose two names could be cut elsewhere",
      {
        ...changed({ namespace: "payments:deployer", serviceaccount: { ...account, name: "x" } }),
        sub: "system:serviceaccount:payments:deployer:x",
      },
      "as Kubernetes writes them",
    ],
    ["with a slash in its name", changed({ serviceaccount: { ...account, name: "a/b" } }), "as Kubernetes writes them"],
    [
      "with a name in capitals",
      changed({ serviceaccount: { ...account, name: "Deployer" } }),
      "as Kubernetes writes them",
    ],
  ],
}
