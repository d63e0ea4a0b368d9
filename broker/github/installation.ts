import * as z from "zod"

// GitHub's answers about an installation of the App, and about its tokens (REST API, "Apps").

/** An installation, with only the members that we use. */
export const installationSchema = z.object({
  id: z.int().positive(),
  /** The permissions of the installation; a token may have fewer. */
  permissions: z.record(z.string(), z.string()),
  suspended_at: z.string().nullish(),
})

/** A token of an installation. `repositories` is left out when the token is valid for all repositories. */
export const installationTokenSchema = z.object({
  // The length and form are not fixed: GitHub began to issue longer tokens in 2026.
  token: z.string().regex(/^[!-~]{20,4096}$/),
  expires_at: z.iso.datetime({ offset: true }),
  permissions: z.record(z.string(), z.string()),
  repositories: z.array(z.object({ id: z.int().positive() })).optional(),
})

/**
 * The path that issues an installation's tokens. Never send it an empty list: GitHub treats that as no list, which means
 * all.
 */
export const tokensPath = (installationId: number): string => `/app/installations/${installationId}/access_tokens`
