// The main service of the edge runtime: gives the router what only the runtime has.

import config from "./config.js";
import { handler } from "./router.js";

interface Worker {
  fetch(request: Request): Promise<Response>;
}

declare const EdgeRuntime: { userWorkers: { create(options: Record<string, unknown>): Promise<Worker> } };

async function exists(folder: string): Promise<boolean> {
  try {
    return (await Deno.stat(folder)).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

// The runtime listens where it was told to.
Deno.serve(
  handler({
    config,
    environment: Deno.env.toObject(),
    exists,
    create: (options: Record<string, unknown>) => EdgeRuntime.userWorkers.create(options),
  }),
);
