import { startAwsStores } from "../aws-stores.ts"
import { startSts } from "../sts.ts"
import type { StartVendor } from "../vendor.ts"
import { fileOf } from "./delivered-file.ts"
import { expiresOnly } from "./end-of-job.ts"

const ROLE = "arn:aws:iam::111122223333:role/daypass-read"
const KEY = "arn:aws:kms:eu-west-1:111122223333:key/shop"
const SECRETS = "aws-stores-secrets"
const PARAMETERS = "aws-stores-parameters"
const VERSION = "a1b2c3d4-5678-90ab-cdef-1234567890ab"

const STRIPE = { live: "sk_live_of-the-shop-2", before: "sk_live_of-the-shop-1" }
const KEYSTORE = Buffer.from([0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2, 0, 255])
const PASSWORDS = Array.from({ length: 12 }, (_, index) => `password-number-${index}-of-the-shop`)

/** AWS's stores, and a role that reads them for two grants' subjects: a secret in two versions, a file, and parameters. */
export const startAwsStoresVendor: StartVendor = async () => {
  const sts = await startSts()
  const stores = await startAwsStores(() => sts.issued)
  stores.permit(ROLE, [
    { actions: ["secretsmanager:GetSecretValue"], resources: ["arn:aws:secretsmanager:*:secret:shop/*"] },
    { actions: ["ssm:GetParameters"], resources: ["arn:aws:ssm:*:parameter/shop/*"] },
    { actions: ["ssm:GetParametersByPath"], resources: ["arn:aws:ssm:*:parameter/shop/whole"] },
    { actions: ["kms:Decrypt"], resources: [KEY] },
  ])
  const json = (key: string) => JSON.stringify({ api_key: key, account: "acct_1" })
  stores.addSecret({
    name: "shop/stripe",
    suffix: "AbCd12",
    key: { arn: KEY, enabled: true },
    versions: [
      { id: VERSION, stages: ["AWSCURRENT"], value: json(STRIPE.live) },
      { id: VERSION.replace("a1", "b1"), stages: ["AWSPREVIOUS"], value: json(STRIPE.before) },
    ],
  })
  stores.addSecret({
    name: "shop/keystore",
    suffix: "EfGh34",
    versions: [{ id: VERSION, stages: ["AWSCURRENT"], value: KEYSTORE }],
  })
  stores.addParameter({ name: "/shop/region", type: "String", versions: [{ value: "eu-central-1" }] })
  PASSWORDS.forEach((value, index) => {
    const versions = [{ value: `${value}-before`, labels: ["before"] }, { value }]
    stores.addParameter({ name: `/shop/password-${index}`, type: "SecureString", versions })
  })
  // Twelve of the path's own level take two pages, between which this stand-in sends an empty one.
  PASSWORDS.forEach((value, index) => {
    stores.addParameter({
      name: `/shop/whole/key-${index}`,
      type: "SecureString",
      versions: [{ value: `${value}-whole` }],
    })
  })
  stores.addParameter({ name: "/shop/whole/below/key", type: "SecureString", versions: [{ value: "below" }] })
  const settings = { region: "eu-west-1", role: ROLE, endpoint: stores.url, sts_endpoint: sts.url }
  const passwords = PASSWORDS.map((_, index) => [`AWS_STORES_PASSWORD_${index}`, `/shop/password-${index}`] as const)
  return {
    name: "aws-stores",
    gives: "secrets of AWS Secrets Manager and parameters of Parameter Store",
    connections: {
      [SECRETS]: { provider: "aws-secrets-manager", ...settings },
      [PARAMETERS]: { provider: "aws-parameter-store", ...settings, plain_is_public: true },
    },
    grants: {
      [SECRETS]: {
        connection: SECRETS,
        read: {
          AWS_STORES_KEY: "shop/stripe#api_key",
          AWS_STORES_KEY_BEFORE: "shop/stripe:AWSPREVIOUS#api_key",
          AWS_STORES_KEYSTORE: { from: "shop/keystore", as: "file", mode: "0400" },
        },
        read_all: { from: "shop/stripe:AWSPREVIOUS", prefix: "AWS_STORES_STRIPE_" },
      },
      [PARAMETERS]: {
        connection: PARAMETERS,
        read: {
          ...Object.fromEntries(passwords),
          AWS_STORES_REGION: "/shop/region",
          AWS_STORES_PASSWORD_BEFORE: "/shop/password-0:before",
        },
        read_all: { from: "/shop/whole/", prefix: "AWS_STORES_WHOLE_" },
      },
    },
    secrets: {},
    trust({ issuer, subject }) {
      const audiences = ["daypass-aws-stores"]
      const StringEquals = [subject(SECRETS), subject(PARAMETERS)]
      sts.addRole({ arn: ROLE, issuer, audiences, subject: { StringEquals }, tagSession: true })
    },
    check(run) {
      const { env, masks } = run
      const got = passwords.map(([variable]) => env[variable])
      const whole = Object.keys(env).filter((name) => name.startsWith("AWS_STORES_WHOLE_"))
      const secrets = [STRIPE.live, STRIPE.before, ...PASSWORDS, `${PASSWORDS[0]}-before`]
      return [
        ["the job has a field of a secret in two versions", env["AWS_STORES_KEY"] === STRIPE.live],
        ["the version before is the other one", env["AWS_STORES_KEY_BEFORE"] === STRIPE.before],
        [
          "a binary secret is a file that its owner alone reads, byte for byte",
          fileOf(run, "AWS_STORES_KEYSTORE", "hex") === `0400 ${KEYSTORE.toString("hex")}`,
        ],
        ["the job has twelve parameters, which takes two calls", got.join() === PASSWORDS.join()],
        [
          "the job has the parameters of a path, which takes three calls, and none below",
          whole.length === 12 && PASSWORDS.every((one, at) => env[`AWS_STORES_WHOLE_KEY_${at}`] === `${one}-whole`),
        ],
        ["the job has all members of a secret's JSON", env["AWS_STORES_STRIPE_API_KEY"] === STRIPE.before],
        ["a label names a version", env["AWS_STORES_PASSWORD_BEFORE"] === `${PASSWORDS[0]}-before`],
        ["what is secret is masked", secrets.every((secret) => masks.includes(secret))],
        ["a plain parameter is not", env["AWS_STORES_REGION"] === "eu-central-1" && !masks.includes("eu-central-1")],
        ["no session of the role reaches the job", !sts.issued.some((one) => masks.includes(one.sessionToken))],
      ]
    },
    checkEnd: ({ log }) => [expiresOnly(log, SECRETS, PARAMETERS)],
    fail: (how) => stores.fail(how),
    get requests() {
      return [...sts.requests, ...stores.requests]
    },
    alive: () => 0,
    assertClean() {
      sts.assertClean()
      stores.assertClean()
    },
    async close() {
      await stores.close()
      await sts.close()
    },
  }
}
