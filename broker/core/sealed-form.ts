/**
 * Whether a setting is sealed by `daypass seal`: a compact JWE (RFC 7516), five parts of which the first begins with a JSON
 * header. No token, key or password has this form.
 */
export const isSealed = (text: string): boolean => /^eyJ[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*){4}$/.test(text)
