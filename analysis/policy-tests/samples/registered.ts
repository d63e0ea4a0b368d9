/** What every sample says of itself: RFC 7519 section 4.1. The broker's URL is the audience. */
export const REGISTERED = {
  aud: "https://broker.example.com",
  iat: 1795300000,
  exp: 1795300300,
} as const

export const JTI = "6f4762ed-0758-4ccb-808d-ee3af5d723a8"
