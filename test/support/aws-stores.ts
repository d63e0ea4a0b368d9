import { randomUUID } from "node:crypto"
import type { IncomingMessage, ServerResponse } from "node:http"
import { KmsKeys } from "./aws-stores/kms.ts"
import { getParametersByPath } from "./aws-stores/parameter-paths.ts"
import { getParameters, type StoredParameter } from "./aws-stores/parameters.ts"
import { Permissions, type Statement } from "./aws-stores/permissions.ts"
import { STORE_ERRORS, type StoreErrorCode, StoreRefusal } from "./aws-stores/refusal.ts"
import { getSecretValue, type StoredSecret } from "./aws-stores/secrets.ts"
import { verifySignature } from "./aws-stores/signature.ts"
import { RequestLog } from "./request-log.ts"
import { Failures, type Misbehaviour, misbehave, readBody, startServer } from "./servers.ts"
import type { IssuedCredentials } from "./sts/answer.ts"

const JSON_TYPE = "application/x-amz-json-1.1"
const ACCOUNT = "111122223333"
const IRELAND = { region: "eu-west-1", partition: "aws" }

/** The name of each service in signatures, by the first part of its operations. */
const SERVICES: Readonly<Record<string, string>> = {
  secretsmanager: "secretsmanager",
  AmazonSSM: "ssm",
  TrentService: "kms",
}

/** What the stores can do besides failing as any server: refuse with a code of their own. */
export type StoreMisbehaviour = Misbehaviour | StoreErrorCode

export interface AwsStores {
  readonly url: string
  addSecret(secret: StoredSecret): void
  addParameter(parameter: StoredParameter): void
  /** The keys of AWS KMS. */
  readonly keys: KmsKeys
  /** What sessions of a role may do, by the role's ARN. Replaces what they might before. */
  permit(role: string, statements: readonly Statement[]): void
  /** Makes the next `times` answers fail; for good when `times` is left out. `null` mends it. */
  fail(how: StoreMisbehaviour | null, times?: number): void
  /** What was asked, in order, for example `secretsmanager.GetSecretValue shop/stripe 200`. */
  readonly requests: readonly string[]
  /** @throws when anything was asked that nobody has a reason to ask */
  assertClean(): void
  /** Stops, then asserts that it was left clean. */
  close(): Promise<void>
}

/**
 * Starts a stand-in for AWS Secrets Manager, Parameter Store and KMS on loopback, of one account and region: GetSecretValue,
 * GetParameters, GetParametersByPath and Decrypt, as strict as the real ones. `sessions` are those that STS handed out, which alone are let in.
 */
export async function startAwsStores(
  sessions: () => readonly IssuedCredentials[],
  { region, partition } = IRELAND,
): Promise<AwsStores> {
  const log = new RequestLog("the stand-in for AWS's stores")
  const secrets = new Map<string, StoredSecret>()
  const parameters = new Map<string, StoredParameter>()
  const keys = new KmsKeys()
  const statements = new Map<string, readonly Statement[]>()
  const failures = new Failures<StoreMisbehaviour>()

  const operations: Readonly<Record<string, (input: Input, permissions: Permissions) => object>> = {
    "secretsmanager.GetSecretValue": (input, permissions) =>
      getSecretValue(input, secrets, { prefix: `arn:${partition}:secretsmanager:${region}:${ACCOUNT}:`, permissions }),
    "AmazonSSM.GetParameters": (input, permissions) =>
      getParameters(input, parameters, { prefix: `arn:${partition}:ssm:${region}:${ACCOUNT}:`, permissions }),
    "AmazonSSM.GetParametersByPath": (input, permissions) =>
      getParametersByPath(input, parameters, { prefix: `arn:${partition}:ssm:${region}:${ACCOUNT}:`, permissions }),
    "TrentService.Decrypt": (input, permissions) => keys.decrypt(input, permissions),
  }

  const server = await startServer(serve, (fault) => log.unexpected(`a fault of the stand-in: ${String(fault)}`))

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = String(request.headers["x-amz-target"])
    const how = failures.take()
    let about = target
    try {
      const body = await readBody(request)
      if (request.method !== "POST" || request.url !== "/" || !Object.hasOwn(operations, target)) {
        log.unexpected(`${request.method} ${request.url?.split("?")[0]} ${target}`)
        throw new StoreRefusal("UnknownOperationException", "There is no such operation here.")
      }
      const service = SERVICES[target.split(".")[0] ?? ""] ?? ""
      const signed = { method: "POST", path: "/", headers: request.headers, body: body ?? "" }
      const session = verifySignature(signed, { region, service }, sessions())
      const input = inputOf(request, body)
      about = `${target} ${[input["Names"] ?? input["SecretId"] ?? input["Path"] ?? input["KeyId"]].flat().join(" ")}`
      if (how !== null && isErrorCode(how)) throw new StoreRefusal(how, "Refused, because the test says so.")
      const permissions = new Permissions(session.sessionName, statements.get(session.roleArn) ?? [])
      const answer = JSON.stringify(operations[target]?.(input, permissions))
      log.note(`${about} ${how === null ? 200 : `(${how})`}`)
      if (how === null) response.writeHead(200, { "Content-Type": JSON_TYPE }).end(answer)
      else misbehave(response, how, { type: JSON_TYPE, body: answer })
    } catch (error) {
      if (!(error instanceof StoreRefusal)) throw error
      const status = STORE_ERRORS[error.code]
      log.note(`${about} ${status} ${error.code}`)
      const headers = { "Content-Type": JSON_TYPE, "x-amzn-RequestId": randomUUID() }
      response.writeHead(status, headers).end(JSON.stringify({ __type: error.code, Message: error.message }))
    }
  }

  return {
    url: server.url,
    addSecret: (secret) => void secrets.set(secret.name, secret),
    keys,
    addParameter: (parameter) => void parameters.set(parameter.name, parameter),
    permit: (role, allowed) => void statements.set(role, allowed),
    fail: (how, times) => failures.set(how, times),
    requests: log.entries,
    assertClean: () => log.assertClean(),
    async close() {
      await server.close()
      log.assertClean()
    },
  }
}

type Input = Readonly<Record<string, unknown>>

/** @throws {StoreRefusal} for a body that is no JSON object, or does not say that it is one */
function inputOf(request: IncomingMessage, body: string | null): Input {
  try {
    const input: unknown = JSON.parse(body ?? "")
    if (request.headers["content-type"] === JSON_TYPE && typeof input === "object" && input && !Array.isArray(input))
      return input as Input
  } catch {
    // The same refusal as for any other text that is no JSON object.
  }
  throw new StoreRefusal("SerializationException", `The body is a JSON object of type ${JSON_TYPE}.`)
}

const isErrorCode = (how: StoreMisbehaviour): how is StoreErrorCode => how in STORE_ERRORS
