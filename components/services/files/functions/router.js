// Takes the calls of edge functions (the gateway strips /functions/v1), checks their tokens and hands each to its function's worker.
// What Deno and the edge runtime have of their own comes in from index.ts, so that this can be run without them.

import { publicKeys, Refusal, verifier } from "./verify.js";

// By name of the runtime's error. Status codes and names are those of the hosted platform.
const FAILURES = new Map([
  ["InvalidWorkerCreation", [503, "BOOT_ERROR", "The function could not be started; its log says why"]],
  ["InvalidWorkerResponse", [500, "WORKER_ERROR", "The function ended with an error; its log says which"]],
  ["WorkerRequestIdleTimeout", [504, "IDLE_TIMEOUT", "The function did not answer in time"]],
  ["WorkerRequestCancelled", [546, "WORKER_LIMIT", "The function was ended at a limit of memory or time; its log says which"]],
]);
const UNKNOWN = [500, "INTERNAL_ERROR", "The call failed; the log of the functions says why"];

function answer(status, body, headers = {}) {
  return new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json", ...headers } });
}

const failure = (status, code, message) => answer(status, { code, message, msg: message }, { "sb-error-code": code });

/** The function that a path asks for: its first part; undefined where that can't be the name of one. */
export function functionName(pathname) {
  const [, name] = pathname.split("/");
  return /^[A-Za-z][A-Za-z0-9_-]*$/.test(name ?? "") ? name : undefined;
}

/**
 * The token of a call. A user's own comes first; without one the API key counts, which the gateway turns into a token (sb-api-key).
 * Whoever comes by another way may write that header, too: it is checked like any token.
 */
export function tokenOf(headers) {
  const authorization = headers.get("authorization") ?? "";
  const bearer = /^Bearer +(\S+)$/i.exec(authorization.trim())?.[1];
  if (bearer !== undefined && !bearer.startsWith("sb_")) return bearer;
  const key = headers.get("sb-api-key");
  if (key) return key;
  throw authorization
    ? new Refusal("UNAUTHORIZED_INVALID_JWT_FORMAT", "Invalid JWT format")
    : new Refusal("UNAUTHORIZED_NO_AUTH_HEADER", "Missing authorization header");
}

/** What functions see of the environment: SUPABASE_... and what the settings give them; neither the JWT secret nor the image's own. */
export function environmentOf(environment, names) {
  const told = Object.entries(environment).filter(([name]) => name.startsWith("SUPABASE_") || names.includes(name));
  const jwks = publicKeys(environment.SUPABASE_JWKS);
  return [...told.filter(([name]) => name !== "SUPABASE_JWKS"), ...(jwks === undefined ? [] : [["SUPABASE_JWKS", jwks]])];
}

/**
 * The handler of all requests.
 *
 * config: see config.js. environment: the container's. exists: whether there is a folder. create: makes a worker, or finds one.
 */
export function handler({ config, environment, exists, create }) {
  const verify = verifier({ secret: environment.JWT_SECRET, jwks: environment.SUPABASE_JWKS });
  const byDefault = environment.VERIFY_JWT !== "false";
  const verified = new Map(Object.entries(config.verifyJwt));
  const off = new Set(config.off);
  const options = {
    ...config.limits,
    noModuleCache: false,
    importMapPath: null,
    envVars: environmentOf(environment, config.environment),
  };

  async function call(name, request, again) {
    try {
      const worker = await create({ ...options, servicePath: `${config.folder}/${name}` });
      return await worker.fetch(request);
    } catch (error) {
      // It was about to end when the request came: the next one is new.
      if (error?.name === "WorkerAlreadyRetired" && again) return await call(name, request, false);
      console.error(`The function ${name} failed:`, error);
      return failure(...(FAILURES.get(error?.name) ?? UNKNOWN));
    }
  }

  return async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/_internal/health") return answer(200, { message: "ok" });
    const name = functionName(pathname);
    if (name === undefined && pathname === "/") return failure(400, "MISSING_FUNCTION", "The path names no function");
    // A browser asks by OPTIONS whether it may send the token.
    if (request.method !== "OPTIONS" && (verified.get(name) ?? byDefault)) {
      try {
        await verify(tokenOf(request.headers));
      } catch (error) {
        if (!(error instanceof Refusal)) console.error("A token could not be checked:", error);
        const { code, message } = error instanceof Refusal
          ? error
          : { code: "UNAUTHORIZED_INVALID_JWT_FORMAT", message: "Invalid JWT format" };
        return failure(401, code, message);
      }
    }
    if (name === undefined || off.has(name) || !(await exists(`${config.folder}/${name}`))) {
      return failure(404, "NOT_FOUND", "There is no such function");
    }
    return await call(name, request, true);
  };
}
