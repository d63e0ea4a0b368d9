const LOOPBACK_IPV4 = /^127\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}$/

/**
 * True for an absolute https URL, and for an http URL whose host is this machine: 127.0.0.0/8, `[::1]` or `localhost`. URLs
 * with credentials are refused for any scheme.
 *
 * On plain http, an attacker on the network can forge an issuer's keys and read a provider's tokens. Loopback has no
 * network in between. The check uses the host as the URL parser normalised it, which is the host that is dialled:
 * `http://127.1/` is loopback, `http://127.0.0.1.example/` and `http://localhost.example/` are not.
 */
export function isHttpsOrLoopback(url: string): boolean {
  if (!URL.canParse(url)) return false
  const parsed = new URL(url)
  if (parsed.username !== "" || parsed.password !== "") return false
  return parsed.protocol === "https:" || (parsed.protocol === "http:" && isLoopbackHost(parsed.hostname))
}

/**
 * Whether a host is this machine. `hostname` must have the form of `URL.hostname`: lower case, IPv4 in four decimal parts,
 * IPv6 compressed and in brackets.
 */
export function isLoopbackHost(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || LOOPBACK_IPV4.test(hostname)
}

/** The form of a plain URL, also for editors: its parts have no character with a second spelling or a meaning of its own. */
export const PLAIN_URL =
  /^https?:\/\/(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:]+\])(?::[0-9]{1,5})?(?:\/(?!\.+(?:\/|$))[A-Za-z0-9._~-]+)*\/?$/

/** What a plain URL is: the end of a sentence such as "an issuer's URL must be". */
export const PLAIN_URL_FORM =
  "an https URL with its host in lower case, without user, default port, query and fragment, and with only letters, digits and . _ ~ - in its path (http is allowed for loopback hosts)"

/**
 * Parses an https URL (http for loopback) that has only one spelling; null for any other text.
 *
 * Paths are appended to such URLs, and tokens are compared with them as text. In `https://h/pages/evil#`, an appended path
 * would be a fragment, so the keys of another page would be fetched. `..`, `%2e`, backslashes, capitals in the host, a dot
 * after it and the default port give one address several spellings.
 */
export function parsePlainUrl(text: string): URL | null {
  if (!PLAIN_URL.test(text) || !isHttpsOrLoopback(text)) return null
  const url = new URL(text)
  return url.href === text || url.href === `${text}/` ? url : null
}
