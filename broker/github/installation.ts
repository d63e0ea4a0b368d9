import * as z from "zod"

// What GitHub says of an installation of the App, and of the tokens that it gives for one (REST API, "Apps").

/** An installation, as far as anybody needs it. */
export const installationSchema = z.object({
  id: z.int().positive(),
  /** What it was given, whatever a token of it has. */
  permissions: z.record(z.string(), z.string()),
  suspended_at: z.string().nullish(),
})

/** A token of an installation. `repositories` is left out where it is good for all. */
export const installationTokenSchema = z.object({
  // Not of one length and form: GitHub began to hand out longer ones in 2026.
  token: z.string().regex(/^[!-~]{20,4096}$/),
  expires_at: z.iso.datetime({ offset: true }),
  permissions: z.record(z.string(), z.string()),
  repositories: z.array(z.object({ id: z.int().positive() })).optional(),
})

/** Where an installation gives tokens. Of what is sent there, nothing may be empty: an empty list is no list to GitHub, and means all. */
export const tokensPath = (installationId: number): string => `/app/installations/${installationId}/access_tokens`
