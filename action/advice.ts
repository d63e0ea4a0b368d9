import type { FailureCode } from "./failure.ts"

/** The one sentence that says what to change about a failure. Complete by type: a new code does not compile without it. */
export function advice(code: FailureCode): string {
  return ADVICE[code]
}

const ADVICE: Readonly<Record<FailureCode, string>> = {
  // The broker's codes, in the order of the wire.
  request_malformed: "Check the inputs `grants` and `ttl` against what the broker says here.",
  request_too_large: "Ask for fewer grants in one step.",
  media_type_unsupported: `Something between the job and the broker changes requests; let it pass them as they are.`,
  method_not_allowed:
    "Update the broker to the version that this action needs, or pin the action to the broker's version.",
  route_not_found: "Update the broker to the version that this action needs, or correct the input `broker`.",
  token_missing: "Let the proxy between the job and the broker pass the Authorization header on.",
  token_malformed:
    "Check that the job runs on GitHub Actions or GitHub Enterprise Server and that nothing in between changes the Authorization header.",
  token_issuer_unknown:
    "Ask the broker's operator to list this issuer under `issuers` in the organisation file, or correct the input `broker`.",
  token_signature_invalid:
    "Check that the issuer's URL in the broker's organisation file is that of this GitHub server.",
  token_audience_mismatch:
    "Set the input `audience` to the audience that the broker is configured with; left out, it is the broker's origin.",
  token_expired: "Set the clocks of the runner and of the broker right, for subject tokens live only minutes.",
  token_not_yet_valid:
    "Set the clocks of the runner and of the broker right, for the token seems to come from the future.",
  token_lifetime_too_long:
    "Ask the broker's operator to compare `max_token_lifetime` with the lifetime of this issuer's tokens.",
  token_claims_invalid:
    "Ask the broker's operator to check that the issuer's family in the organisation file fits this GitHub server.",
  token_already_used: "Run the job again; if it happens again, look for a step or a proxy that repeats requests.",
  key_mismatch: "Run the job again; if it happens again, look for a proxy that changes the requests to the broker.",
  bound_token_required: "Update the action, because this one did not bind its token to a key as the broker demands.",
  issuer_unavailable: "Wait for the issuer to recover and run the job again; githubstatus.com may tell more.",
  not_allowed:
    "Change the policy, or run the job on the ref, the event and in the environment that a policy of this repository allows.",
  ttl_too_short: "Ask for a longer `ttl`, or leave the input out.",
  policy_unavailable: "The broker says above which policies it cannot have; that is for its operator to mend.",
  policy_invalid: "Mend the files in .github/daypass/ on the default branch; the broker says where they are faulty.",
  lease_not_found: "Nothing can be changed from here: the lease has ended, or it belongs to another run.",
  ledger_unavailable: "Run the job again in a while; if it goes on, ask the broker's operator to look at its storage.",
  provider_denied:
    "Ask the broker's operator to check what the provider's side trusts: its role, its trust condition or its permissions.",
  provider_throttled: "Run the job again in a while, or have fewer jobs ask at the same time.",
  provider_unavailable: "Wait for the provider to recover and run the job again.",
  provider_response_invalid:
    "Ask the broker's operator to compare the connection's settings with the provider's version.",
  secret_not_found:
    "Correct the locator in the policy, or put the secret, its version or its field into the store; see that the connection may read it.",
  secret_unusable: "Change the secret in the store, or the way in which the policy lets it arrive.",
  configuration_invalid:
    "Ask the broker's operator to read the broker's log, which names every fault of its configuration.",
  shutting_down: "Run the job again, for the broker is being restarted.",
  internal: "Give the request id to the broker's operator, who finds the cause under it in the broker's log.",

  // The action's own.
  input_invalid: "Correct the step's `with:` in the workflow.",
  id_token_permission_missing:
    "Add `permissions: { contents: read, id-token: write }` to the job; a reusable workflow needs it in its caller as well.",
  id_token_fork:
    "Run this step only for branches of the repository itself, for example with `if: github.event.pull_request.head.repo.full_name == github.repository`.",
  id_token_dependabot:
    "Leave this step out for Dependabot with `if: github.actor != 'dependabot[bot]'`, or run it once the change is merged.",
  id_token_unavailable:
    "Run the job again; if it goes on, see githubstatus.com or the state of your GitHub Enterprise Server.",
  broker_unreachable: "Check the input `broker` and that this runner's network and proxy let it reach that host.",
  broker_timeout: "Run the job again; if it goes on, ask the broker's operator what keeps it busy.",
  broker_tls:
    "Have the broker show a certificate that this runner trusts, or add its authority through NODE_EXTRA_CA_CERTS on the runner.",
  broker_redirects:
    "Set the input `broker` to the origin where the broker itself answers, because redirects are never followed with a token.",
  broker_too_old: "Check the input `broker`, and update the broker if it is older than this action.",
  broker_failing:
    "Run the job again; if it goes on, ask the broker's operator to look at the broker and what stands in front of it.",
  problem_unknown: "Update the action, because the broker is newer and knows reasons that this one does not.",
  answer_not_sealed: "Update the broker, because an answer that is not sealed to the job's key is never used.",
  answer_unusable: "Check that the input `broker` points at a Daypass broker, of a version that fits the action.",
  delivery_refused:
    "Change the names in the policy or the provider's settings, or let the values arrive another way with the input `deliver`.",
  runner_file_missing:
    "Run this step with a runner that sets GITHUB_ENV, GITHUB_OUTPUT, GITHUB_STATE and RUNNER_TEMP, as every current one does.",
  unexpected: "This is a fault of ours, so please report it together with the versions of the action and the broker.",
}
