import { createHmac, randomUUID } from "node:crypto"
import { alertBody, repositoryBody } from "./bodies.ts"
import type { HostedRepository } from "./model.ts"

/** One delivery of a webhook. The same one can be delivered again, as GitHub's settings allow for three days. */
export interface Delivery {
  readonly id: string
  readonly event: string
  readonly body: string
}

/** The delivery for an alert of secret scanning. */
export function leakDelivery(repository: HostedRepository, number: number, action: string): Delivery {
  const alert = repository.alerts.get(number)
  if (!alert) throw new Error(`${repository.fullName} has no alert ${number}`)
  const url = "https://api.github.com"
  const about = { alert: alertBody(number, alert, repository, url), repository: repositoryBody(repository, url) }
  const body = JSON.stringify({ action, ...about, sender: { login: "octocat", id: 1, type: "User" } })
  return { id: randomUUID(), event: "secret_scanning_alert", body }
}

/** Sends a delivery as GitHub does: signed over the bytes of its body. `sent`: other bytes than those that are signed. */
export async function deliver(
  { id, event, body }: Delivery,
  to: { readonly url: string; readonly secret: string; readonly sent?: string; readonly type?: string },
) {
  const sign = (hash: "sha1" | "sha256") => `${hash}=${createHmac(hash, to.secret).update(body).digest("hex")}`
  const response = await fetch(`${to.url}/v1/hooks/github`, {
    method: "POST",
    headers: {
      accept: "*/*",
      "content-type": to.type ?? "application/json",
      "user-agent": "GitHub-Hookshot/760256b",
      "x-github-delivery": id,
      "x-github-event": event,
      "x-github-hook-id": "1",
      "x-hub-signature": sign("sha1"),
      "x-hub-signature-256": sign("sha256"),
    },
    body: to.sent ?? body,
  })
  const json = (await response.json()) as Readonly<Record<string, unknown>>
  return { status: response.status, json }
}
