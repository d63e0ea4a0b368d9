import type { IncomingMessage, ServerResponse } from "node:http"
import type { TrustedIssuer } from "./relying-party.ts"
import { RequestLog } from "./request-log.ts"
import { Failures, type Misbehaviour, misbehave, readBody, startServer } from "./servers.ts"
import {
  errorXml,
  type IssuedCredentials,
  makeCredentials,
  STS_ERRORS,
  type StsErrorCode,
  StsRefusal,
  successXml,
} from "./sts/answer.ts"
import { type AssumeRoleCall, packedPolicySize, readAssumeRoleCall } from "./sts/request.ts"
import { authorise, type Role } from "./sts/trust.ts"
import { verifyWebIdentity, type WebIdentity } from "./sts/web-identity.ts"

const STRANGE_ACCOUNT = "999988887777"

/** What STS can do besides failing as any server: refuse with a code of its own, or answer for another account's role. */
export type StsMisbehaviour = Misbehaviour | StsErrorCode | "wrong-account"

export interface Sts {
  readonly url: string
  /** Makes a role exist; one with the same ARN is replaced. */
  addRole(role: Role): void
  /** Makes the next `times` answers fail; for good when `times` is left out. `null` mends it. */
  fail(how: StsMisbehaviour | null, times?: number): void
  /** All that was handed out, in order. */
  readonly issued: readonly IssuedCredentials[]
  /** What was asked, in order, for example `AssumeRoleWithWebIdentity shop-deploy 200`. No token is in it. */
  readonly requests: readonly string[]
  /** @throws when anything was asked that is no AssumeRoleWithWebIdentity. */
  assertClean(): void
  /** Stops, then asserts that it was left clean. */
  close(): Promise<void>
}

/**
 * Starts a stand-in for AWS STS on loopback: AssumeRoleWithWebIdentity, as strict as the real one.
 *
 * @param endAfterSeconds ends sessions sooner than the call asks: the shortest that the real one gives is 15 minutes, which no
 *   test can wait for
 */
export async function startSts({ endAfterSeconds = Number.POSITIVE_INFINITY } = {}): Promise<Sts> {
  const log = new RequestLog("the STS stand-in")
  const roles = new Map<string, Role>()
  const issued: IssuedCredentials[] = []
  const failures = new Failures<StsMisbehaviour>()

  const server = await startServer(
    (request, response) => serve(request, response),
    (fault) => log.unexpected(`a fault of the stand-in: ${String(fault)}`),
  )

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url !== "/") {
      log.unexpected(`${request.method} ${request.url?.split("?")[0]} 404`)
      response.writeHead(404).end()
      return
    }
    const how = failures.take()
    try {
      const call = readAssumeRoleCall(request.method ?? "", request.headers, await readBody(request))
      if (how !== null && isErrorCode(how)) throw new StsRefusal(how, "Refused, because the test says so.")
      const xml = await assume(call, how)
      if (how !== null && how !== "wrong-account") {
        log.note(`AssumeRoleWithWebIdentity ${call.roleName} (${how})`)
        misbehave(response, how, { type: "text/xml", body: xml })
        return
      }
      log.note(`AssumeRoleWithWebIdentity ${call.roleName} 200`)
      response.writeHead(200, { "Content-Type": "text/xml" }).end(xml)
    } catch (error) {
      if (!(error instanceof StsRefusal)) throw error
      const { status } = STS_ERRORS[error.code]
      log.note(`AssumeRoleWithWebIdentity ${status} ${error.code}`)
      response.writeHead(status, { "Content-Type": "text/xml" }).end(errorXml(error))
    }
  }

  async function assume(call: AssumeRoleCall, how: StsMisbehaviour | null): Promise<string> {
    // The token comes first: for an account that does not know the issuer, STS says so, whatever the role.
    const identity = await verifyWebIdentity(call.token, providersOf(call.account))
    const role = roles.get(call.roleArn)
    // STS does not tell a role that is not there from one that lets nobody in.
    if (!role || identity.issuer !== role.issuer || !role.audiences.includes(identity.audience)) {
      throw new StsRefusal("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
    }
    authorise(role, call, identity)
    return issue(call, identity, how)
  }

  /** The OIDC providers of an account are those that its roles trust, one an issuer. */
  function providersOf(account: string): TrustedIssuer[] {
    const trusting = [...roles.values()].filter((role) => role.arn.includes(`::${account}:`))
    const byIssuer = Map.groupBy(trusting, (role) => role.issuer)
    return [...byIssuer].map(([issuer, group]) => ({ issuer, audiences: group.flatMap((role) => role.audiences) }))
  }

  function issue(call: AssumeRoleCall, identity: WebIdentity, how: StsMisbehaviour | null): string {
    const size = packedPolicySize(call, identity.tags)
    const credentials: IssuedCredentials = {
      ...makeCredentials(Math.min(call.durationSeconds, endAfterSeconds)),
      roleArn: call.roleArn,
      sessionName: call.sessionName,
      subject: identity.subject,
      durationSeconds: call.durationSeconds,
      tags: identity.tags,
      transitiveTagKeys: identity.transitiveTagKeys,
      sessionPolicy: call.policy,
      policyArns: call.policyArns,
    }
    issued.push(credentials)
    const account = how === "wrong-account" ? STRANGE_ACCOUNT : call.account
    return successXml(credentials, {
      assumedRoleArn: `arn:${call.partition}:sts::${account}:assumed-role/${call.roleName}/${call.sessionName}`,
      providerArn: `arn:${call.partition}:iam::${account}:oidc-provider/${identity.issuer.replace(/^https?:\/\//, "")}`,
      audience: identity.audience,
      packedPolicySize: size,
    })
  }

  return {
    url: server.url,
    addRole: (role) => void roles.set(role.arn, role),
    fail: (how, times) => failures.set(how, times),
    issued,
    requests: log.entries,
    assertClean: () => log.assertClean(),
    async close() {
      await server.close()
      log.assertClean()
    },
  }
}

const isErrorCode = (how: StsMisbehaviour): how is StsErrorCode => how in STS_ERRORS

export type { Role } from "./sts/trust.ts"
