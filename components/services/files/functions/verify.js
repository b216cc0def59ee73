// Checks the tokens that calls of functions carry: HS256 with the stack's JWT secret, ES256 with the public keys of its JWKS. Which
// of the two the header says; nothing else is taken, so "none" and keys of another kind are not.
// Nothing but what Deno, Node and browsers have (Web Crypto): no network is needed to start.

export class Refusal extends Error {
  /** A token, or the lack of one, that is no reason to let a call in. The codes are those of upstream's router. */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

const bytes = new TextEncoder();

const CODES = new Map([
  ["HS256", "UNAUTHORIZED_LEGACY_JWT"],
  ["ES256", "UNAUTHORIZED_ASYMMETRIC_JWT"],
]);

const malformed = () => new Refusal("UNAUTHORIZED_INVALID_JWT_FORMAT", "Invalid JWT format");

function decoded(part) {
  // The alphabet of URLs alone, and no padding (RFC 7515, 2).
  if (!/^[A-Za-z0-9_-]*$/.test(part) || part.length % 4 === 1) throw malformed();
  const text = atob(part.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

function object(part) {
  let value;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(decoded(part)));
  } catch {
    throw malformed();
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) throw malformed();
  return value;
}

/** The keys of a JWKS ({"keys": [...]}) as text; none where there is none, or where it is broken. */
export function keysOf(jwks) {
  try {
    const { keys } = JSON.parse(jwks);
    return Array.isArray(keys) ? keys.filter((key) => key !== null && typeof key === "object") : [];
  } catch {
    return [];
  }
}

const isPublic = (key) => key.kty === "EC" && key.crv === "P-256";

/** A JWKS of the public keys in it, as text; undefined where there are none. The stack's own holds its JWT secret, too. */
export function publicKeys(jwks) {
  const keys = keysOf(jwks).filter(isPublic).map(({ d: _private, ...key }) => key);
  return keys.length > 0 ? JSON.stringify({ keys }) : undefined;
}

/**
 * A function from a token to its claims, which throws a Refusal.
 *
 * secret: the JWT secret; without one no HS256 token is taken. jwks: JSON text. now: milliseconds, for tests.
 */
export function verifier({ secret, jwks, now = Date.now }) {
  const symmetric = secret
    ? crypto.subtle.importKey("raw", bytes.encode(secret), { name: "HMAC", hash: "SHA-256" }, false, ["verify"])
    : undefined;
  const asymmetric = keysOf(jwks)
    .filter((key) => isPublic(key) && (key.use ?? "sig") === "sig" && (key.alg ?? "ES256") === "ES256")
    .map(({ kid, x, y }) => ({
      kid,
      key: crypto.subtle.importKey("jwk", { kty: "EC", crv: "P-256", x, y }, { name: "ECDSA", namedCurve: "P-256" }, false, [
        "verify",
      ]),
    }));
  for (const { key } of asymmetric) key.catch((error) => console.error("A key of SUPABASE_JWKS can't be used:", error.message));

  async function signedByUs(header, signed, signature) {
    if (header.alg === "HS256") {
      if (symmetric === undefined) throw new Refusal("UNAUTHORIZED_LEGACY_JWT", "Invalid JWT");
      return crypto.subtle.verify("HMAC", await symmetric, signature, signed);
    }
    const fitting = asymmetric.filter(({ kid }) => header.kid === undefined || kid === header.kid);
    for (const { key } of fitting) {
      const usable = await key.catch(() => undefined);
      const how = { name: "ECDSA", hash: "SHA-256" };
      if (usable !== undefined && (await crypto.subtle.verify(how, usable, signature, signed))) return true;
    }
    return false;
  }

  return async (token) => {
    const parts = token.split(".");
    if (parts.length !== 3) throw malformed();
    const header = object(parts[0]);
    const code = CODES.get(header.alg);
    if (code === undefined) {
      const told = typeof header.alg === "string" ? header.alg.slice(0, 20) : "none";
      throw new Refusal("UNAUTHORIZED_UNSUPPORTED_TOKEN_ALGORITHM", `Unsupported JWT algorithm ${told}`);
    }
    const claims = object(parts[1]);
    // What a token says must be understood may not be passed over (RFC 7515, 4.1.11).
    const sound = header.crit === undefined && (await signedByUs(header, bytes.encode(`${parts[0]}.${parts[1]}`), decoded(parts[2])));
    const seconds = now() / 1000;
    const isTime = (value) => typeof value === "number" && Number.isFinite(value);
    const valid =
      (claims.exp === undefined || (isTime(claims.exp) && seconds < claims.exp)) &&
      (claims.nbf === undefined || (isTime(claims.nbf) && seconds >= claims.nbf));
    if (!sound || !valid) throw new Refusal(code, "Invalid JWT");
    return claims;
  };
}
