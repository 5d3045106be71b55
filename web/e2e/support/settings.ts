// What whoever starts the tests says in the environment, and where things are.
import path from "node:path";

/** The console of the running demo. */
export const URL_OF_DEMO = process.env.YAGURA_URL ?? "http://127.0.0.1:8470";
export const PASSWORD = process.env.YAGURA_PASSWORD ?? "";
/** The program, for tests that kill a server of their own. */
export const PROGRAM = process.env.YAGURA_PROGRAM ?? "";
/** The long set. */
export const full = process.env.YAGURA_FULL === "1";
/** The documentation's pictures. */
export const shooting = process.env.YAGURA_SCREENSHOTS === "1";
export const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

const web = path.resolve(import.meta.dirname, "../..");
export const IMAGES = path.resolve(web, "../docs/images");
export const DIST = path.resolve(web, "dist");
/** The cookie of one sign-in, shared by tests: the server allows few sign-ins a minute. */
export const SESSION_FILE = path.resolve(web, ".e2e/session.json");
