// Stands for the edge runtime: its workers tell what they were made with and what came to them, or fail as the real ones do.
const failing: Record<string, string> = {
  boom: "InvalidWorkerCreation",
  broken: "InvalidWorkerResponse",
  limit: "WorkerRequestCancelled",
  slow: "WorkerRequestIdleTimeout",
  odd: "Error",
};
const made: string[] = [];

function fail(name: string): never {
  throw Object.assign(new Error("a trace of the runtime's"), { name });
}

// deno-lint-ignore no-explicit-any
(globalThis as any).EdgeRuntime = {
  userWorkers: {
    create(options: { servicePath: string; envVars: [string, string][] }) {
      const name = options.servicePath.split("/").at(-1)!;
      made.push(name);
      if (name === "boom") fail(failing.boom);
      return Promise.resolve({
        async fetch(request: Request) {
          if (name in failing) fail(failing[name]);
          if (name === "retired" && made.filter((one) => one === "retired").length === 1) fail("WorkerAlreadyRetired");
          return Response.json({
            options,
            environment: Object.fromEntries(options.envVars),
            request: { method: request.method, path: new URL(request.url).pathname, headers: Object.fromEntries(request.headers) },
            body: await request.text(),
          }, { status: 201 });
        },
      });
    },
  },
};

const serve = Deno.serve;
// The runtime, too, has a server of its own behind this name; this one tells where it listens, and nothing else.
// deno-lint-ignore no-explicit-any
(Deno as any).serve = (handler: Deno.ServeHandler) =>
  serve({ port: 0, hostname: "127.0.0.1", onListen: ({ port }) => console.log(`http://127.0.0.1:${port}`) }, handler);
await import("./index.ts");
