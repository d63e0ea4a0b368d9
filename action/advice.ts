import { forLog, messageForLog } from "./escape.ts"
import type { ActionError, FailureCode } from "./failure.ts"

/** The page that explains every code, with one heading a code. */
const CODES_PAGE = "https://github.com/daypass/daypass/blob/main/docs/codes.md"

/** The place of the page that explains a code. */
export const pageOf = (code: FailureCode): string => `${CODES_PAGE}#${code}`

/** What to change after this failure. */
export const changeFor = ({ change, code }: ActionError): string => change ?? advice(code)

/** For the log: what happened, what to change, who helps, the request and the page that explains the code. */
export function sentencesOf(failure: ActionError): string {
  const { help, requestId } = failure
  return [
    messageForLog(failure.message),
    messageForLog(changeFor(failure)),
    ...(help ? [`Help: ${help.text === undefined ? "" : `${forLog(help.text)} `}${help.url}`] : []),
    ...(requestId === undefined ? [] : [`(request ${requestId})`]),
    `See ${pageOf(failure.code)}`,
  ].join(" ")
}

/** The one sentence that says what to change after a failure. The type covers every code: a new code does not compile without a sentence. */
export function advice(code: FailureCode): string {
  return ADVICE[code]
}

const ADVICE: Readonly<Record<FailureCode, string>> = {
  // The broker's codes, in the order of the wire.
  request_malformed: "Correct the inputs `grants` and `ttl` as the broker's message says.",
  request_too_large: "Ask for fewer grants in one step.",
  media_type_unsupported: "Check the proxy between the job and the broker: it must not change requests.",
  method_not_allowed:
    "Update the broker to the version that this action needs, or pin the action to the broker's version.",
  route_not_found: "Update the broker to the version that this action needs, or correct the input `broker`.",
  wrong_host: "Set the input `broker` to the broker's own URL, which its operator knows as DAYPASS_URL.",
  token_missing: "Configure the proxy between the job and the broker to forward the Authorization header.",
  token_malformed: "Check that the token is this job's ID token, and that no proxy changes the Authorization header.",
  token_issuer_unknown:
    "Ask the broker's operator to list this issuer under `issuers` in the organisation file, or correct the input `broker`.",
  token_signature_invalid:
    "Compare the issuer's `url`, and its `jwks` if it lists keys, in the organisation file with the server that makes the job's tokens, such as your GitHub Enterprise Server.",
  token_audience_mismatch:
    "Set the step's input `audience` to the audience that the broker accepts, or remove the input if the broker's origin is that audience.",
  token_expired:
    "Ask the broker's operator to correct the clock of the broker if it is wrong; otherwise run the job again, because the request was on its way for minutes.",
  token_not_yet_valid: "Ask the broker's operator to correct the clock of the broker, which is behind the issuer's.",
  token_lifetime_too_long:
    "Ask the broker's operator to compare `max_token_lifetime` with the lifetime of this issuer's tokens.",
  token_claims_invalid:
    "Change in the job what the broker's message names; if the job cannot change it, ask the broker's operator to check the issuer's `family` in the organisation file.",
  token_too_old:
    "Run the job again: the broker's ledger was restored, or a clock was corrected, and the broker accepts newer tokens only.",
  quota_exceeded:
    "Run the job again later, run fewer jobs at the same time, or ask for a higher limit: under `limits` in the organisation file, or `max_open_leases` in the grant.",
  client_gone: "Run the job again: its connection to the broker ended before the answer arrived.",
  token_already_used: "Run the job again; if the error returns, look for a step or a proxy that repeats requests.",
  proof_invalid:
    "Correct the clock of the machine that runs the job if the broker's message names it; otherwise look for a proxy that changes the requests to the broker.",
  key_mismatch: "Run the job again; if the error returns, look for a proxy that changes the requests to the broker.",
  bound_token_required: "Update the action, because the broker requires a subject token that is bound to a key.",
  issuer_unavailable: "Run the job again when the issuer has recovered; for GitHub, githubstatus.com shows its state.",
  not_allowed:
    "Ask the maintainers of the broker's policies to add one for this job, or run the job in the environment that has one.",
  stopped: "Read the reason in the broker's message, and run the job again when its operators have resumed.",
  ttl_too_short: "Set a longer `ttl`, or remove the input.",
  policy_unavailable:
    "Give the broker's message to its operator, because it names the policies that the broker cannot load.",
  policy_invalid:
    "Correct the files in .github/daypass/ on the default branch; the broker's message names each error and its place.",
  lease_not_found: "Change nothing, because the lease has already ended or belongs to another run.",
  lease_taken: "Run the job again; if the error returns, look for a step or a proxy that repeats requests.",
  ledger_unavailable: "Run the job again later; if the error returns, ask the broker's operator to check its storage.",
  provider_denied:
    "Ask the broker's operator to check the trust at the provider: the role, its trust condition and its permissions.",
  provider_throttled: "Run the job again later, or run fewer jobs at the same time.",
  provider_unavailable: "Run the job again when the provider has recovered.",
  provider_response_invalid:
    "Ask the broker's operator to check that the connection's settings fit the provider's version.",
  secret_not_found:
    "Correct the locator in the policy, or add the secret, version or field to the store and let the connection read it.",
  secret_unusable: "Change the secret in the store, or change how the policy delivers it.",
  configuration_invalid: "Ask the broker's operator to read the broker's log, which names every configuration error.",
  shutting_down: "Run the job again, because the broker is restarting.",
  internal: "Give the request id to the broker's operator, who can look up the cause in the broker's log.",

  // The action's own.
  input_invalid: "Correct the step's `with:` in the workflow.",
  id_token_permission_missing:
    "Add `permissions: { contents: read, id-token: write }` to the job; for a reusable workflow, add it to the calling job too.",
  id_token_fork:
    "Skip this step for forks only, with `if: github.event.pull_request == null || github.event.pull_request.head.repo.full_name == github.repository`.",
  id_token_dependabot:
    "Add `permissions: { contents: read, id-token: write }` to the job, or skip this step for Dependabot with `if: github.actor != 'dependabot[bot]'`.",
  id_token_unavailable:
    "Run the job again; if the error returns, check githubstatus.com or your own GitHub or Forgejo server.",
  broker_unreachable:
    "Check the input `broker`, and check that this runner's network and proxy allow connections to that host.",
  broker_timeout: "Run the job again; if the error returns, ask the broker's operator to check the broker's load.",
  broker_tls:
    "Give the broker a certificate that this runner trusts, or add its authority with NODE_EXTRA_CA_CERTS on the runner.",
  broker_redirects:
    "Set the input `broker` to the origin where the broker itself answers; the action never follows a redirect with a token.",
  broker_intercepted:
    "Look for a login page, a portal or a proxy between this runner and the broker, and check the input `broker`.",
  proxy_refused:
    "Allow the broker's host in the proxy, give HTTPS_PROXY the right address, user and password, or add the host to NO_PROXY if the runner reaches it directly.",
  broker_too_old: "Check the input `broker`; if it is correct, update the broker, which is older than this action.",
  broker_failing:
    "Run the job again; if the error returns, ask the broker's operator to check the broker and its proxy.",
  problem_unknown:
    "Update the action, because the broker is newer and sent an error code that this version does not know.",
  answer_not_sealed: "Update the broker, because the action uses only answers that are encrypted to the job's key.",
  answer_unusable: "Check that the input `broker` is the origin of a Daypass broker whose version fits the action.",
  delivery_refused:
    "Change the names in the policy or the provider's settings, or choose another delivery with the input `deliver`.",
  azure_login_failed:
    "Change the client's federated credential as an AADSTS code in the message of `az` says; without such a code, update `az` and check that this runner reaches Entra.",
  runner_file_missing: "Use a current runner: it sets GITHUB_ENV, GITHUB_OUTPUT, GITHUB_STATE and RUNNER_TEMP.",
  runner_disk: "Free space on the runner's disk, and let the runner's user write to RUNNER_TEMP.",
  leak_found:
    "Remove the value from the place that the message names, and change every secret that cannot be revoked if a copy may have left the runner.",
  sweep_impossible:
    "Let no step change or remove the folders `daypass-*` in the runner's temporary folder before the job ends.",
  unexpected: "Report this bug of Daypass with the versions of the action and the broker.",
}
