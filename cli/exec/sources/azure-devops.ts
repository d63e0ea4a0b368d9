import { ActionError } from "../../../action/failure.ts"
import { type HttpReply, isHttpsOrLoopback, send } from "../../../action/http.ts"
import { HttpFailure } from "../../../action/http-failure.ts"
import { memberOf, parseJson } from "../../../action/json.ts"
import { parseUrl } from "../../../action/url.ts"
import { isSet, type Source } from "./source.ts"
import { noToken, tokenIn } from "./token-text.ts"

const URL_VARIABLE = "SYSTEM_OIDCREQUESTURI"
const ACCESS_VARIABLE = "SYSTEM_ACCESSTOKEN"
const API_VERSION = "7.1"

/**
 * Azure Pipelines: a POST with the job's access token gets a new token, always for Entra's audience
 * (learn.microsoft.com/rest/api/azure/devops/distributedtask/oidctoken). Without a service connection in the query, its
 * subject is the pipeline.
 */
export const AZURE_DEVOPS: Source = {
  name: "azure-devops",
  title: "Azure Pipelines",
  isHere: (environment) => isSet(environment, "TF_BUILD"),
  find(environment) {
    if (!isSet(environment, URL_VARIABLE) || !isSet(environment, ACCESS_VARIABLE)) return null
    return {
      canChooseAudience: false,
      renewed: "each-call",
      withheld: [ACCESS_VARIABLE],
      next: (timeoutMs) => requestToken(environment[URL_VARIABLE] ?? "", environment[ACCESS_VARIABLE] ?? "", timeoutMs),
    }
  },
  missing: (environment) =>
    noToken(
      `This job of Azure Pipelines has no ID token: ${isSet(environment, URL_VARIABLE) ? ACCESS_VARIABLE : URL_VARIABLE} is not set.`,
      `Map the job's access token into the step: \`env: { ${ACCESS_VARIABLE}: $(System.AccessToken) }\`.`,
    ),
}

async function requestToken(from: string, bearer: string, timeoutMs: number): Promise<string> {
  const text = `${from.trim()}?api-version=${API_VERSION}`
  const url = parseUrl(text)
  if (url === null || !isHttpsOrLoopback(url)) throw noToken(`The variable ${URL_VARIABLE} is not an https URL.`, AGAIN)
  const reply = await ask(url, bearer.trim(), timeoutMs)
  if (reply.status === 200)
    return tokenIn(asText(memberOf(parseJson(reply.body), "oidcToken")), "the answer of Azure DevOps", AGAIN)
  const message = `Azure DevOps gave no ID token: it answered HTTP ${reply.status}.`
  const isBusy = reply.status === 429 || reply.status >= 500
  throw new ActionError("id_token_unavailable", message, {
    change: AGAIN,
    ...(isBusy && { retry: { pace: "patient" } }),
  })
}

async function ask(url: URL, bearer: string, timeoutMs: number): Promise<HttpReply> {
  try {
    return await send({ method: "POST", url, bearer, accept: "application/json", json: {}, timeoutMs })
  } catch (thrown) {
    if (!(thrown instanceof HttpFailure)) throw thrown
    const message = `The request for an ID token of Azure DevOps failed (${thrown.fault}).`
    throw new ActionError("id_token_unavailable", message, {
      change: AGAIN,
      ...(thrown.retry && { retry: thrown.retry }),
    })
  }
}

const asText = (value: unknown) => (typeof value === "string" ? value : "")

const AGAIN = "Run the job again; if the error returns, check status.dev.azure.com and the access token's rights."
