import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { startAwsStores } from "../../support/aws-stores.ts"
import { startSts } from "../../support/sts.ts"
import { assertRefused, type StartClientVendor, tokenGrant } from "./vendor.ts"

const ROLE = "arn:aws:iam::111122223333:role/clients-deploy"
const STRANGER = "arn:aws:iam::111122223333:role/clients-other"
const AUDIENCE = "https://aws.clients.example"
const [DEPLOY, TOKEN] = ["clients-aws", "clients-aws-token"]

/** AWS's SDKs with the session of a role that Daypass delivered, and with a token of the broker's. */
export const startAwsClients: StartClientVendor = async () => {
  const sts = await startSts()
  const stores = await startAwsStores(() => sts.issued)
  const [secret, parameter] = [randomBytes(24).toString("hex"), randomBytes(24).toString("hex")]
  const version = (value: string) => [{ id: "a1b2c3d4-5678-90ab-cdef-1234567890ab", stages: ["AWSCURRENT"], value }]
  stores.addSecret({ name: "clients/key", suffix: "AbCd12", versions: version(secret) })
  stores.addSecret({ name: "others/key", suffix: "EfGh34", versions: version("of others") })
  stores.addParameter({ name: "/clients/key", type: "SecureString", versions: [{ value: parameter }] })
  stores.permit(ROLE, [
    { actions: ["secretsmanager:GetSecretValue"], resources: ["arn:aws:secretsmanager:*:secret:clients/*"] },
    { actions: ["ssm:GetParameters"], resources: ["arn:aws:ssm:*:parameter/*"] },
  ])
  return {
    name: "aws",
    connections: {
      "clients-aws": { provider: "aws", region: "eu-west-1", accounts: ["111122223333"], endpoint: sts.url },
    },
    grants: {
      [DEPLOY]: { connection: "clients-aws", role: ROLE, ttl: "15m" },
      [TOKEN]: tokenGrant(AUDIENCE, "AWS_JWT"),
    },
    secrets: {},
    trust({ issuer, subject }) {
      const audiences = ["sts.amazonaws.com", AUDIENCE]
      const lets = (subjects: readonly string[]) => ({ issuer, audiences, subject: { StringEquals: subjects } })
      sts.addRole({ arn: ROLE, ...lets([subject(DEPLOY), subject(TOKEN)]), tagSession: true })
      sts.addRole({ arn: STRANGER, ...lets([subject("another")]), tagSession: true })
    },
    async use({ run, folder, node }, check) {
      const file = join(folder, "aws-token")
      writeFileSync(file, run.env["AWS_JWT"] ?? "")
      const told = await node(
        "aws",
        { secret: "clients/key", parameter: "/clients/key", foreign: "others/key", role: ROLE, stranger: STRANGER },
        {
          AWS_ENDPOINT_URL_SECRETS_MANAGER: stores.url,
          AWS_ENDPOINT_URL_SSM: stores.url,
          AWS_ENDPOINT_URL_STS: sts.url,
          AWS_WEB_IDENTITY_TOKEN_FILE: file,
        },
      )
      await check("AWS's SDKs find the delivered session, sign with it, and read", () => {
        assert.equal(told["secret"], secret)
        assert.deepEqual(told["parameter"], { values: [parameter], invalid: ["/none"] })
      })
      await check("AWS's SDK logs in with the broker's token in a file", () => assert.equal(told["byToken"], secret))
      await check("AWS's SDK tells of a secret that the role may not read", () =>
        assertRefused(told, "foreign", /^AccessDeniedException .*GetSecretValue/),
      )
      await check("AWS's SDK tells of a wrong session, a wrong key and a role that trusts another", () => {
        assertRefused(told, "wrongSession", /^UnrecognizedClientException /)
        assertRefused(told, "wrongKey", /^InvalidSignatureException /)
        assertRefused(told, "stranger", /^AccessDenied .*AssumeRoleWithWebIdentity/)
      })
    },
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
