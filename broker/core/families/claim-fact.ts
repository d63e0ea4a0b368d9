/** What is known of one claim that an issuer family sends: one row of the family's table. */
export interface ClaimFact {
  /** What the claim says, for people: half a sentence. */
  readonly summary: string
  /**
   * `always`: verification refuses a token without it. `by-some-issuers`: older servers leave it out of every token.
   * `by-some-units`: it depends on the unit. `by-some-jobs`: it depends on the job. `with-environment`: only jobs that name
   * an environment have it.
   */
  readonly sent: "always" | "by-some-issuers" | "by-some-units" | "by-some-jobs" | "with-environment"
  /**
   * What its value tells apart. `job`: jobs of one unit can differ in it. `unit`: it identifies the unit. `setting`: all
   * jobs of a unit share it, and its administrators can change it. `token`: it is about this one token and says nothing
   * about the job.
   */
  readonly tells: "job" | "unit" | "setting" | "token"
  /** The JSON type of its value; a token with another type is refused. Left out: a text. */
  readonly type?: ClaimType
  /** True when the family makes it of other claims: a token's own claim of this name does not count. */
  readonly derived?: true
  /** What gives a token the claim, for one that must have it and does not: `add --claim pipeline_id to ...`. */
  readonly remedy?: string
  /** True for what verification reads itself, alike for all families: RFC 7519 section 4.1, without `sub`. */
  readonly registered?: true
  /** Who can choose its text freely. Left out: only the issuer. */
  readonly chosenBy?: "outsider" | "writer" | "administrator"
  /** True when a condition on it says which code runs. */
  readonly tellsCode?: true
  /** Every value that it can have, where the issuer documents a closed set. */
  readonly values?: ReadonlyMap<string, ValueFact>
  /** True for what only runs of pull requests have: others send it empty, or not at all. */
  readonly ofPullRequests?: true
  /** How its values are built, where they have a form. */
  readonly form?: ClaimForm
  /** Plausible values, the most plausible first: examples are made of them. */
  readonly samples?: readonly string[]
}

/** What is known of one value of a closed set. */
export interface ValueFact {
  /** True for what people without write access to the code can cause: an `allow` must name it. */
  readonly outsiders?: true
  /** True when a person has a shell in the job: an `allow` must name it. */
  readonly interactive?: true
  /** Patterns of the refs that a job with this value can run on. Left out: any ref. */
  readonly refs?: readonly string[]
}

/** The JSON types of claims. `any`: what the issuer's administrator chose. */
export type ClaimType = "text" | "number" | "boolean" | "texts" | "object" | "any"

/** The claims of one issuer family, by name. */
export type ClaimTable = ReadonlyMap<string, ClaimFact>

/** The names of forms; `FORMS` says what each of them is. */
export type ClaimForm =
  | "digits"
  | "commit"
  | "login"
  | "repository"
  | "ref"
  | "branch"
  | "workflow"
  | "subject"
  | "age-key"

/** How the values of a form are built. A value has the form when it matches a pattern and has no other characters. */
export interface FormRule {
  /** For messages: `a full ref, such as refs/heads/main`. */
  readonly words: string
  readonly patterns: readonly string[]
  /** Matches one character that can stand in a value. */
  readonly characters: RegExp
}

/**
 * Every form. What git allows in a ref: git-check-ref-format(1). GitHub's user names have letters, digits and hyphens;
 * Apps' end in `[bot]`, and those of managed users have an underscore.
 */
export const FORMS: Readonly<Record<ClaimForm, FormRule>> = {
  digits: { words: "a number in digits", patterns: ["*"], characters: /[0-9]/ },
  commit: { words: "a full commit id of 40 or 64 hexadecimal digits", patterns: ["*"], characters: /[0-9a-f]/ },
  login: { words: "a user name", patterns: ["*"], characters: /[A-Za-z0-9_[\]-]/ },
  repository: { words: "an owner and a name, such as acme/shop", patterns: ["*/*"], characters: /[A-Za-z0-9._/-]/ },
  ref: {
    words: "a full ref, such as refs/heads/main or refs/tags/v1",
    patterns: ["refs/heads/**", "refs/tags/**", "refs/pull/*/merge"],
    characters: /[^ ~^:?*[\\]/,
  },
  branch: { words: "a branch's name without refs/heads/", patterns: ["**"], characters: /[^ ~^:?*[\\]/ },
  workflow: {
    words: "a file at a ref, such as acme/shop/.github/workflows/deploy.yml@refs/heads/main",
    patterns: ["*/*/**@**"],
    characters: /[^*]/,
  },
  "age-key": { words: "the public half of an age key, age1...", patterns: ["age1*"], characters: /[02-9ac-hj-np-z1]/ },
  subject: { words: "a subject, such as repo:acme/shop:ref:refs/heads/main", patterns: ["**:**"], characters: /[^*]/ },
}

/**
 * The claims that RFC 7519 registers and that are about one token. `sub` and `iss` are not among them: they say who the
 * job is.
 */
export const TOKEN_CLAIMS = ["aud", "exp", "iat", "jti", "nbf"] as const
