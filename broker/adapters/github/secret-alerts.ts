import * as z from "zod"
import { BrokerError } from "../../core/errors.ts"
import { Secret } from "../../core/secret.ts"
import type { Refusal } from "../../github/answer.ts"
import type { Clock } from "../../ports/clock.ts"
import type { LeakedValues } from "../../ports/leaked-values.ts"
import type { GitHubApp } from "./app.ts"
import { stepOf } from "./git-objects.ts"
import { explainRefusal } from "./sentences.ts"

/** GitHub takes a delivery for failed that is not answered in ten seconds. The search and the revocation need some of them. */
const REQUEST_TIMEOUT_MS = 6_000
const MAX_BYTES = 512 * 1024

/** GitHub's "Get a secret scanning alert". */
const alertSchema = z.object({ number: z.int().positive(), secret: z.string().min(1) })

/**
 * Reads the values that GitHub's secret scanning has found. GitHub's webhook does not have them, so whoever can forge its
 * deliveries still cannot make up a leak. Needs the App's permission to read secret scanning alerts.
 */
export function createSecretAlerts(app: GitHubApp, clock: Clock): LeakedValues {
  return {
    async valueOf({ repositoryId, repository, number }) {
      const answer = await app.get({
        ...{ repositoryId, permission: "secret_scanning_alerts", maxBytes: MAX_BYTES },
        path: `/secret-scanning/alerts/${number}`,
        deadline: clock.elapsed() + REQUEST_TIMEOUT_MS,
      })
      const step = stepOf(answer, alertSchema, "the secret scanning alert")
      if (step.outcome !== "ok") {
        const why = explainRefusal(step, { repository, permission: "secret_scanning_alerts", now: clock.now() })
        throw new BrokerError(CODES[step.outcome], `The value of the alert is unknown. ${why}${AGAIN}`)
      }
      if (step.value.number !== number) {
        throw new BrokerError("provider_response_invalid", `GitHub described another alert than was asked for.${AGAIN}`)
      }
      return new Secret(step.value.secret)
    },
  }
}

const CODES = {
  "no-access": "provider_denied",
  "rate-limited": "provider_throttled",
  failed: "provider_unavailable",
} as const satisfies Record<Refusal["outcome"], string>

/** GitHub delivers once. */
const AGAIN = " Then deliver this again, under Recent Deliveries of the webhook."
