import { request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http"
import { join } from "node:path"
import { freePort, type LoopbackServer, readBody, startServer } from "../support/servers.ts"
import { errorXml, STS_ERRORS, StsRefusal } from "../support/sts/answer.ts"
import { readAssumeRoleCall } from "../support/sts/request.ts"
import { authorise, type Role } from "../support/sts/trust.ts"
import { verifyWebIdentity } from "../support/sts/web-identity.ts"
import { answers, startProgram } from "./program.ts"

/** Starts moto's server: AWS as somebody else wrote it down. */
export async function startMoto(programs: string): Promise<LoopbackServer> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const server = await startProgram(join(programs, "moto_server"), ["-H", "127.0.0.1", "-p", `${port}`], {
    isReady: () => answers(`${url}/moto-api/`),
  })
  return { url, close: server.close }
}

export interface MotoSts extends LoopbackServer {
  /** What moto answered, in order. */
  readonly answers: readonly string[]
}

/**
 * Stands before moto's AssumeRoleWithWebIdentity and verifies what moto does not look at: the call's form, the token,
 * the role's trust. What passes is moto's to answer, so that the XML which the broker reads is not of our making. `sign`
 * gives the headers that a moto wants which lets in nobody unknown.
 */
export async function startMotoSts(
  moto: string,
  role: () => Role,
  sign?: (form: string) => Promise<Readonly<Record<string, string>>>,
): Promise<MotoSts> {
  const answered: string[] = []
  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request)
    try {
      const call = readAssumeRoleCall(request.method ?? "", request.headers, body)
      const trusted = role()
      if (call.roleArn !== trusted.arn) throw new StsRefusal("AccessDenied", "Not authorized")
      authorise(trusted, call, await verifyWebIdentity(call.token, [trusted]))
    } catch (error) {
      if (!(error instanceof StsRefusal)) throw error
      response.writeHead(STS_ERRORS[error.code].status, { "Content-Type": "text/xml" }).end(errorXml(error))
      return
    }
    const answer = await askMoto(moto, body ?? "", (await sign?.(body ?? "")) ?? {})
    answered.push(answer.body)
    response.writeHead(answer.status, { "Content-Type": answer.type }).end(answer.body)
  }
  return { ...(await startServer(serve, () => {})), answers: answered }
}

/** moto tells its services apart by the host, which `fetch` does not let anybody set. */
function askMoto(moto: string, form: string, signature: Readonly<Record<string, string>>) {
  return new Promise<{ readonly status: number; readonly type: string; readonly body: string }>((resolve, reject) => {
    const headers = { Host: "sts.amazonaws.com", "content-type": "application/x-www-form-urlencoded", ...signature }
    const call = httpRequest(`${moto}/`, { method: "POST", headers }, async (response) => {
      const type = response.headers["content-type"] ?? "text/xml"
      resolve({ status: response.statusCode ?? 0, type, body: (await readBody(response)) ?? "" })
    })
    call.once("error", reject)
    call.end(form)
  })
}
