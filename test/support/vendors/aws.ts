import { startSts } from "../sts.ts"
import type { StartVendor } from "../vendor.ts"
import { expiresOnly } from "./end-of-job.ts"

const ROLE = "arn:aws:iam::111122223333:role/tools-deploy"
const GRANT = "aws-deploy"

/** AWS STS, and a role that trusts the broker for one grant. */
export const startAwsVendor: StartVendor = async () => {
  const sts = await startSts()
  return {
    name: "aws",
    gives: "credentials of an AWS role",
    connections: {
      "aws-tools": { provider: "aws", region: "eu-west-1", accounts: ["111122223333"], endpoint: sts.url },
    },
    grants: { [GRANT]: { connection: "aws-tools", role: ROLE, ttl: "15m" } },
    secrets: {},
    trust({ issuer, subject }) {
      const audiences = ["sts.amazonaws.com"]
      sts.addRole({ arn: ROLE, issuer, audiences, subject: { StringEquals: subject(GRANT) }, tagSession: true })
    },
    check({ env, masks }) {
      const issued = sts.issued.at(-1)
      return [
        ["the variables are what STS handed out", env["AWS_SECRET_ACCESS_KEY"] === issued?.secretAccessKey],
        ["the secret ones are masked", issued !== undefined && masks.includes(issued.secretAccessKey)],
        ["the session is the role's", issued?.roleArn === ROLE && issued.subject.endsWith(`grant:${GRANT}`)],
      ]
    },
    checkEnd: ({ log }) => [expiresOnly(log, GRANT)],
    fail: (how) => sts.fail(how),
    requests: sts.requests,
    alive: () => 0,
    assertClean: () => sts.assertClean(),
    close: () => sts.close(),
  }
}
